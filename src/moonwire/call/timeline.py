"""The call's media clock: seconds since answer, and timers on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from moonwire.ports.clock import Clock


class Timeline:
    """One call's time; negative before the call is answered."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offered_s = clock.monotonic_s()
        self._answered_s: float | None = None

    def mark_answered(self) -> None:
        """Set zero; later calls change nothing."""
        if self._answered_s is None:
            self._answered_s = self._clock.monotonic_s()

    @property
    def is_answered(self) -> bool:
        """Whether zero has been set."""
        return self._answered_s is not None

    def now(self) -> float:
        """Return seconds since answer; before that, a negative number that ends near zero."""
        now = self._clock.monotonic_s()
        if self._answered_s is None:
            return min(0.0, now - self._offered_s - 60.0)
        return now - self._answered_s

    def call_at(self, due: float, action: Callable[[], None]) -> asyncio.TimerHandle:
        """Run an action at a media time (at once when it has passed)."""
        return asyncio.get_running_loop().call_later(max(0.0, due - self.now()), action)
