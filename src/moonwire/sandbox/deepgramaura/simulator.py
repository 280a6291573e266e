"""Runs the Aura stand-in on loopback, alone or beside the other simulated Deepgram products."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Final
from uuid import uuid4

import msgspec
from aiohttp import web

from moonwire.sandbox.deepgram.handshake import key_of
from moonwire.sandbox.deepgramaura.session import AuraFaults, AuraRecords, AuraSession, Pace
from moonwire.sandbox.voices import Speaker, VoiceKind

_QUERY: Final = frozenset({"model", "encoding", "sample_rate", "speed", "mip_opt_out"})
_VOICE: Final = re.compile(r"aura-(2-)?[a-z]+-[a-z]{2}")


class AuraSimulator:
    """A vendor on loopback; all public methods belong to its event loop.

    Args:
        keys: good API keys; None accepts any.
        first_frame_s: from a Flush to its first frame.
        rtf: seconds of audio per second; 0 sends everything at once.
        voice: who speaks.
    """

    def __init__(
        self,
        *,
        keys: Sequence[str] | None = None,
        first_frame_s: float = 0.09,
        rtf: float = 8.0,
        voice: VoiceKind = "auto",
    ) -> None:
        self.faults = AuraFaults()
        self.records = AuraRecords()
        self._keys = None if keys is None else set(keys)
        self._pace = Pace(Speaker(voice), first_frame_s, rtf)
        self._sessions: set[AuraSession] = set()
        self._activity = asyncio.Event()
        self._runner: web.AppRunner | None = None

    def mount(self, router: web.UrlDispatcher) -> None:
        """Serve this product on somebody's server."""
        router.add_get("/v1/speak", self._accept)
        router.add_route("*", "/__sim/aura/faults", self._switch_faults)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen and return the base URL, `ws://host:port`."""
        app = web.Application()
        self.mount(app.router)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        bound_host, bound_port = self._runner.addresses[0][:2]
        return f"ws://{bound_host}:{bound_port}"

    async def stop(self) -> None:
        """Cut all connections and stop listening."""
        self.drop_connections()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def drop_connections(self) -> None:
        """Cut all connections without a close frame."""
        for session in self._sessions:
            session.drop()

    async def until(self, predicate: Callable[[], object], within_s: float = 5.0) -> None:
        """Wait until a condition on the records holds.

        Raises:
            TimeoutError: it did not within the time.
        """
        async with asyncio.timeout(within_s):
            while not predicate():
                self._activity.clear()
                await self._activity.wait()

    async def _accept(self, request: web.Request) -> web.StreamResponse:
        request_id = str(uuid4())
        status, why = self._verdict(request)
        self.records.handshakes.append((request.path_qs, status))
        self._activity.set()
        if status != 101:
            headers = {"dg-error": why, "dg-request-id": request_id}
            return web.json_response({"err_msg": why, "request_id": request_id}, status=status, headers=headers)
        socket = web.WebSocketResponse(compress=False, max_msg_size=1 << 20, timeout=1.0)
        socket.headers["dg-request-id"] = request_id
        await socket.prepare(request)
        session = AuraSession(socket, request, self._pace, lambda: self.faults, self.records, self._activity.set)
        self._sessions.add(session)
        try:
            await session.serve(request_id)
        finally:
            self._sessions.discard(session)
            self._activity.set()
        return socket

    def _verdict(self, request: web.Request) -> tuple[int, str]:
        faults = self.faults
        if faults.refuse_status is not None and faults.refuse_times != 0:
            if faults.refuse_times is not None:
                faults.refuse_times -= 1
            return faults.refuse_status, "refused on purpose"
        key = key_of(request.headers)
        if not key or (self._keys is not None and key not in self._keys):
            return 401, "Invalid credentials."
        query = request.query
        if not set(query) <= _QUERY:
            return 400, f"Unknown query parameter: {', '.join(set(query) - _QUERY)}"
        if not _VOICE.fullmatch(query.get("model", "aura-asteria-en")):
            return 400, "No such model/version combination found."
        if (query.get("encoding"), query.get("sample_rate", "8000")) != ("mulaw", "8000"):
            return 400, "This simulator speaks mulaw at 8000 Hz only."
        return 101, ""

    async def _switch_faults(self, request: web.Request) -> web.Response:
        if request.method == "DELETE":
            self.faults = AuraFaults()
        elif request.method in {"POST", "PUT"}:
            try:
                self.faults = msgspec.json.decode(await request.read(), type=AuraFaults)
            except msgspec.MsgspecError as error:
                return web.json_response({"error": str(error)}, status=400)
        return web.Response(body=msgspec.json.encode(self.faults), content_type="application/json")
