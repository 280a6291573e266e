"""Feeds the calls' audio to the arena: at once while calls are few, in ticks of 10 ms on one thread when they are many.

A push only cuts windows; the thread takes all that have gathered, runs them as batches, and wakes the event loop at
most once per tick, and only when somebody's voice began or ended.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from typing import Final

from moonwire.core.audio.frames import SAMPLE_RATE_HZ
from moonwire.ports.vad import VadListener, VadStream
from moonwire.vendors.vad.silero.arena import Arena
from moonwire.vendors.vad.silero.model import WINDOW_SAMPLES, SileroModel

TICK_S: Final = 0.010
FEW_CALLS: Final = 4
"""Up to so many calls a window is judged in its push, 0.2 ms each: no tick to wait for."""
OVERLOAD_TICK_S: Final = 0.020
_MAX_WAITING: Final = 8
"""Windows (256 ms) a call may lag behind before its oldest are dropped."""


@dataclass(frozen=True, slots=True)
class VadStats:
    """What the detector has done so far."""

    calls: int = 0
    ticks: int = 0
    windows: int = 0
    windows_run: int = 0
    """The others were gated out."""
    windows_dropped: int = 0
    """Given up because the detector lagged behind."""
    tick_s: float = 0.0
    """The last tick's duration."""
    longest_tick_s: float = 0.0
    batch: float = 0.0
    """Windows in the last tick."""
    queue_age_s: float = 0.0
    """How long the oldest window of the last tick had waited."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    stream: _Stream
    voice: bool
    at_samples: int


_Window = tuple["_Stream", bytes, int]
"""A call's 256 mu-law samples and the place of their end, in samples of that call."""


class SileroVad:
    """The process's voice detector.

    Args:
        threaded: False judges every window in its push, whatever the number of calls (virtual time, replays).
        few_calls: number of calls up to which windows are judged in the push.
        overload_tick_s: a tick that takes longer makes the gate close sooner.
    """

    def __init__(
        self, *, threaded: bool = True, few_calls: int = FEW_CALLS, overload_tick_s: float = OVERLOAD_TICK_S
    ) -> None:
        self._overload_tick_s = overload_tick_s
        self._threaded = threaded
        self._few_calls = few_calls
        self._arena = Arena(SileroModel())
        self._busy = threading.Lock()
        self._waiting: deque[_Window] = deque()
        self._work = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._free_slots: list[int] = []
        self._slots = 0
        self._calls = 0
        self._oldest_since_s = 0.0
        self._overload = False
        self._stats = VadStats()  # written under the lock only

    def start(self) -> None:
        """Start the thread; call on the event loop that shall hear the events."""
        if not self._threaded or self._thread is not None:
            return
        self._loop = asyncio.get_running_loop()
        self._stopping.clear()
        self._thread = threading.Thread(target=self._tick_forever, name="vad", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread; waits for its tick at most."""
        self._stopping.set()
        self._work.set()
        if self._thread is not None:
            self._thread.join(timeout=1.0)
            self._thread = None

    def open(self, listener: VadListener) -> VadStream:
        """Take a slot for a call."""
        if self._free_slots:
            slot = heappop(self._free_slots)
        else:
            slot = self._slots
            self._slots += 1
        self._calls += 1
        return _Stream(slot, listener, self._take, self._release)

    def stats(self) -> VadStats:
        """Return what has been done so far."""
        return replace(self._stats, calls=self._calls)

    def _take(self, window: _Window) -> None:
        """Judge a window now, or leave it to the next tick."""
        inline = self._thread is None or (self._calls <= self._few_calls and not self._waiting)
        if inline and self._busy.acquire(blocking=False):
            try:
                verdicts = self._judge([window])
            finally:
                self._busy.release()
            self._tell(verdicts)
            return
        if not self._waiting:
            self._oldest_since_s = time.perf_counter()
        self._waiting.append(window)
        self._work.set()

    def _release(self, slot: int) -> None:
        heappush(self._free_slots, slot)
        self._calls -= 1

    def _tell(self, verdicts: list[_Verdict]) -> None:
        for verdict in verdicts:
            verdict.stream.tell(verdict.voice, verdict.at_samples)

    def _tick_forever(self) -> None:
        while True:
            self._work.wait()
            self._stopping.wait(TICK_S)
            self._work.clear()
            if self._stopping.is_set():
                return
            with self._busy:
                verdicts = self._tick()
            if verdicts and self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._tell, verdicts)

    def _tick(self) -> list[_Verdict]:
        began_s = time.perf_counter()
        age_s = began_s - self._oldest_since_s
        taken = [self._waiting.popleft() for _ in range(len(self._waiting))]
        verdicts: list[_Verdict] = []
        for batch in self._rounds(taken):
            verdicts += self._judge(batch)
        tick_s = time.perf_counter() - began_s
        self._overload = tick_s > self._overload_tick_s
        self._stats = replace(
            self._stats,
            ticks=self._stats.ticks + 1,
            tick_s=tick_s,
            longest_tick_s=max(self._stats.longest_tick_s, tick_s),
            batch=float(len(taken)),
            queue_age_s=age_s,
        )
        return verdicts

    def _rounds(self, windows: list[_Window]) -> list[list[_Window]]:
        """Split windows into batches with one window per call each, in order; what lags too far behind is dropped."""
        by_stream: dict[int, list[_Window]] = {}
        for window in windows:
            by_stream.setdefault(id(window[0]), []).append(window)
        kept = [queue[-_MAX_WAITING:] for queue in by_stream.values()]
        dropped = len(windows) - sum(map(len, kept))
        if dropped:
            self._stats = replace(self._stats, windows_dropped=self._stats.windows_dropped + dropped)
        longest = max(map(len, kept), default=0)
        return [[queue[i] for queue in kept if i < len(queue)] for i in range(longest)]

    def _judge(self, batch: list[_Window]) -> list[_Verdict]:
        batch = [window for window in batch if not window[0].closed]
        if not batch:
            return []
        for stream, _, _ in batch:
            # A slot is cleared with its call's first window, not at `open`: a tick may still be writing its last state.
            if stream.fresh:
                self._arena.clear(stream.slot)
                stream.fresh = False
        slots = [stream.slot for stream, _, _ in batch]
        changes, run = self._arena.run(slots, [audio for _, audio, _ in batch], overload=self._overload)
        stats = self._stats
        self._stats = replace(stats, windows=stats.windows + len(batch), windows_run=stats.windows_run + run)
        verdicts: list[_Verdict] = []
        for change in changes:
            stream, _, end_samples = batch[change.index]
            verdicts.append(_Verdict(stream, change.voice, end_samples - change.back_samples))
        return verdicts


class _Stream:
    """One call's detection."""

    __slots__ = (
        "_cut_samples",
        "_held",
        "_listener",
        "_pushed_samples",
        "_release",
        "_take",
        "closed",
        "fresh",
        "slot",
    )

    def __init__(
        self, slot: int, listener: VadListener, take: Callable[[_Window], None], release: Callable[[int], None]
    ) -> None:
        self._take = take
        self._release = release
        self._listener = listener
        self._held = b""
        self._cut_samples = 0
        self._pushed_samples = 0
        self.slot = slot
        self.fresh = True
        self.closed = False

    def push(self, frame: bytes) -> None:
        """Take 20 ms of mu-law; never blocks."""
        if self.closed:
            return
        self._pushed_samples += len(frame)
        held = self._held + frame
        while len(held) >= WINDOW_SAMPLES:
            window, held = held[:WINDOW_SAMPLES], held[WINDOW_SAMPLES:]
            self._cut_samples += WINDOW_SAMPLES
            self._take((self, window, self._cut_samples))
        self._held = held

    def close(self) -> None:
        """Release the slot; what the detector still finds out is dropped."""
        if not self.closed:
            self.closed = True
            self._release(self.slot)

    def tell(self, voice: bool, at_samples: int) -> None:
        """Report a change that happened at a sample of this call."""
        if self.closed:
            return
        ago_s = (self._pushed_samples - at_samples) / SAMPLE_RATE_HZ
        if voice:
            self._listener.on_voice_started(ago_s)
        else:
            self._listener.on_voice_ended(ago_s)
