"""An event loop whose clock jumps to the next timer when nothing is ready: hours of timers in milliseconds.

Real loopback sockets work: they are polled before each jump, and what one end has sent over loopback is readable at
the other end by then, as long as both ends live on this loop. While a thread works for the loop (`to_thread`,
`run_in_executor`) the clock stands still. Limits: child processes and sockets of other processes take real time, so
the clock may jump past them; `time.monotonic()` and friends stay real, so code must ask the loop or a `Clock`.
"""

from __future__ import annotations

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from typing import Any, ParamSpec, TypeVar, TypeVarTuple

START_S = 1000.0
"""The clock's first value; not zero, so that code which takes 0 for "never" shows."""
STUCK_LIMIT_S = 10.0
"""Real seconds without any event and any timer after which waiting on would be for ever."""
_UTC_AT_START_S = 1_795_000_000.0

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


class StuckLoopError(RuntimeError):
    """Nothing is ready, no timer is set, no thread works: the program waits for something that cannot come."""


class _JumpingSelector(selectors.BaseSelector):
    """Polls the real selector; where it would have to wait for a timer, moves the clock instead."""

    def __init__(self, advance: Callable[[float], None], threads_at_work: Callable[[], bool]) -> None:
        self._real = selectors.DefaultSelector()
        self._advance = advance
        self._threads_at_work = threads_at_work

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None or self._threads_at_work():
            ready = self._real.select(STUCK_LIMIT_S)
            if not ready and timeout is None:
                raise StuckLoopError("no timer is set and nothing has arrived: waiting for what cannot come")
            return ready
        self._advance(timeout)
        return []

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """The loop; its `time()` is virtual."""

    def __init__(self) -> None:
        self._now_s = START_S
        self._at_work = 0
        super().__init__(_JumpingSelector(self._advance, lambda: self._at_work > 0))

    def time(self) -> float:
        """Return virtual seconds."""
        return self._now_s

    def run_in_executor(self, executor: Executor | None, func: Callable[[*_Ts], _T], *args: *_Ts) -> asyncio.Future[_T]:
        """Run in a thread; the clock stands still until it is done."""
        future = super().run_in_executor(executor, func, *args)
        self._at_work += 1
        future.add_done_callback(self._work_done)
        return future

    def _advance(self, duration_s: float) -> None:
        self._now_s += duration_s

    def _work_done(self, future: asyncio.Future[Any]) -> None:
        del future
        self._at_work -= 1


class VirtualClock:
    """Implements ports.clock.Clock on a loop's time."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop or asyncio.get_running_loop()

    def monotonic_s(self) -> float:
        """Return the loop's seconds."""
        return self._loop.time()

    def utc_s(self) -> float:
        """Return a civil time that moves with the loop."""
        return _UTC_AT_START_S + self._loop.time() - START_S


async def elapse(duration_s: float) -> None:
    """Let virtual seconds pass; in real time a test has to wait for what it expects instead.

    Raises:
        RuntimeError: the running loop's time is real.
    """
    if not isinstance(asyncio.get_running_loop(), VirtualTimeLoop):
        raise RuntimeError("only virtual time can be let pass; wait for an event or a condition")
    await asyncio.sleep(duration_s)


def run_virtual(main: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine to its end on a virtual-time loop of its own."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


def virtual_time(test: Callable[_P, Coroutine[Any, Any, _T]]) -> Callable[_P, _T]:
    """Make a coroutine function a plain one that runs in virtual time; for tests, with synchronous fixtures only."""

    @functools.wraps(test)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        return run_virtual(test(*args, **kwargs))

    return run
