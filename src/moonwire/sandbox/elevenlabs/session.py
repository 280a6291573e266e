"""One client connection of the ElevenLabs stand-in: contexts, their limit, chunk-relative alignment, closing.

Source: https://elevenlabs.io/docs/api-reference/text-to-speech (multi-stream-input), read 2026-11-22.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, cast

import msgspec
from aiohttp import ClientError, WSMsgType, web

from moonwire.core.audio.frames import SAMPLE_RATE_HZ
from moonwire.sandbox.elevenlabs.faults import ElevenLabsFaults
from moonwire.sandbox.voices import Speaker

MAX_CONTEXTS: Final = 5
_CHUNK_BYTES: Final = 1600


@dataclass(slots=True)
class Received:
    """One message of a client."""

    at_s: float
    connection: int
    message: dict[str, Any]


@dataclass(slots=True)
class Records:
    """What the stand-in has seen."""

    handshakes: list[tuple[str, Mapping[str, str], int]] = field(
        default_factory=list[tuple[str, Mapping[str, str], int]]
    )
    """Path, query, status."""
    received: list[Received] = field(default_factory=list[Received])
    most_contexts: int = 0
    close_codes: list[int | None] = field(default_factory=list[int | None])

    def texts(self) -> list[str]:
        """Return what was to be spoken, in order."""
        return [str(one.message["text"]) for one in self.received if str(one.message.get("text", "")).strip()]


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the stand-in is."""

    speaker: Speaker
    first_chunk_s: float
    rtf: float
    """Seconds of audio per second; 0 sends everything at once."""


@dataclass(slots=True)
class _Context:
    id: str
    inbox: asyncio.Queue[str | None] = field(default_factory=lambda: asyncio.Queue[str | None](1000))
    waiting: str = ""
    cancelled: bool = False


class SimulatedSession:
    """Serves one socket until it ends."""

    def __init__(
        self,
        number: int,
        socket: web.WebSocketResponse,
        request: web.Request,
        pace: Pace,
        faults: Callable[[], ElevenLabsFaults],
        records: Records,
        on_activity: Callable[[], None],
    ) -> None:
        self._number = number
        self._socket = socket
        self._request = request
        self._pace = pace
        self._faults = faults
        self._records = records
        self._on_activity = on_activity
        self._auto = request.query.get("auto_mode") == "true"
        self._inactivity_s = float(request.query.get("inactivity_timeout", 20))
        self._contexts: dict[str, _Context] = {}
        self._used: set[str] = set()
        self._chunks = 0
        self._loop = asyncio.get_running_loop()

    def drop(self) -> None:
        """Cut TCP without a close frame."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def serve(self) -> None:
        """Read until the socket ends; contexts end with it."""
        reason = self._faults().close_at_once
        if reason is not None:
            await self._socket.close(code=1008, message=reason.encode())
            return
        running: set[asyncio.Task[None]] = set()
        async with asyncio.TaskGroup() as tasks:
            with suppress(ClientError, ConnectionError):
                await self._read(tasks, running)
            for task in running:
                task.cancel()
        self._records.close_codes.append(self._socket.close_code)

    async def _read(self, tasks: asyncio.TaskGroup, running: set[asyncio.Task[None]]) -> None:
        while True:
            try:
                async with asyncio.timeout(self._inactivity_s):
                    received = await self._socket.receive()
            except TimeoutError:
                await self._socket.close(code=1000, message=b"input_timeout_exceeded")
                return
            if received.type is not WSMsgType.TEXT:
                return
            context = await self._take(received.data)
            self._on_activity()
            if self._socket.closed:
                return
            if context is not None:
                task = tasks.create_task(self._speak(context))
                running.add(task)
                task.add_done_callback(running.discard)

    async def _take(self, text: str) -> _Context | None:
        """Take one message; returns a context that has to be started."""
        try:
            message: object = msgspec.json.decode(text)
        except msgspec.DecodeError:
            message = None
        if not isinstance(message, dict):
            await self._policy("Invalid message")
            return None
        members = cast("dict[str, Any]", message)
        self._records.received.append(Received(self._loop.time(), self._number, members))
        if members.get("close_socket"):
            await self._socket.close(code=1000)
            return None
        context_id = members.get("context_id")
        if context_id is None:
            if members.get("text") != "":
                await self._policy("context_id is required")
            return None
        if self._faults().drop_after_chunks == 0 and str(members.get("text", "")).strip() and self._use_up_drop():
            self.drop()
            return None
        context = self._contexts.get(context_id)
        return await self._open(context_id, members) if context is None else self._feed(context, members)

    async def _open(self, context_id: str, message: dict[str, Any]) -> _Context | None:
        if message.get("close_context"):
            return None
        if message.get("text") != " " or context_id in self._used:
            await self._policy("The first message of a context must have a single space as text")
            return None
        if len(self._contexts) >= MAX_CONTEXTS:
            await self._policy(f"Maximum simultaneous contexts exceeded ({MAX_CONTEXTS})")
            return None
        self._used.add(context_id)
        context = self._contexts[context_id] = _Context(context_id)
        self._records.most_contexts = max(self._records.most_contexts, len(self._contexts))
        return context

    def _feed(self, context: _Context, message: dict[str, Any]) -> None:
        context.waiting += str(message.get("text", ""))
        if message.get("close_context"):
            context.waiting = ""  # a rest that was not flushed is dropped
            context.inbox.put_nowait(None)
        elif context.waiting.strip() and (self._auto or message.get("flush")):
            context.inbox.put_nowait(context.waiting)
            context.waiting = ""

    async def _speak(self, context: _Context) -> None:
        with suppress(ClientError, ConnectionError):
            while (text := await context.inbox.get()) is not None:
                error = self._faults().error
                if error is not None:
                    self._faults().error = None
                    await self._send({"error": error, "message": f"cannot speak: {error}", "code": 1008})
                    await self._socket.close(code=1008, message=error.encode())
                    return
                await self._stream(context, text)
            del self._contexts[context.id]
            if not self._faults().no_final:
                await self._send({"isFinal": True, "contextId": context.id})
        self._contexts.pop(context.id, None)

    async def _stream(self, context: _Context, text: str) -> None:
        audio = await self._pace.speaker.speak(text, self._request.query.get("language_code", "en"))
        await asyncio.sleep(self._pace.first_chunk_s)
        step_ms = 1000 * len(audio) / SAMPLE_RATE_HZ / max(1, len(text))
        given = 0
        started_s = self._loop.time()
        for at in range(0, len(audio), _CHUNK_BYTES):
            chunk = audio[at : at + _CHUNK_BYTES]
            until = len(text) if at + len(chunk) == len(audio) else round(len(text) * (at + len(chunk)) / len(audio))
            base_ms = 1000 * at / SAMPLE_RATE_HZ
            alignment = {
                "chars": list(text[given:until]),
                "charStartTimesMs": [max(0.0, i * step_ms - base_ms) for i in range(given, until)],
                "charDurationsMs": [step_ms] * (until - given),
            }
            given = until
            await self._send(
                {
                    "audio": base64.b64encode(chunk).decode(),
                    "contextId": context.id,
                    "alignment": None if self._faults().no_alignment else alignment,
                    "normalizedAlignment": None,
                }
            )
            if self._pace.rtf:
                due_s = started_s + (at + len(chunk)) / SAMPLE_RATE_HZ / self._pace.rtf
                await asyncio.sleep(max(0.0, due_s - self._loop.time()))

    async def _send(self, message: dict[str, Any]) -> None:
        faults = self._faults()
        if faults.stall:
            return
        is_chunk = "audio" in message
        limit = faults.drop_after_chunks
        if is_chunk and limit is not None and self._chunks >= limit and self._use_up_drop():
            self.drop()
            return
        self._chunks += is_chunk
        if faults.unknown_types:
            await self._socket.send_str('{"type":"weather","rain":[1,2]}')
        if faults.malformed:
            await self._socket.send_str("[1,2]")
            await self._socket.send_str('{"audio":')
        if faults.snake_case:
            message = _snake(message)
        await self._socket.send_str(msgspec.json.encode(message).decode())

    async def _policy(self, why: str) -> None:
        await self._socket.send_str(
            msgspec.json.encode({"error": "policy_violation", "message": why, "code": 1008}).decode()
        )
        await self._socket.close(code=1008, message=why.encode()[:120])

    def _use_up_drop(self) -> bool:
        faults = self._faults()
        if faults.drop_times == 0:
            return False
        if faults.drop_times is not None:
            faults.drop_times -= 1
        return True


def _snake(message: dict[str, Any]) -> dict[str, Any]:
    names = {"contextId": "context_id", "isFinal": "is_final"}
    renamed = {names.get(name, name): value for name, value in message.items()}
    alignment = renamed.get("alignment")
    if isinstance(alignment, dict):
        places = cast("dict[str, Any]", alignment)
        renamed["alignment"] = {
            "chars": places["chars"],
            "charsStartTimesMs": places["charStartTimesMs"],
            "charsDurationsMs": places["charDurationsMs"],
        }
    return renamed
