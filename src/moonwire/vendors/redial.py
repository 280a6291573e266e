"""Opens a vendor's connection with jittered backoff while another try can help and the caller can wait."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

import structlog

from moonwire.errors import VendorError

_log = structlog.get_logger()

Connection = TypeVar("Connection")


class RedialTimes(Protocol):
    """Limits in seconds."""

    @property
    def connect_s(self) -> float:
        """Of one try: DNS, TCP, TLS and upgrade."""
        ...

    @property
    def backoff_s(self) -> float:
        """First wait between two tries, doubled each time, with jitter."""
        ...

    @property
    def backoff_max_s(self) -> float:
        """Longest wait between two tries."""
        ...


async def redial(
    open_one: Callable[[float], Coroutine[Any, Any, Connection]], times: RedialTimes, vendor: str, *, within_s: float
) -> Connection:
    """Return an open connection.

    Args:
        open_one: opens one within so many seconds, or raises a VendorError.
        times: limits.
        vendor: for the log.
        within_s: for all tries together.

    Raises:
        VendorError: of the last try.
    """
    loop = asyncio.get_running_loop()
    give_up_at_s = loop.time() + within_s
    attempt, failure = 0, None
    while True:
        left_s = give_up_at_s - loop.time()
        if failure is not None and left_s < times.connect_s / 10:
            raise failure  # the loop was late: a try that cannot succeed would hide the reason
        try:
            return await open_one(min(times.connect_s, left_s))
        except VendorError as error:
            failure = error
        delay_s = max(backoff_s(times, attempt), failure.retry_after_s or 0.0)
        if not failure.retryable or loop.time() + delay_s + times.connect_s / 10 >= give_up_at_s:
            raise failure
        _log.info("stt connection failed, trying again", vendor=vendor, error=failure.code, status=failure.status)
        attempt += 1
        await asyncio.sleep(delay_s)


def backoff_s(times: RedialTimes, attempt: int) -> float:
    """Return the wait before try number `attempt + 1`."""
    return min(times.backoff_max_s, times.backoff_s * 2**attempt) * random.uniform(0.5, 1.0)
