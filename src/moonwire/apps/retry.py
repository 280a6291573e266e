"""Decides whether a failed request to an application is tried again: the policy sits in the hook's URL fragment.

`https://app.example/hook#rc=3&rp=ct,5xx`: `rc` counts retries, `rp` names what is worth one: `ct` connection errors
(the default), `rt` response timeouts, `4xx`, `5xx`, `all`. Source: jambonz feature-server 0.9.8 and docs, 2026-11-22.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, urldefrag

Failure = Literal["ct", "rt", "4xx", "5xx"]
"""What went wrong: no connection, no response in time, or the status class of a response."""

MOST_RETRIES = 5


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, and after what."""

    retries: int
    on: frozenset[str] = frozenset({"ct"})

    def covers(self, failure: Failure) -> bool:
        """Whether this failure is worth another attempt."""
        return failure in self.on or "all" in self.on


def split_retry(url: str, *, default_retries: int) -> tuple[str, RetryPolicy]:
    """Part a hook's URL from the retry policy in its fragment; a fragment that cannot be read counts as none.

    Returns:
        The URL to be requested, without fragment, and the policy (at most 5 retries).
    """
    bare, fragment = urldefrag(url)
    members = parse_qs(fragment)
    count = members.get("rc", [""])[-1]
    retries = min(int(count), MOST_RETRIES) if count.isdecimal() and len(count) < 4 else default_retries
    words = frozenset(word.strip().lower() for word in members.get("rp", ["ct"])[-1].split(",") if word.strip())
    return bare, RetryPolicy(retries, words or frozenset({"ct"}))
