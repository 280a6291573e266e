"""Decides when a Flush may be sent: the vendor ignores more than 20 in 60 s; pure, time is handed in."""

from __future__ import annotations

from collections import deque

from moonwire.vendors.tts.deepgram.manifest import FLUSH_WINDOW_S, MAX_FLUSHES

_KEPT_FOR_ENDS = 8
"""Flushes that only the end of a reply may use: without its last one a reply is cut off."""


class FlushBudget:
    """One connection's flushes."""

    def __init__(self) -> None:
        self._sent_s: deque[float] = deque()

    def take(self, now_s: float, *, ends_reply: bool) -> float:
        """Count a flush that is sent now and return 0, or return how many seconds it has to wait."""
        while self._sent_s and now_s - self._sent_s[0] >= FLUSH_WINDOW_S:
            self._sent_s.popleft()
        limit = MAX_FLUSHES if ends_reply else MAX_FLUSHES - _KEPT_FOR_ENDS
        if len(self._sent_s) < limit:
            self._sent_s.append(now_s)
            return 0.0
        return self._sent_s[len(self._sent_s) - limit] + FLUSH_WINDOW_S - now_s

    def reset(self) -> None:
        """Begin anew: a new connection has its own window."""
        self._sent_s.clear()
