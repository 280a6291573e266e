"""One client connection of the Aura stand-in: text waits for Flush, audio has no id, Clear leaves stray frames.

Source: https://developers.deepgram.com/docs/tts-websocket, read 2026-11-22.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from aiohttp import ClientError, WSMsgType, web

from moonwire.core.audio.frames import SAMPLE_RATE_HZ
from moonwire.sandbox.voices import Speaker

MAX_FLUSHES: Final = 20
FLUSH_WINDOW_S: Final = 60.0
MAX_CHARS: Final = 2000
_FRAME_BYTES: Final = 800


class AuraFaults(msgspec.Struct, forbid_unknown_fields=True):
    """All switches; the defaults are a healthy service."""

    refuse_status: int | None = None
    """Answer new connections with this HTTP status."""
    refuse_times: int | None = None
    """Stop refusing after so many times."""
    drop_after_frames: int | None = None
    """Cut TCP without a close frame after so many frames of a connection; 0 cuts when text arrives."""
    drop_times: int | None = None
    """Stop cutting after so many times."""
    stall: bool = False
    """Stay open, send nothing."""
    stray_frames: int = 3
    """Frames that still come after Clear."""
    no_cleared: bool = False
    """Never answer Clear."""
    error: str | None = None
    """Answer the next Flush with an Error of this code."""
    unknown_types: bool = False
    """Send an unknown message before every one."""


@dataclass(slots=True)
class AuraRecords:
    """What the stand-in has seen."""

    handshakes: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    """Path with query, status."""
    received: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    warnings: list[str] = field(default_factory=list[str])

    def types(self) -> list[str]:
        """Return the types of all messages, in order."""
        return [str(message.get("type")) for message in self.received]


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the stand-in is."""

    speaker: Speaker
    first_frame_s: float
    rtf: float
    """Seconds of audio per second; 0 sends everything at once."""


class AuraSession:
    """Serves one socket until it ends."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        request: web.Request,
        pace: Pace,
        faults: Callable[[], AuraFaults],
        records: AuraRecords,
        on_activity: Callable[[], None],
    ) -> None:
        self._socket = socket
        self._request = request
        self._pace = pace
        self._faults = faults
        self._records = records
        self._on_activity = on_activity
        self._loop = asyncio.get_running_loop()
        self._waiting = ""
        self._jobs: asyncio.Queue[str | None] = asyncio.Queue(1000)
        self._flush_times_s: deque[float] = deque()
        self._flushed = self._cleared = self._frames = 0
        self._clears = 0
        """Clears that were received and not answered."""

    def drop(self) -> None:
        """Cut TCP without a close frame."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def serve(self, request_id: str) -> None:
        """Read until the socket ends."""
        await self._send({"type": "Metadata", "request_id": request_id, "model_name": "aura-2"})
        async with asyncio.TaskGroup() as tasks:
            speaking = tasks.create_task(self._speak())
            with suppress(ClientError, ConnectionError):
                async for message in self._socket:
                    if message.type is WSMsgType.TEXT:
                        await self._take(message.data)
                    else:
                        await self._socket.close(code=1003, message=b"MESSAGE-0000")
                    self._on_activity()
            speaking.cancel()

    async def _take(self, text: str) -> None:
        try:
            message = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.DecodeError:
            await self._socket.close(code=1008, message=b"DATA-0000")
            return
        self._records.received.append(message)
        match message.get("type"):
            case "Speak":
                await self._take_text(str(message.get("text", "")))
            case "Flush":
                await self._flush()
            case "Clear":
                self._waiting = ""
                self._clears += 1
                while not self._jobs.empty():
                    self._jobs.get_nowait()
                self._jobs.put_nowait(None)
            case "Close":
                await self._socket.close(code=1000)
            case _:
                await self._socket.close(code=1008, message=b"DATA-0000")

    async def _take_text(self, text: str) -> None:
        if self._faults().drop_after_frames == 0 and self._use_up_drop():
            self.drop()
        elif len(text) > MAX_CHARS:
            await self._socket.close(code=1009, message=b"BIG-0001")
        else:
            self._waiting += text

    async def _flush(self) -> None:
        now_s = self._loop.time()
        while self._flush_times_s and now_s - self._flush_times_s[0] > FLUSH_WINDOW_S:
            self._flush_times_s.popleft()
        if len(self._flush_times_s) >= MAX_FLUSHES:
            self._records.warnings.append("EXCESSIVE_FLUSH")
            description = "Exceeded the number of flushes in 60 seconds; ignored."
            await self._send({"type": "Warning", "code": "EXCESSIVE_FLUSH", "description": description})
            return
        self._flush_times_s.append(now_s)
        self._jobs.put_nowait(self._waiting)
        self._waiting = ""

    async def _speak(self) -> None:
        with suppress(ClientError, ConnectionError):
            while True:
                text = await self._jobs.get()
                if text is None:
                    self._clears -= 1
                    if not self._faults().no_cleared:
                        await self._send({"type": "Cleared", "sequence_id": self._cleared})
                        self._cleared += 1
                    continue
                error = self._faults().error
                if error is not None:
                    self._faults().error = None
                    await self._send({"type": "Error", "code": error, "description": "on purpose"})
                    continue
                if await self._stream(text):
                    await self._send({"type": "Flushed", "sequence_id": self._flushed})
                    self._flushed += 1

    async def _stream(self, text: str) -> bool:
        """Send a text's audio; False when it was cleared."""
        audio = await self._pace.speaker.speak(text, self._request.query.get("model", "en")[-2:])
        await asyncio.sleep(self._pace.first_frame_s)
        started_s = self._loop.time()
        stray = self._faults().stray_frames
        for at in range(0, len(audio), _FRAME_BYTES):
            if self._clears:
                stray -= 1
                if stray < 0:
                    return False
            limit = self._faults().drop_after_frames
            if limit is not None and self._frames >= limit and self._use_up_drop():
                self.drop()
                return False
            if not self._faults().stall:
                await self._socket.send_bytes(audio[at : at + _FRAME_BYTES])
            self._frames += 1
            if self._pace.rtf:
                due_s = started_s + (at + _FRAME_BYTES) / SAMPLE_RATE_HZ / self._pace.rtf
                await asyncio.sleep(max(0.0, due_s - self._loop.time()))
        return not self._clears

    async def _send(self, message: dict[str, Any]) -> None:
        if self._faults().stall:
            return
        if self._faults().unknown_types:
            await self._socket.send_str('{"type":"Telemetry","sequence_id":"x"}')
        await self._socket.send_str(msgspec.json.encode(message).decode())

    def _use_up_drop(self) -> bool:
        faults = self._faults()
        if faults.drop_times == 0:
            return False
        if faults.drop_times is not None:
            faults.drop_times -= 1
        return True
