"""Session timers: who refreshes, when, and when a call that nobody refreshes is over.

Source: RFC 4028, table 2 for the called side, sections 7.2 and 10 for times.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from sipmessage import Headers

from moonwire.core.sip.message import option_tags
from moonwire.errors import RemoteProtocolError

MIN_SE_S = 90
"""The smallest interval we accept; RFC 4028 section 5 forbids less than 90 s as Min-SE."""

Refresher = Literal["uac", "uas"]


class IntervalTooSmallError(RemoteProtocolError):
    """The peer wants shorter intervals than we accept; answer 422 with Min-SE."""

    def __init__(self) -> None:
        super().__init__("session interval too small", status=422)


@dataclass(frozen=True, slots=True)
class SessionTimer:
    """What was agreed for one call."""

    interval_s: float
    we_refresh: bool
    refresher: Refresher
    """In terms of the transaction that agreed it."""
    peer_supports: bool = True

    @property
    def refresh_after_s(self) -> float:
        """When to refresh: half the interval."""
        return self.interval_s / 2

    @property
    def give_up_after_s(self) -> float:
        """When to end the call without a refresh: a little before the peer does."""
        return self.interval_s - min(32.0, self.interval_s / 3)

    @property
    def header(self) -> str:
        """The Session-Expires value of a response."""
        return f"{int(self.interval_s)};refresher={self.refresher}"


def accept_timer(headers: Headers, *, min_se_s: int) -> SessionTimer | None:
    """Decide on a received INVITE or UPDATE; None when the peer asked for no timer.

    Raises:
        IntervalTooSmallError: answer 422.
        RemoteProtocolError: Session-Expires is malformed.
    """
    asked = _session_expires(headers)
    if asked is None:
        return None
    interval_s, refresher = asked
    if interval_s < min_se_s:
        raise IntervalTooSmallError
    supports = "timer" in option_tags(headers, "Supported") | option_tags(headers, "Require")
    chosen: Refresher = (refresher or "uac") if supports else "uas"
    return SessionTimer(interval_s, we_refresh=chosen == "uas", refresher=chosen, peer_supports=supports)


def agreed_timer(headers: Headers) -> SessionTimer | None:
    """Read the timer that a 2xx to our own INVITE or UPDATE agrees to; None when there is none."""
    try:
        asked = _session_expires(headers)
    except RemoteProtocolError:
        return None
    if asked is None:
        return None
    refresher = asked[1] or "uac"
    return SessionTimer(asked[0], we_refresh=refresher == "uac", refresher=refresher)


def min_se(headers: Headers) -> int:
    """Return Min-SE, or the RFC's 90 s."""
    text = (headers.get("Min-SE") or "").partition(";")[0].strip()
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else MIN_SE_S


def _session_expires(headers: Headers) -> tuple[int, Refresher | None] | None:
    text = headers.get("Session-Expires")
    if text is None:
        return None
    match = re.match(r"\s*([0-9]{1,9})\s*(?:;|\Z)", text)
    if match is None:
        raise RemoteProtocolError("malformed Session-Expires")
    found = re.search(r";\s*refresher\s*=\s*(uac|uas)\b", text, re.IGNORECASE)
    refresher: Refresher | None = None
    if found:
        refresher = "uac" if found.group(1).lower() == "uac" else "uas"
    return int(match.group(1)), refresher
