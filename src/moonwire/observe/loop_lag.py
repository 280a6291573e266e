"""Measures how late the event loop runs: a short sleep that takes longer than asked means something blocked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from moonwire.ports.clock import Clock


async def watch_loop_lag(clock: Clock, report: Callable[[float], None], *, interval_s: float = 0.25) -> None:
    """Report the lag in seconds four times a second, until cancelled."""
    while True:
        before = clock.monotonic_s()
        await asyncio.sleep(interval_s)
        report(max(0.0, clock.monotonic_s() - before - interval_s))
