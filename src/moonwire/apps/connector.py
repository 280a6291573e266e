"""Opens application sessions: the one way from a call to the customer's application."""

from __future__ import annotations

from collections.abc import Callable

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
    ) -> None:
        self._surroundings = Surroundings(http, alerts, clock, host_policy, timings or Timings())

    def open(self, application: ApplicationRecord, call_sid: str, listener: ApplicationListener) -> ApplicationSession:
        """Prepare a session; nothing is sent before `begin`."""
        return RoutedSession(self._surroundings, application, call_sid, listener)
