from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest
from aiohttp import web

from moonwire.sandbox.virtual_time import (
    START_S,
    StuckLoopError,
    VirtualClock,
    VirtualTimeLoop,
    elapse,
    run_virtual,
    virtual_time,
)


@virtual_time
async def test_an_hour_passes_at_once() -> None:
    started, loop = time.monotonic(), asyncio.get_running_loop()
    await elapse(3600)
    assert loop.time() == pytest.approx(START_S + 3600)
    assert time.monotonic() - started < 1


@virtual_time
async def test_timers_fire_in_order_at_their_times() -> None:
    loop = asyncio.get_running_loop()
    fired: list[tuple[str, float]] = []
    done = asyncio.Event()
    loop.call_later(2.0, lambda: (fired.append(("b", loop.time())), done.set()))
    loop.call_later(0.5, lambda: fired.append(("a", loop.time())))
    await done.wait()
    assert [name for name, _ in fired] == ["a", "b"]
    assert [at for _, at in fired] == pytest.approx([START_S + 0.5, START_S + 2.0])


@virtual_time
async def test_timeouts_are_virtual() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(60):
            await asyncio.Event().wait()


@virtual_time
async def test_loopback_sockets_are_served_before_the_clock_jumps() -> None:
    async def answer(request: web.Request) -> web.Response:
        await elapse(0.25)
        return web.Response(text="served")

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    loop = asyncio.get_running_loop()
    before = loop.time()
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http,
        http.get(f"http://127.0.0.1:{port}/") as response,
    ):
        assert await response.text() == "served"
    assert loop.time() - before == pytest.approx(0.25, abs=0.01)
    await runner.cleanup()


@virtual_time
async def test_the_clock_stands_still_while_a_thread_works() -> None:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(1):
        assert await asyncio.to_thread(lambda: (time.sleep(0.05), "made")[1]) == "made"  # noqa: TID251
    assert loop.time() == pytest.approx(START_S)


@virtual_time
async def test_the_clock_port_follows_the_loop() -> None:
    clock = VirtualClock()
    monotonic, civil = clock.monotonic_s(), clock.utc_s()
    await elapse(90)
    assert clock.monotonic_s() - monotonic == pytest.approx(90)
    assert clock.utc_s() - civil == pytest.approx(90)


def test_waiting_for_what_cannot_come_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moonwire.sandbox.virtual_time.STUCK_LIMIT_S", 0.01)
    loop = VirtualTimeLoop()
    waiting = asyncio.Event().wait()
    with pytest.raises(StuckLoopError):
        loop.run_until_complete(waiting)
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


def test_run_virtual_returns_the_result() -> None:
    async def answer() -> int:
        await elapse(5)
        return 42

    assert run_virtual(answer()) == 42
