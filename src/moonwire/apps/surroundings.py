"""What every application session of the process shares: the HTTP client, the operator's alerts, the clock, limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
import structlog

from moonwire.errors import HookError
from moonwire.ports.clock import Clock
from moonwire.ports.directory import Alerts, AlertType

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Timings:
    """How long applications may take; seconds.

    The first acknowledgement gets more than jambonz's 5 s: @jambonz/sdk 0.10.1 spends 0.5 to 0.75 s of CPU on every new
    session, so a burst of calls makes it slow (measured 2026-11-22).
    """

    connect_s: float = 2.0
    upgrade_s: float = 15.0
    """From the first attempt to connect to the answered upgrade; a busy application answers late."""
    first_connection_s: float = 20.0
    """For the first connection with all its retries; a caller is waiting."""
    first_ack_s: float = 15.0
    ack_s: float = 5.0
    webhook_s: float = 10.0
    tool_s: float = 30.0
    close_s: float = 2.0
    retry_delays_s: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0, 6.0)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Handed to every session."""

    http: aiohttp.ClientSession
    alerts: Alerts
    clock: Clock
    host_policy: Callable[[str], bool]
    """Whether an application may name this absolute URL as a hook."""
    timings: Timings = Timings()

    def alert(self, account_sid: str, call_sid: str, alert_type: AlertType, message: str, remedy: str = "") -> None:
        """Tell the operator and the log."""
        _log.warning("application failed", alert_type=alert_type, reason=message, call_sid=call_sid)
        self.alerts.raise_alert(account_sid, alert_type, message, remedy=remedy, call_sid=call_sid)


def refuse_private(surroundings: Surroundings, url: str) -> None:
    """Check an absolute URL that an application named.

    Raises:
        HookError: the host is not permitted.
    """
    if not surroundings.host_policy(url):
        raise HookError("hook names a private host; add it to MOONWIRE_PRIVATE_HOSTS to permit it", url=url)
