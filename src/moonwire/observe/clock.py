"""The process's real clock; the only place that asks the operating system for the time."""

from __future__ import annotations

import time


class SystemClock:
    """Implements ports.clock.Clock."""

    def monotonic_s(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    def utc_s(self) -> float:
        """Return seconds since 1970-01-01T00:00Z."""
        return time.time()
