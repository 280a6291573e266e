"""One timer on the loop, set by absolute deadlines of the clock port; setting it again replaces the old deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from moonwire.ports.clock import Clock


class Alarm:
    """One pending deadline, or none."""

    def __init__(self, clock: Clock, on_due: Callable[[], None]) -> None:
        self._clock = clock
        self._on_due = on_due
        self._handle: asyncio.TimerHandle | None = None

    def set_at(self, deadline: float | None) -> None:
        """Ring at a monotonic time; None cancels."""
        self.cancel()
        if deadline is not None:
            delay_s = max(0.0, deadline - self._clock.monotonic_s())
            self._handle = asyncio.get_running_loop().call_later(delay_s, self._ring)

    def set_in(self, delay_s: float) -> None:
        """Ring after so many seconds."""
        self.set_at(self._clock.monotonic_s() + delay_s)

    def cancel(self) -> None:
        """Forget the deadline."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _ring(self) -> None:
        self._handle = None
        self._on_due()
