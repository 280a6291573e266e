"""The only clock of the engine; the virtual-time loop in sandbox/ offers another one."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Two times: a monotonic one for durations, a civil one for records."""

    def monotonic_s(self) -> float:
        """Return seconds that never go back."""
        ...

    def utc_s(self) -> float:
        """Return seconds since 1970-01-01T00:00Z."""
        ...
