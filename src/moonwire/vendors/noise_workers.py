"""Runs noise suppression: cheap engines at once, dear ones in a few threads that serve eight streams each.

The threads are an exception to plain calls per frame (docs/adr/0009): a millisecond of native code per frame and call
must not hold up the other calls. A frame costs one queue entry; finished ones are handed over together.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Final, Protocol

import structlog

from moonwire.ports.noise import NoiseListener

log = structlog.get_logger()

STREAMS_PER_THREAD: Final = 8


class Suppressor(Protocol):
    """One stream's engine; called by one thread at a time."""

    def clean(self, frame: bytes) -> bytes:
        """Return 20 ms of mu-law without its noise."""
        ...

    def close(self) -> None:
        """Free what Python does not."""
        ...


@dataclass(slots=True)
class NoiseStats:
    """What noise suppression has done so far, in the whole process."""

    streams: int = 0
    """Open now."""
    frames: int = 0
    cpu_s: float = 0.0
    failures: int = 0
    """Streams whose engine gave up."""

    def worked(self, stream: InlineStream | WorkerStream, cpu_s: float) -> None:
        """Count a frame."""
        stream.frames += 1
        stream.cpu_s += cpu_s
        self.frames += 1
        self.cpu_s += cpu_s


class InlineStream:
    """Implements ports.noise.NoiseStream with an engine that answers at once."""

    def __init__(
        self, suppressor: Suppressor, listener: NoiseListener, stats: NoiseStats, engine: str, substituted: str
    ) -> None:
        self.engine, self.substituted = engine, substituted
        self.frames, self.cpu_s = 0, 0.0
        self._suppressor = suppressor
        self._listener = listener
        self._stats = stats
        stats.streams += 1

    def push(self, frame: bytes) -> None:
        """Clean a frame."""
        began = time.perf_counter()
        clean = self._suppressor.clean(frame)
        self._stats.worked(self, time.perf_counter() - began)
        self._listener.on_clean(clean)

    def close(self) -> None:
        """Let go."""
        self._stats.streams -= 1
        self._suppressor.close()


class WorkerStream:
    """Implements ports.noise.NoiseStream with an engine in a worker thread."""

    def __init__(self, worker: _Worker, make: Callable[[], Suppressor], listener: NoiseListener, engine: str) -> None:
        self.engine, self.substituted = engine, ""
        self.frames, self.cpu_s = 0, 0.0
        self.listener: NoiseListener | None = listener
        self._worker = worker
        self._make = make
        self._suppressor: Suppressor | None = None
        self._broken = False

    def push(self, frame: bytes) -> None:
        """Hand a frame to the worker."""
        self._worker.jobs.put((self, frame))

    def close(self) -> None:
        """Want no more results."""
        if self.listener is not None:
            self.listener = None
            self._worker.leave()
            self._worker.jobs.put((self, None))

    def work(self, frame: bytes) -> bytes | None:
        """Clean a frame, in the worker's thread; None when the engine cannot."""
        if self._broken or self.listener is None:
            return None
        try:
            if self._suppressor is None:
                self._suppressor = self._make()
            return self._suppressor.clean(frame)
        except Exception:  # vendor boundary: a broken engine must not silence callers
            log.exception("noise suppression failed", engine=self.engine)
            self._broken = True
            return None

    def free(self) -> None:
        """Free the engine, in the worker's thread."""
        if self._suppressor is not None:
            self._suppressor.close()
            self._suppressor = None


class _Worker:
    """One thread and the streams it serves."""

    def __init__(self, loop: asyncio.AbstractEventLoop, stats: NoiseStats) -> None:
        self.streams = 0
        self.jobs: SimpleQueue[tuple[WorkerStream, bytes | None] | None] = SimpleQueue()
        self._loop = loop
        self._stats = stats
        self._done: deque[tuple[WorkerStream, bytes | None]] = deque()
        self._told = False
        self._thread = threading.Thread(target=self._run, name="noise", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Count one more stream."""
        self.streams += 1
        self._stats.streams += 1

    def leave(self) -> None:
        """Count one stream less."""
        self.streams -= 1
        self._stats.streams -= 1

    def stop(self) -> None:
        """End the thread once it has done what is queued."""
        self.jobs.put(None)
        self._thread.join(timeout=2)

    def _run(self) -> None:
        while (job := self.jobs.get()) is not None:
            stream, frame = job
            if frame is None:
                stream.free()
                continue
            began = time.thread_time()
            self._done.append((stream, stream.work(frame)))
            self._stats.worked(stream, time.thread_time() - began)
            if not self._told:
                self._told = True
                try:
                    self._loop.call_soon_threadsafe(self._deliver)
                except RuntimeError:  # the loop is closed
                    return

    def _deliver(self) -> None:
        self._told = False
        while self._done:
            stream, frame = self._done.popleft()
            if stream.listener is None:
                continue
            if frame is not None:
                stream.listener.on_clean(frame)
            else:
                self._stats.failures += 1
                stream.listener.on_noise_failed("the engine failed")


class NoiseWorkers:
    """All threads of a process; started when they are needed."""

    def __init__(self, stats: NoiseStats, threads: int) -> None:
        self._stats = stats
        self._threads = threads
        self._workers: list[_Worker] = []

    def open(self, make: Callable[[], Suppressor], listener: NoiseListener, engine: str) -> WorkerStream | None:
        """Begin a stream in the least busy thread; None when all have as many as they can do."""
        worker = min(self._workers, key=lambda one: one.streams, default=None)
        if worker is None or worker.streams >= STREAMS_PER_THREAD:
            if len(self._workers) >= self._threads:
                return None
            worker = _Worker(asyncio.get_running_loop(), self._stats)
            self._workers.append(worker)
        worker.join()
        return WorkerStream(worker, make, listener, engine)

    def close(self) -> None:
        """End the threads."""
        for worker in self._workers:
            worker.stop()
        self._workers.clear()
