"""One client connection of the Cartesia stand-in: reads inputs, keeps contexts, sends messages through the faults."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from aiohttp import ClientError, WSMsgType, web

from moonwire.sandbox.cartesia.check import NEWEST_VERSION, Complaint, check_request, varied_field
from moonwire.sandbox.cartesia.context import Pace, SimulatedContext
from moonwire.sandbox.cartesia.faults import CartesiaFaults
from moonwire.sandbox.cartesia.records import CartesiaRecords, Received

_BUSY = Complaint(429, "Too many concurrent requests", "the plan's concurrency limit is reached", "concurrency_limited")


@dataclass(frozen=True, slots=True)
class SessionRules:
    """What holds for all connections of a stand-in."""

    pace: Pace
    concurrency: int | None
    idle_s: float


@dataclass(frozen=True, slots=True)
class Client:
    """Who is connected."""

    socket: web.WebSocketResponse
    transport: asyncio.Transport | None
    version: str
    key: str


class SimulatedSession:
    """Serves one socket until it ends."""

    def __init__(self, records: CartesiaRecords, rules: SessionRules, client: Client) -> None:
        self.id = str(uuid.uuid4())
        self._records = records
        self._rules = rules
        self._client = client
        self._contexts: dict[str, SimulatedContext] = {}
        self._used_ids: set[str] = set()
        self._chunks = 0
        self._loop = asyncio.get_running_loop()

    @property
    def _faults(self) -> CartesiaFaults:
        return self._records.faults

    def drop(self) -> None:
        """Cut TCP without a close frame."""
        if self._client.transport is not None:
            self._client.transport.abort()

    async def serve(self) -> None:
        """Read until the socket ends; contexts end with it."""
        running: set[asyncio.Task[None]] = set()
        async with asyncio.TaskGroup() as tasks:
            if self._faults.close_after_s is not None:
                running.add(tasks.create_task(self._close_later(self._faults.close_after_s)))
            with suppress(ClientError, ConnectionError):
                await self._read(tasks, running)
            for task in running:
                task.cancel()

    async def _close_later(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        await self._client.socket.close(code=self._faults.close_code, message=self._faults.close_reason.encode())

    async def _read(self, tasks: asyncio.TaskGroup, running: set[asyncio.Task[None]]) -> None:
        while True:
            try:
                async with asyncio.timeout(self._rules.idle_s):  # pings, answered inside, do not count
                    received = await self._client.socket.receive()
            except TimeoutError:
                await self._client.socket.close(code=1000, message=b"connection idle timeout")
                return
            if received.type is not WSMsgType.TEXT:
                if received.type is WSMsgType.BINARY:
                    await self._complain(None, Complaint(400, "Invalid request", "binary messages are not accepted"))
                    continue
                return
            context = await self._take(received.data)
            if context is not None:
                task = tasks.create_task(self._run(context))
                running.add(task)
                task.add_done_callback(running.discard)

    async def _take(self, text: str) -> SimulatedContext | None:
        """Take one message; returns a context that has to be started."""
        request = _parse(text)
        if request is None:
            await self._complain(None, Complaint(400, "Invalid request", "the message is not a JSON object"))
            return None
        self._records.keep(Received(self._loop.time(), self.id, request))
        context_id = request.get("context_id")
        if not isinstance(context_id, str) or not context_id:
            await self._complain(None, Complaint(400, "Invalid request", "context_id is required"))
            return None
        if request.get("cancel"):
            if context_id in self._contexts:
                self._contexts[context_id].cancel()
            return None
        if self._faults.drop_tcp_after_chunks == 0 and self._use_up_drop():
            self.drop()
            return None
        complaint = self._complaint(context_id, request)
        if complaint is not None:
            await self._complain(context_id, complaint)
            return None
        return self._feed(context_id, request)

    def _feed(self, context_id: str, request: dict[str, Any]) -> SimulatedContext | None:
        context = self._contexts.get(context_id)
        if context is not None:
            context.take(request)
            return None
        context = SimulatedContext(request, self._client.version, self._rules.pace, self._faults, self._send)
        self._contexts[context_id] = context
        self._used_ids.add(context_id)
        self._records.open_contexts[self._client.key] += 1
        context.take(request)
        return context

    def _complaint(self, context_id: str, request: dict[str, Any]) -> Complaint | None:
        context = self._contexts.get(context_id)
        if context is None and context_id in self._used_ids:
            return Complaint(400, "Context closed", f"Context has closed: {context_id}")
        complaint = check_request(request, self._client.version)
        if complaint is not None:
            return complaint
        if context is not None:
            varied = varied_field(context.first, request)
            return Complaint(400, "Context closed", f"Context has closed: {varied} changed") if varied else None
        if self._faults.errors:
            event = self._faults.errors.pop(0)
            return Complaint(event.status, event.title, event.message, event.error_code, event.with_context_id)
        limit = self._rules.concurrency
        return _BUSY if limit is not None and self._records.open_contexts[self._client.key] >= limit else None

    async def _run(self, context: SimulatedContext) -> None:
        try:
            with suppress(ClientError, ConnectionError):
                await context.run()
        finally:
            self._contexts.pop(context.id, None)
            self._records.open_contexts[self._client.key] -= 1
            self._records.note()

    async def _complain(self, context_id: str | None, complaint: Complaint) -> None:
        members: dict[str, Any] = {"type": "error", "status_code": complaint.status, "done": True}
        if context_id is not None and complaint.names_context:
            members["context_id"] = context_id
        if self._client.version >= NEWEST_VERSION:
            members |= {
                "error_code": complaint.error_code,
                "title": complaint.title,
                "message": complaint.message,
                "request_id": str(uuid.uuid4()),
                "doc_url": "https://docs.cartesia.ai/api-reference/errors",
            }
        else:
            members["error"] = f"{complaint.title}: {complaint.message}"
        await self._send(members)

    async def _send(self, message: dict[str, Any]) -> None:
        faults = self._faults
        is_chunk = message["type"] == "chunk"
        if faults.stall or (faults.stall_after_chunks is not None and self._chunks >= faults.stall_after_chunks):
            return
        limit = faults.drop_tcp_after_chunks
        if is_chunk and limit is not None and self._chunks >= limit and self._use_up_drop():
            self.drop()
            return
        self._chunks += is_chunk
        if faults.unknown_types:
            await self._write({"type": "weather", "context_id": message.get("context_id"), "rain": [1, 2]})
        if faults.malformed and is_chunk:
            await self._client.socket.send_str('{"type":"chunk","data":')
            await self._client.socket.send_str("[1,2]")
        if faults.extra_fields:
            message = {**message, "region": {"name": "moon"}, "step_time": "41", "title": 7}
        await self._write(message)

    async def _write(self, message: dict[str, Any]) -> None:
        await self._client.socket.send_frame(msgspec.json.encode(message), WSMsgType.TEXT)

    def _use_up_drop(self) -> bool:
        if self._faults.drop_times == 0:
            return False
        if self._faults.drop_times is not None:
            self._faults.drop_times -= 1
        return True


def _parse(text: str) -> dict[str, Any] | None:
    try:
        request = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
    return cast(dict[str, Any], request) if isinstance(request, dict) else None
