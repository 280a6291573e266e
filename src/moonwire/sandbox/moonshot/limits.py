"""Enforces an organisation's limits as Moonshot does: concurrency, requests and tokens per minute, tokens per day.

Source: Moonshot's rate limit page (2026-07): tokens are the prompt plus the requested cap, counted before generation.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from moonwire.sandbox.moonshot.validation import Rejected

_MINUTE_S, _DAY_S = 60.0, 86_400.0


@dataclass(frozen=True, slots=True)
class Tier:
    """One tier's limits; None = unlimited."""

    concurrency: int | None = None
    rpm: int | None = None
    tpm: int | None = None
    tpd: int | None = None


UNLIMITED = Tier()
TIER_0 = Tier(1, 3, 500_000, 1_500_000)
TIER_1 = Tier(50, 200, 2_000_000)


class Meter:
    """One organisation's use."""

    def __init__(self, tier: Tier, account: str) -> None:
        self._tier = tier
        self._account = account
        self._requests: deque[float] = deque()
        self._tokens: deque[tuple[float, int]] = deque()
        self.running = 0
        """Answers being generated now."""

    def admit(self, now_s: float, tokens: int) -> None:
        """Count a request in; the caller lowers `running` when its answer has ended.

        Raises:
            Rejected: a limit is reached; refused requests are not counted.
        """
        tier = self._tier
        while self._requests and now_s - self._requests[0] >= _MINUTE_S:
            self._requests.popleft()
        while self._tokens and now_s - self._tokens[0][0] >= _DAY_S:
            self._tokens.popleft()
        if tier.concurrency is not None and self.running >= tier.concurrency:
            raise self._refused(f"max organization concurrency: {tier.concurrency}, please try again after 1 seconds")
        if tier.rpm is not None and len(self._requests) >= tier.rpm:
            wait = max(1, round(_MINUTE_S - (now_s - self._requests[0])))
            raise self._refused(f"max organization RPM: {tier.rpm}, please try again after {wait} seconds")
        minute = tokens + sum(count for at_s, count in self._tokens if now_s - at_s < _MINUTE_S)
        if tier.tpm is not None and minute > tier.tpm:
            raise self._refused(f"TPM rate limit, current:{minute}, limit:{tier.tpm}")
        day = tokens + sum(count for _, count in self._tokens)
        if tier.tpd is not None and day > tier.tpd:
            raise self._refused(f"TPD rate limit, current:{day}, limit:{tier.tpd}")
        self.running += 1
        if tier is not UNLIMITED:
            self._requests.append(now_s)
            self._tokens.append((now_s, tokens))

    def _refused(self, what: str) -> Rejected:
        return Rejected(f"Your account {self._account} request reached {what}", 429, "rate_limit_reached_error")
