"""A call's recording: the caller left, the agent right, mu-law in a WAV file, aligned on the media clock."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path

from moonwire.call.timeline import Timeline
from moonwire.core.audio.frames import FRAME_BYTES, FRAME_S, SAMPLE_RATE_HZ, SILENCE_BYTE

_FLUSH_FRAMES = 500
_HEADER_BYTES = 58


def wav_header(data_bytes: int) -> bytes:
    """Build the header of a stereo 8 kHz mu-law WAV file (format 7, RIFF; RFC 2361 appendix A).

    Args:
        data_bytes: length of the interleaved samples that follow.
    """
    fmt = struct.pack("<HHIIHHH", 7, 2, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ * 2, 2, 8, 0)
    fact = struct.pack("<4sII", b"fact", 4, data_bytes // 2)
    return (
        struct.pack("<4sI4s4sI", b"RIFF", _HEADER_BYTES - 8 + data_bytes, b"WAVE", b"fmt ", len(fmt))
        + fmt
        + fact
        + struct.pack("<4sI", b"data", data_bytes)
    )


class Recorder:
    """Collects both directions and writes them off the event loop, some seconds at a time."""

    def __init__(self, path: Path, timeline: Timeline) -> None:
        self.path = path
        self._timeline = timeline
        self._caller = bytearray()
        self._agent = bytearray()
        self._base_bytes = 0
        self._written = 0
        self._writing: asyncio.Future[None] | None = None

    def on_caller(self, frame: bytes) -> None:
        """Take 20 ms of the caller."""
        self._place(self._caller, frame)
        if len(self._caller) >= _FLUSH_FRAMES * FRAME_BYTES and self._writing is None:
            self._flush_some()

    def on_agent(self, frame: bytes) -> None:
        """Take 20 ms of the agent."""
        self._place(self._agent, frame)

    async def close(self) -> None:
        """Write the rest and the final header."""
        if self._writing is not None:
            await asyncio.wait([self._writing], timeout=5)
        length = max(len(self._caller), len(self._agent))
        block = self._take(length)
        await asyncio.to_thread(self._write, block, True)

    def _place(self, track: bytearray, frame: bytes) -> None:
        position = round(self._timeline.since_answer_s() / FRAME_S) * FRAME_BYTES - self._base_bytes
        gap = position - len(track)
        if gap > 2 * FRAME_BYTES:
            track += bytes([SILENCE_BYTE]) * gap
        track += frame

    def _take(self, length: int) -> bytes:
        block = bytearray([SILENCE_BYTE]) * (2 * length)
        caller, agent = bytes(self._caller[:length]), bytes(self._agent[:length])
        block[0 : 2 * len(caller) : 2] = caller
        block[1 : 2 * len(agent) : 2] = agent
        del self._caller[:length]
        del self._agent[:length]
        self._base_bytes += length
        return bytes(block)

    def _flush_some(self) -> None:
        length = min(len(self._caller), max(len(self._agent), len(self._caller) - 10 * FRAME_BYTES))
        block = self._take(length)
        loop = asyncio.get_running_loop()
        self._writing = loop.run_in_executor(None, self._write, block, False)
        self._writing.add_done_callback(self._on_written)

    def _on_written(self, future: asyncio.Future[None]) -> None:
        self._writing = None
        future.exception()

    def _write(self, block: bytes, last: bool) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        mode = "r+b" if self._written else "wb"
        with self.path.open(mode) as file:
            if not self._written:
                file.write(wav_header(0))
            file.seek(_HEADER_BYTES + self._written)
            file.write(block)
            self._written += len(block)
            if last:
                file.seek(0)
                file.write(wav_header(self._written))
