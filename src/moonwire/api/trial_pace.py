"""Keeps an account from testing credentials faster than one every few seconds: tests cost money and reach hosts.

Held in memory, bounded; a few tests may come at once, as people click.
"""

from __future__ import annotations

from collections import OrderedDict

from moonwire.api.errors import too_soon
from moonwire.ports.clock import Clock

EVERY_S = 3.0
AT_ONCE = 20
_REMEMBERED = 10_000


class TrialPace:
    """One bucket per account: `AT_ONCE` tests, one more every `EVERY_S`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._free_at: OrderedDict[str, float] = OrderedDict()
        """Account -> when its bucket will be full again."""

    def take(self, account_sid: str) -> None:
        """Count a test in.

        Raises:
            ApiError: 429, too many lately.
        """
        now_s = self._clock.monotonic_s()
        full_s = max(self._free_at.get(account_sid, now_s), now_s) + EVERY_S
        if full_s - now_s > AT_ONCE * EVERY_S:
            raise too_soon("Too many tests; wait some seconds.", EVERY_S)
        self._free_at[account_sid] = full_s
        self._free_at.move_to_end(account_sid)
        while len(self._free_at) > _REMEMBERED:
            self._free_at.popitem(last=False)
