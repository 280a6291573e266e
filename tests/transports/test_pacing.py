from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from moonwire.transports.pacing import Pacer, Ticket


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop the time of which jumps to the next timer; it is the clock as well."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 100.0
        self.wake_ups = 0

    def time(self) -> float:
        return self.now_s

    def monotonic_s(self) -> float:
        return self.now_s

    def utc_s(self) -> float:
        return self.now_s

    def _run_once(self) -> None:
        scheduled: list[Any] = self._scheduled  # type: ignore[attr-defined]
        while scheduled and scheduled[0]._cancelled:
            heapq.heappop(scheduled)._scheduled = False
        if not self._ready and scheduled:  # type: ignore[attr-defined]
            self.now_s = max(self.now_s, scheduled[0]._when)
            self.wake_ups += 1
        super()._run_once()  # type: ignore[misc]

    def run_for(self, duration_s: float) -> None:
        self.call_later(duration_s, self.stop)
        self.run_forever()


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    virtual = VirtualLoop()
    asyncio.set_event_loop(virtual)
    yield virtual
    asyncio.set_event_loop(None)
    virtual.close()


def ignore(_error: Exception) -> None:
    raise AssertionError("no error expected")


def in_loop(loop: VirtualLoop, action: Callable[[], Ticket]) -> Ticket:
    async def run() -> Ticket:
        return action()

    return loop.run_until_complete(run())


def test_ticks_every_20_ms_without_drift(loop: VirtualLoop) -> None:
    pacer = Pacer(loop)
    times: list[float] = []
    ticket = in_loop(loop, lambda: pacer.add(lambda: times.append(loop.now_s), ignore))
    loop.run_for(10.0)
    assert len(times) == 500
    assert all(abs(time - times[0] - index * 0.02) < 0.001 for index, time in enumerate(times))
    ticket.cancel()
    loop.run_for(1.0)
    assert len(times) == 500
    assert len(pacer) == 0


def test_members_are_spread_and_only_occupied_slots_wake(loop: VirtualLoop) -> None:
    pacer = Pacer(loop)
    counts = [0] * 40

    def tick(index: int) -> None:
        counts[index] += 1

    tickets = [in_loop(loop, lambda index=index: pacer.add(lambda: tick(index), ignore)) for index in range(40)]
    slots = [ticket.slot for ticket in tickets]
    assert all(slots.count(slot) == 2 for slot in range(20))
    for ticket in tickets[1:]:
        ticket.cancel()
    before = loop.wake_ups
    loop.run_for(2.0)
    assert counts[0] == 100
    assert loop.wake_ups - before <= 102


def test_a_failing_member_is_removed_alone(loop: VirtualLoop) -> None:
    pacer = Pacer(loop)
    ticks: list[int] = []
    errors: list[Exception] = []

    def fail() -> None:
        raise ValueError("broken call")

    def fail_twice(error: Exception) -> None:
        errors.append(error)
        raise error

    in_loop(loop, lambda: pacer.add(fail, errors.append))
    in_loop(loop, lambda: pacer.add(fail, fail_twice))
    in_loop(loop, lambda: pacer.add(lambda: ticks.append(1), ignore))
    loop.run_for(1.0)
    assert len(errors) == 2
    assert len(ticks) == 50
    assert len(pacer) == 1


def test_members_may_leave_and_join_in_a_tick(loop: VirtualLoop) -> None:
    pacer = Pacer(loop)
    joined: list[float] = []
    tickets: list[Ticket] = []

    def swap() -> None:
        tickets[0].cancel()
        tickets[0].cancel()
        pacer.add(lambda: joined.append(loop.now_s), ignore)

    tickets.append(in_loop(loop, lambda: pacer.add(swap, ignore)))
    loop.run_for(1.0)
    assert 48 <= len(joined) <= 50


def test_a_short_stall_is_caught_up_and_a_long_one_skipped(loop: VirtualLoop) -> None:
    pacer = Pacer(loop)
    times: list[float] = []
    in_loop(loop, lambda: pacer.add(lambda: times.append(loop.now_s), ignore))
    loop.run_for(1.0)
    assert len(times) == 50
    loop.now_s += 0.15
    loop.run_for(0.85)
    assert len(times) == 100
    assert pacer.skipped_ms == 0
    loop.now_s += 5.0
    loop.run_for(1.0)
    assert 150 <= len(times) <= 152
    assert pacer.skipped_ms >= 4900
