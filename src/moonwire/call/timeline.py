"""The call's media clock: seconds since the call was offered, and timers on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from moonwire.ports.clock import Clock


class Timeline:
    """One call's time; runs without a break from the offer through the answer to the end."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offered_s = clock.monotonic_s()
        self.answered_at: float | None = None
        """When the call was answered."""
        self.ended_at: float | None = None

    def mark_answered(self) -> None:
        """Note the answer; later calls change nothing."""
        if self.answered_at is None:
            self.answered_at = self.now()

    def mark_ended(self) -> None:
        """Note the end, from which on the call does not get longer; later calls change nothing."""
        if self.ended_at is None:
            self.ended_at = self.now()

    @property
    def is_answered(self) -> bool:
        """Whether the call has been answered."""
        return self.answered_at is not None

    def now(self) -> float:
        """Return seconds since the offer."""
        return self._clock.monotonic_s() - self._offered_s

    def since_answer_s(self) -> float:
        """Return seconds since the answer, 0 before; until the end, when there was one."""
        until = self.now() if self.ended_at is None else self.ended_at
        return 0.0 if self.answered_at is None else until - self.answered_at

    def call_at(self, due: float, action: Callable[[], None]) -> asyncio.TimerHandle:
        """Run an action at a media time (at once when it has passed)."""
        return asyncio.get_running_loop().call_later(max(0.0, due - self.now()), action)
