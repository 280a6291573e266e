"""One context of the Cartesia stand-in: when text is released, how its audio is paced, when the context dies."""

from __future__ import annotations

import asyncio
import base64
import re
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from moonwire.core.audio.frames import SAMPLE_RATE_HZ
from moonwire.sandbox.cartesia.check import default_delay_ms
from moonwire.sandbox.cartesia.faults import CartesiaFaults
from moonwire.sandbox.cartesia.speech import AudioFormat, TimedWord, time_words
from moonwire.sandbox.voices import Speaker

EXPIRY_S = 1.0
_SENTENCE = re.compile(r".*[.!?。！？](?=\s|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the stand-in is."""

    first_chunk_s: float
    """From the release of a text to its first chunk."""
    rtf: float
    """Seconds of audio per second; 0 sends everything at once."""
    speaker: Speaker
    chunk_s: float = 0.15
    stray_chunks: int = 3
    """How many chunks still come when a running generation is cancelled."""


@dataclass(frozen=True, slots=True)
class _Release:
    text: str
    flush_id: int
    at_s: float


Send = Callable[[dict[str, Any]], Awaitable[None]]


class SimulatedContext:
    """Takes a context's inputs; `run` speaks them until the context is over."""

    def __init__(self, first: dict[str, Any], version: str, pace: Pace, faults: CartesiaFaults, send: Send) -> None:
        self.first = first
        self.id: str = first["context_id"]
        self._pace = pace
        self._faults = faults
        self._send = send
        self._format = AudioFormat.of(first["output_format"])
        self._delay_s = first.get("max_buffer_delay_ms", default_delay_ms(version)) / 1000
        self._stamps = bool(first.get("add_timestamps")) and not faults.no_timestamps
        self._loop = asyncio.get_running_loop()
        self._waiting = ""
        self._timer: asyncio.TimerHandle | None = None
        self._released: deque[_Release] = deque()
        self._news = asyncio.Event()
        self._flushes = 0
        self._audio_s = 0.0
        self._spoken = False
        self._speaking = False
        self._ended = False
        self._chunks_left: int | None = None
        """How many chunks a cancel still lets through."""

    def take(self, request: dict[str, Any]) -> None:
        """Take an input: buffer its text and release what the buffer rule lets go."""
        self._waiting += request.get("transcript", "")
        self._ended = not request.get("continue", False)
        if self._ended or request.get("flush") or self._delay_s == 0:
            asked = bool(request.get("flush"))
            self._release(len(self._waiting), flushed=asked or (self._delay_s == 0 and bool(self._waiting)))
        else:
            whole = _SENTENCE.match(self._waiting)
            if whole:
                self._release(whole.end(), flushed=False)
            if self._waiting.strip() and self._timer is None:
                self._timer = self._loop.call_later(self._delay_s, self._release_late)
        self._news.set()

    def cancel(self) -> None:
        """Stop what has not begun; let a running generation go on for a few chunks."""
        self._ended = True
        self._waiting = ""
        self._released.clear()
        self._chunks_left = self._pace.stray_chunks if self._speaking else 0
        self._news.set()

    async def run(self) -> None:
        """Speak until done, cancelled or expired."""
        try:
            while True:
                while self._released and self._chunks_left is None:
                    await self._speak(self._released.popleft())
                if self._ended:
                    break
                if not await self._hear_more():
                    return
            if (self._spoken or self._chunks_left is None) and not self._faults.no_done:
                await self._say("done", status=206, done=True)
        finally:
            if self._timer is not None:
                self._timer.cancel()

    async def _hear_more(self) -> bool:
        """Wait for input; False when the context expires first (only audio starts that clock)."""
        if self._released or self._ended:
            return True
        self._news.clear()
        limit_s = EXPIRY_S if self._spoken and self._timer is None else None
        try:
            async with asyncio.timeout(limit_s):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    def _release_late(self) -> None:
        self._timer = None
        self._release(len(self._waiting), flushed=False)
        self._news.set()

    def _release(self, count: int, *, flushed: bool) -> None:
        text, self._waiting = self._waiting[:count], self._waiting[count:]
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if flushed:
            self._flushes += 1
        if text or flushed:
            self._released.append(_Release(text, self._flushes if flushed else 0, self._loop.time()))

    async def _speak(self, release: _Release) -> None:
        ulaw = await self._pace.speaker.speak(release.text, self.first.get("language") or "en")
        if ulaw:
            await self._wait_until(release.at_s + self._pace.first_chunk_s)
            if self._chunks_left is not None:
                return
            self._speaking = True
            await self._stream(ulaw, release)
            self._speaking = False
        if release.flush_id and not self._faults.no_flush_done and self._chunks_left is None:
            await self._say("flush_done", status=206, flush_done=True, flush_id=release.flush_id)

    async def _stream(self, ulaw: bytes, release: _Release) -> None:
        clip_s = len(ulaw) / SAMPLE_RATE_HZ
        words = deque(time_words(release.text, clip_s))
        audio = self._format.convert(ulaw)
        sent_s = 0.0
        base_s, started_s = self._audio_s, self._loop.time()
        for chunk in self._cut(audio):
            if self._chunks_left is not None:
                if self._chunks_left <= 0:
                    return
                self._chunks_left -= 1
            chunk_s = len(chunk) / self._format.bytes_per_s
            await self._say_words(words, base_s, sent_s + chunk_s)
            data = base64.b64encode(chunk).decode()
            await self._say("chunk", status=206, step_time=41.2, flush_id=max(1, release.flush_id), data=data)
            self._spoken = True
            sent_s += chunk_s
            self._audio_s += chunk_s
            if self._pace.rtf:
                await self._wait_until(started_s + sent_s / self._pace.rtf)

    async def _say_words(self, words: deque[TimedWord], base_s: float, until_s: float) -> None:
        due: list[TimedWord] = []
        while words and words[0].start_s < until_s:
            due.append(words.popleft())
        if not due or not self._stamps:
            return
        await self._say(
            "timestamps",
            status=206,
            word_timestamps={
                "words": [word.text for word in due],
                "start": [round(base_s + word.start_s, 3) for word in due],
                "end": [round(base_s + word.end_s, 3) for word in due],
            },
        )

    def _cut(self, audio: bytes) -> list[bytes]:
        size = max(1, int(self._pace.chunk_s * self._format.bytes_per_s))
        if self._faults.odd_splits:
            size = size // 2 * 2 + 1
        elif self._format.encoding != "pcm_mulaw":
            size -= size % 4
        return [audio[at : at + size] for at in range(0, len(audio), size)]

    async def _wait_until(self, at_s: float) -> None:
        delay_s = at_s - self._loop.time()
        if delay_s > 0:
            await asyncio.sleep(delay_s)

    async def _say(self, kind: str, *, status: int, done: bool = False, **members: Any) -> None:
        await self._send(
            {"type": kind, "context_id": self.id, "status_code": status, "done": done, **members},
        )
