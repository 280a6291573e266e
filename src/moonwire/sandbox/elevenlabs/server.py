"""Runs the ElevenLabs stand-in on loopback: handshakes, faults, records."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import uuid4

import msgspec
from aiohttp import web

from moonwire.sandbox.elevenlabs.faults import ElevenLabsFaults
from moonwire.sandbox.elevenlabs.session import Pace, Records, SimulatedSession
from moonwire.sandbox.voices import Speaker, VoiceKind

MODELS: Final = frozenset({"eleven_flash_v2_5", "eleven_turbo_v2_5", "eleven_multilingual_v2", "eleven_flash_v2"})
_QUERY: Final = frozenset(
    [
        "model_id",
        "output_format",
        "language_code",
        "auto_mode",
        "inactivity_timeout",
        "sync_alignment",
        "enable_ssml_parsing",
        "enable_logging",
        "apply_text_normalization",
        "apply_language_text_normalization",
    ]
)


class ElevenLabsSimulator:
    """A vendor on loopback; all public methods belong to its event loop.

    Args:
        keys: good API keys; None accepts any.
        first_chunk_s: from a text to its first chunk.
        rtf: seconds of audio per second; 0 sends everything at once.
        voice: who speaks.
    """

    def __init__(
        self,
        *,
        keys: Sequence[str] | None = None,
        first_chunk_s: float = 0.09,
        rtf: float = 8.0,
        voice: VoiceKind = "auto",
    ) -> None:
        self.faults = ElevenLabsFaults()
        self.records = Records()
        self._keys = None if keys is None else set(keys)
        self._pace = Pace(Speaker(voice), first_chunk_s, rtf)
        self._sessions: set[SimulatedSession] = set()
        self._activity = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen and return the base URL, `ws://host:port`."""
        app = web.Application()
        app.router.add_get("/v1/text-to-speech/{voice_id}/multi-stream-input", self._accept)
        app.router.add_route("*", "/__sim/faults", self._switch_faults)
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
        status = self._status(request)
        self.records.handshakes.append((request.path, dict(request.query), status))
        if status != 101:
            self._activity.set()
            body: dict[str, Any] = {"detail": {"status": "refused", "message": "refused"}}
            return web.json_response(body, status=status, headers={"X-Request-Id": str(uuid4())})
        socket = web.WebSocketResponse(compress=False, max_msg_size=1 << 20, timeout=1.0)
        await socket.prepare(request)
        number = len(self.records.handshakes) - 1
        session = SimulatedSession(
            number, socket, request, self._pace, lambda: self.faults, self.records, self._activity.set
        )
        self._sessions.add(session)
        self._activity.set()
        try:
            await session.serve()
        finally:
            self._sessions.discard(session)
            self._activity.set()
        return socket

    def _status(self, request: web.Request) -> int:
        faults = self.faults
        if faults.refuse_status is not None and faults.refuse_times != 0:
            if faults.refuse_times is not None:
                faults.refuse_times -= 1
            return faults.refuse_status
        key = request.headers.get("xi-api-key", "")
        if not key or (self._keys is not None and key not in self._keys):
            return 401
        query = request.query
        good = (
            set(query) <= _QUERY
            and query.get("model_id", "eleven_multilingual_v2") in MODELS
            and query.get("output_format") == "ulaw_8000"
            and 1 <= float(query.get("inactivity_timeout", 20)) <= 180
        )
        return 101 if good else 400

    async def _switch_faults(self, request: web.Request) -> web.Response:
        if request.method == "DELETE":
            self.faults = ElevenLabsFaults()
        elif request.method in {"POST", "PUT"}:
            try:
                self.faults = msgspec.json.decode(await request.read(), type=ElevenLabsFaults)
            except msgspec.MsgspecError as error:
                return web.json_response({"error": str(error)}, status=400)
        return web.Response(body=msgspec.json.encode(self.faults), content_type="application/json")
