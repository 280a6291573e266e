"""A blocked loop shows as lag."""

from __future__ import annotations

import asyncio
import time

from moonwire.observe.loop_lag import watch_loop_lag


class ProcessClock:
    def monotonic_s(self) -> float:
        return time.monotonic()

    def utc_s(self) -> float:
        return time.time()


async def test_lag_is_reported() -> None:
    reports: asyncio.Queue[float] = asyncio.Queue()
    task = asyncio.create_task(watch_loop_lag(ProcessClock(), reports.put_nowait, interval_s=0.01))
    await asyncio.wait_for(reports.get(), 5)
    end = time.monotonic() + 0.06
    while time.monotonic() < end:  # block the loop on purpose
        pass
    lag = await asyncio.wait_for(reports.get(), 5)
    assert 0.04 < lag < 2
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
