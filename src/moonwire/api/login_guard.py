"""Slows down guessing of passwords: after six failures a user name, after twenty an address waits.

Held in memory, bounded; a success forgives the user name. Unknown names are counted like known ones, so that the
answer does not tell which exist. A try counts before its password is looked at, so that many at once gain nothing.
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

    def try_again_s(self, username: str, address: str) -> float:
        """Count a try in and return 0, or return how long the next one has to wait."""
        keys = {_user(username): _USER_FAILURES, f"from {address}": _ADDRESS_FAILURES}
        if wait_s := max(self._wait(key, allowed) for key, allowed in keys.items()):
            return wait_s
        for key in keys:
            self._failures.setdefault(key, deque(maxlen=_ADDRESS_FAILURES)).append(self._clock.monotonic_s())
            self._failures.move_to_end(key)
        while len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)
        return 0.0

    def succeeded(self, username: str, address: str) -> None:
        """Forgive a user name, and the address this one try."""
        self._failures.pop(_user(username), None)
        if times := self._failures.get(f"from {address}"):
            times.pop()

    def _wait(self, key: str, allowed: int) -> float:
        times = self._failures.get(key)
        if times is None or len(times) < allowed:
            return 0.0
        return max(0.0, times[-allowed] + WINDOW_S - self._clock.monotonic_s())


def _user(username: str) -> str:
    return f"user {username.strip().lower()}"
