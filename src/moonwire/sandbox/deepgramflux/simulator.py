"""Runs Deepgram Flux's listen v2 socket on loopback, alone or beside the other simulated Deepgram products."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import msgspec
from aiohttp import web

from moonwire.sandbox.deepgram.fingerprint import KnownPhrases
from moonwire.sandbox.deepgram.handshake import Refusal, key_of
from moonwire.sandbox.deepgram.hearing import FirstThatKnows, Hearing, Plausible, Script, Utterance
from moonwire.sandbox.deepgram.records import ConnectionRecord
from moonwire.sandbox.deepgramflux.faults import FluxFaults
from moonwire.sandbox.deepgramflux.handshake import judge
from moonwire.sandbox.deepgramflux.session import FluxSession
from moonwire.sandbox.voices.phrasebook import load_phrasebook

_REFUSALS: Mapping[int, tuple[str, str]] = {
    401: ("INVALID_AUTH", "Invalid credentials."),
    402: ("ASR_PAYMENT_REQUIRED", "Project does not have enough credits for an ASR request."),
    403: ("INSUFFICIENT_PERMISSIONS", "Project does not have access to the requested model."),
    429: ("TOO_MANY_REQUESTS", "Too many requests. Please try again later."),
}


class FluxSimulator:
    """A vendor on loopback; all public methods belong to its event loop.

    Args:
        keys: good API keys; None accepts any.
        hearing: what turns mean: texts in order, or a Hearing; None is known phrases, then plausible sentences.
        phrases: text to mu-law 8 kHz audio, for the default hearing; None is the shipped phrasebook.
        strict: refuse undocumented query parameters.
    """

    def __init__(
        self,
        *,
        keys: Sequence[str] | None = None,
        hearing: Hearing | Sequence[str | Utterance] | None = None,
        phrases: Mapping[str, bytes] | None = None,
        strict: bool = True,
    ) -> None:
        self.faults = FluxFaults()
        self.keys = None if keys is None else set(keys)
        self.connections: list[FluxSession] = []
        self.refusals: list[tuple[int, str]] = []
        """Status and query of refused upgrades."""
        self._phrases = phrases
        self._hearing = self._default() if hearing is None else _as_hearing(hearing)
        self._strict = strict
        self._activity = asyncio.Event()
        self._runner: web.AppRunner | None = None

    def mount(self, router: web.UrlDispatcher) -> None:
        """Serve this product on somebody's server."""
        router.add_get("/v2/listen", self._listen)
        router.add_post("/__sim/flux/faults", self._post_faults)

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

    @property
    def records(self) -> list[ConnectionRecord]:
        """One record per accepted connection, in order."""
        return [session.record for session in self.connections]

    def set_faults(self, **switches: Any) -> None:
        """Change switches; those that end a connection apply to open ones from now on."""
        self.faults = replace(self.faults, **switches)
        for session in self.connections:
            if session.record.close_code is None:
                session.apply_faults()

    def set_hearing(self, hearing: Hearing | Sequence[str | Utterance] | None) -> None:
        """Change what the next turns mean; None is the default."""
        self._hearing = self._default() if hearing is None else _as_hearing(hearing)

    def drop_connections(self) -> None:
        """Cut all connections without a close frame."""
        for session in self.connections:
            session.drop()

    async def until(self, predicate: Callable[[], bool], within_s: float = 5.0) -> None:
        """Wait until a condition on connections and records holds.

        Raises:
            TimeoutError: it did not within the time.
        """
        async with asyncio.timeout(within_s):
            while not predicate():
                self._activity.clear()
                await self._activity.wait()

    def _default(self) -> Hearing:
        phrases = load_phrasebook() if self._phrases is None else self._phrases
        return FirstThatKnows(KnownPhrases(phrases), Plausible())

    async def _listen(self, request: web.Request) -> web.StreamResponse:
        query = parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True)
        if self.faults.hang_handshake:
            self._activity.set()
            await asyncio.Event().wait()
        key = key_of(request.headers)
        request_id = str(uuid4())
        verdict = self._refusal_by_fault() or judge(query, key, self.keys, strict=self._strict)
        if isinstance(verdict, Refusal):
            self.refusals.append((verdict.status, request.rel_url.raw_query_string))
            self._activity.set()
            return web.json_response(
                {"err_code": verdict.code, "err_msg": verdict.text, "request_id": request_id},
                status=verdict.status,
                headers={"dg-error": verdict.text, "dg-request-id": request_id},
            )
        websocket = web.WebSocketResponse(compress=False, timeout=0.5, max_msg_size=1 << 20, autoping=False)
        websocket.headers["dg-request-id"] = request_id
        await websocket.prepare(request)
        record = ConnectionRecord(request_id, request.path, query, key or "", asyncio.get_running_loop().time())
        session = FluxSession(
            websocket, request, verdict, lambda: self._hearing, lambda: self.faults, record, self._activity.set
        )
        self.connections.append(session)
        self._activity.set()
        await session.run()
        return websocket

    def _refusal_by_fault(self) -> Refusal | None:
        status = self.faults.refuse_status
        if status is None or self.faults.refuse_times == 0:
            return None
        if self.faults.refuse_times is not None:
            self.faults = replace(self.faults, refuse_times=self.faults.refuse_times - 1)
        return Refusal(status, *_REFUSALS.get(status, ("INTERNAL_SERVER_ERROR", "Internal server error.")))

    async def _post_faults(self, request: web.Request) -> web.Response:
        """Change switches: a JSON object with names of FluxFaults; `drop: true` cuts all connections now."""
        try:
            switches = msgspec.json.decode(await request.read(), type=dict[str, Any])
            if switches.pop("drop", False):
                self.drop_connections()
            self.set_faults(**switches)
        except (TypeError, msgspec.DecodeError) as error:
            return web.json_response({"msg": str(error)}, status=400)
        return web.json_response(asdict(self.faults))


def _as_hearing(hearing: Hearing | Sequence[str | Utterance]) -> Hearing:
    return Script(hearing) if isinstance(hearing, list | tuple) else hearing  # pyright: ignore[reportReturnType]
