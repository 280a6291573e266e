"""Slows down guessing of passwords: after six failures a user name, after twenty an address waits.

Held in memory, bounded; a success forgives the user name. Unknown names are counted like known ones, so that the
answer does not tell which exist.
"""

from __future__ import annotations

from collections import OrderedDict, deque

from moonwire.ports.clock import Clock

WINDOW_S = 300.0
_USER_FAILURES = 6
_ADDRESS_FAILURES = 20
_REMEMBERED = 10_000


class LoginGuard:
    """Counts failures per user name and per address."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, username: str, address: str) -> float:
        """Return how long the next try has to wait; 0 = now."""
        return max(
            self._wait(f"user {username.lower()}", _USER_FAILURES), self._wait(f"from {address}", _ADDRESS_FAILURES)
        )

    def failed(self, username: str, address: str) -> None:
        """Count a wrong password."""
        for key in (f"user {username.lower()}", f"from {address}"):
            times = self._failures.setdefault(key, deque(maxlen=_ADDRESS_FAILURES))
            times.append(self._clock.monotonic_s())
            self._failures.move_to_end(key)
        while len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)

    def succeeded(self, username: str) -> None:
        """Forgive a user name."""
        self._failures.pop(f"user {username.lower()}", None)

    def _wait(self, key: str, allowed: int) -> float:
        times = self._failures.get(key)
        if times is None or len(times) < allowed:
            return 0.0
        return max(0.0, times[-allowed] + WINDOW_S - self._clock.monotonic_s())
