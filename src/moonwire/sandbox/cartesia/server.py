"""Serves the Cartesia stand-in on a real socket: handshake, refusals, and the switches over HTTP."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection

import msgspec
from aiohttp import web

from moonwire.sandbox.cartesia.check import Complaint, check_version, offered_key
from moonwire.sandbox.cartesia.context import Pace
from moonwire.sandbox.cartesia.faults import CartesiaFaults
from moonwire.sandbox.cartesia.records import CartesiaRecords, Handshake
from moonwire.sandbox.cartesia.session import Client, SessionRules, SimulatedSession
from moonwire.sandbox.voices import Speaker, VoiceKind

IDLE_S = 300.0


class CartesiaSimulator:
    """A Cartesia of one's own; faults and records may be used while it runs."""

    def __init__(
        self,
        *,
        keys: Collection[str] = ("sandbox-cartesia-key",),
        first_chunk_s: float = 0.09,
        rtf: float = 8.0,
        voice: VoiceKind = "auto",
        concurrency: int | None = None,
        stray_chunks: int = 3,
        idle_s: float = IDLE_S,
    ) -> None:
        """Set up a service.

        Args:
            keys: the API keys it accepts.
            first_chunk_s: from a text's release to its first audio.
            rtf: seconds of audio sent per second; 0 sends everything at once.
            voice: who speaks; `tone` is instant and needs no program.
            concurrency: how many contexts of a key may be open at once.
            stray_chunks: how many chunks still follow the cancel of a running generation.
            idle_s: after how long without a message a connection is closed.
        """
        self.records = CartesiaRecords()
        self._keys = frozenset(keys)
        pace = Pace(first_chunk_s, rtf, Speaker(voice), stray_chunks=stray_chunks)
        self._rules = SessionRules(pace, concurrency, idle_s)
        self._sessions: dict[str, SimulatedSession] = {}
        self._runner: web.AppRunner | None = None

    @property
    def faults(self) -> CartesiaFaults:
        """The switches in force; change members or put another set in place."""
        return self.records.faults

    @faults.setter
    def faults(self, faults: CartesiaFaults) -> None:
        self.records.faults = faults

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen and return the base URL."""
        app = web.Application()
        app.router.add_get("/{prefix:.*}tts/websocket", self._accept)
        app.router.add_route("*", "/__sim/faults", self._switch_faults)
        app.router.add_get("/__sim/records", self._show_records)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        bound = self._runner.addresses[0]
        return f"ws://{bound[0]}:{bound[1]}"

    async def stop(self) -> None:
        """Cut all connections and stop listening."""
        self.drop_all()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def drop_all(self) -> None:
        """Cut TCP of all clients without a close frame."""
        for session in list(self._sessions.values()):
            session.drop()

    async def _accept(self, request: web.Request) -> web.StreamResponse:
        if self.faults.hang_handshake:
            await asyncio.sleep(IDLE_S)
        version = check_version(request.headers, request.query)
        key = offered_key(request.headers, request.query)
        refusal = self._refusal(version, key)
        status = refusal.status if refusal is not None else 101
        self.records.keep(Handshake(request.path_qs, str(version), key, status))
        if refusal is not None or isinstance(version, Complaint):
            return refusal or web.Response(status=400)
        socket = web.WebSocketResponse(compress=False, max_msg_size=1 << 20, timeout=1.0)
        socket.headers["X-Request-Id"] = str(uuid.uuid4())
        await socket.prepare(request)
        session = SimulatedSession(self.records, self._rules, Client(socket, request.transport, version, key))
        self._sessions[session.id] = session
        self.records.open_sessions.append(session.id)
        self.records.note()
        try:
            await session.serve()
        finally:
            del self._sessions[session.id]
            self.records.open_sessions.remove(session.id)
            self.records.closed_sessions += 1
            self.records.note()
        return socket

    def _refusal(self, version: str | Complaint, key: str) -> web.Response | None:
        faults = self.faults
        if faults.refuse_status is not None and faults.refuse_times != 0:
            if faults.refuse_times is not None:
                faults.refuse_times -= 1
            return _refuse(faults.refuse_status, "refused on purpose")
        if faults.redirect_to is not None:
            return _refuse(307, "elsewhere", location=faults.redirect_to)
        if isinstance(version, Complaint):
            return _refuse(version.status, version.message)
        return None if key in self._keys else _refuse(401, "Invalid API key")

    async def _switch_faults(self, request: web.Request) -> web.Response:
        if request.method == "DELETE":
            self.faults = CartesiaFaults()
        elif request.method in {"POST", "PUT"}:
            try:
                self.faults = msgspec.json.decode(await request.read(), type=CartesiaFaults)
            except msgspec.MsgspecError as error:
                return web.json_response({"error": str(error)}, status=400)
        return web.Response(body=msgspec.json.encode(self.faults), content_type="application/json")

    async def _show_records(self, request: web.Request) -> web.Response:
        del request
        shown = {
            "handshakes": [{"path": item.path, "status": item.status} for item in self.records.handshakes],
            "received": self.records.received,
            "open_connections": len(self.records.open_sessions),
            "open_contexts": sum(self.records.open_contexts.values()),
        }
        return web.Response(body=msgspec.json.encode(shown), content_type="application/json")


def _refuse(status: int, why: str, *, location: str | None = None) -> web.Response:
    headers = {"X-Request-Id": str(uuid.uuid4())} | ({"Location": location} if location else {})
    return web.json_response({"error_code": None, "title": why, "message": why}, status=status, headers=headers)
