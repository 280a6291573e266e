"""Opens application sessions: the one way from a call to the customer's application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import aiohttp

from moonwire.apps.session import RoutedSession
from moonwire.apps.surroundings import Surroundings, Timings
from moonwire.ports.applications import ApplicationListener, ApplicationSession
from moonwire.ports.clock import Clock
from moonwire.ports.directory import Alerts, ApplicationRecord


class AppConnector:
    """Implements ports.applications.ApplicationConnector over HTTP and WebSocket."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        alerts: Alerts,
        clock: Clock,
        host_policy: Callable[[str], bool],
        timings: Timings | None = None,
        *,
        guarded_http: aiohttp.ClientSession | None = None,
    ) -> None:
        """Take what sessions share.

        Args:
            http: reaches the hooks that the operator wrote.
            alerts: tells the operator.
            clock: of the process.
            host_policy: which URLs an application may name.
            timings: limits; the defaults are jambonz's.
            guarded_http: reaches the hooks that REST and portal users wrote; judges addresses.
        """
        self._surroundings = Surroundings(http, alerts, clock, host_policy, timings or Timings())
        self._guarded = replace(self._surroundings, http=guarded_http or http)

    def open(self, application: ApplicationRecord, call_sid: str, listener: ApplicationListener) -> ApplicationSession:
        """Prepare a session; nothing is sent before `begin`."""
        surroundings = self._surroundings if application.by_operator else self._guarded
        return RoutedSession(surroundings, application, call_sid, listener)
