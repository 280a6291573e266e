"""Serves Deepgram's listen v1 on a local port, with faults, scripts and records for tests and the sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Protocol
from urllib.parse import parse_qsl
from uuid import uuid4

import msgspec
from aiohttp import web

from moonwire.sandbox.deepgram.faults import Faults
from moonwire.sandbox.deepgram.fingerprint import KnownPhrases
from moonwire.sandbox.deepgram.handshake import DECODED_ENCODINGS, ListenOptions, Refusal, judge, key_of
from moonwire.sandbox.deepgram.hearing import FirstThatKnows, Hearing, Plausible, Script, Utterance
from moonwire.sandbox.deepgram.records import ConnectionRecord, Pace
from moonwire.sandbox.deepgram.session import ListenSession
from moonwire.sandbox.deepgram.sphinx import PhraseRecognizer
from moonwire.sandbox.voices.phrasebook import load_phrasebook

_KEPT_CONNECTIONS = 200
"""Records of ended connections; older ones are forgotten, so that a sandbox may run for weeks."""
_REFUSALS: Mapping[int, tuple[str, str]] = {
    400: ("Bad Request", "Bad Request: No such model/language/tier combination found."),
    401: ("INVALID_AUTH", "Invalid credentials."),
    402: ("ASR_PAYMENT_REQUIRED", "Project does not have enough credits for an ASR request."),
    403: ("INSUFFICIENT_PERMISSIONS", "Project does not have access to the requested model."),
    429: ("TOO_MANY_REQUESTS", "Too many requests. Please try again later."),
}


class _ScriptBody(msgspec.Struct):
    utterances: list[str | Utterance] | None = None
    repeat: bool = False


class Neighbour(Protocol):
    """Another simulated product of the company."""

    def mount(self, router: web.UrlDispatcher) -> None:
        """Serve it on somebody's server."""
        ...

    def drop_connections(self) -> None:
        """Cut its connections."""
        ...


class DeepgramSimulator:
    """A vendor on loopback; all public methods belong to its event loop.

    Args:
        keys: good API keys; None accepts any.
        hearing: what bursts of speech mean: a list of texts (the n-th burst of each connection is the n-th text), or a
            Hearing. None: known phrases, the recogniser when it is installed, otherwise plausible sentences in turn.
        phrases: text to mu-law 8 kHz audio, for the default hearing; None is the shipped phrasebook.
        pace: latency and cadence.
        latency_s: shorthand for the pace's latency.
        strict: refuse undocumented query parameters.
        max_connections: concurrency limit of the project; 429 above.
        record_audio: keep every connection's audio in its record.
        neighbours: other products of the company, served on the same address.
    """

    def __init__(  # noqa: PLR0913 - every option of the vendor has a default
        self,
        *,
        keys: Sequence[str] | None = None,
        hearing: Hearing | Sequence[str | Utterance] | None = None,
        phrases: Mapping[str, bytes] | None = None,
        pace: Pace | None = None,
        latency_s: float = 0.0,
        strict: bool = True,
        max_connections: int | None = None,
        record_audio: bool = False,
        neighbours: Sequence[Neighbour] = (),
    ) -> None:
        self.faults = Faults()
        self.keys = None if keys is None else set(keys)
        self.connections: list[ListenSession] = []
        self.refusals: list[tuple[int, str]] = []
        """Status and query of refused upgrades."""
        self._phrases = phrases
        self._recogniser: PhraseRecognizer | None = None
        self._hearing = self._default_hearing() if hearing is None else _as_hearing(hearing)
        self._pace = pace or Pace(latency_s=latency_s)
        self._strict = strict
        self._max_connections = max_connections
        self._record_audio = record_audio
        self._neighbours = neighbours
        self._open = 0
        self._activity = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen and return the base URL, `ws://host:port`."""
        app = web.Application()
        app.router.add_get("/v1/listen", self._listen)
        app.router.add_post("/__sim/faults", self._post_faults)
        app.router.add_post("/__sim/script", self._post_script)
        app.router.add_get("/__sim/records", self._get_records)
        for neighbour in self._neighbours:
            neighbour.mount(app.router)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        bound_host, bound_port = self._runner.addresses[0][:2]
        return f"ws://{bound_host}:{bound_port}"

    async def stop(self) -> None:
        """Cut all connections and stop listening."""
        self.drop_connections()
        for neighbour in self._neighbours:
            neighbour.drop_connections()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self._recogniser is not None:
            await self._recogniser.stop()

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
        """Change what the next bursts mean; None is the default."""
        self._hearing = self._default_hearing() if hearing is None else _as_hearing(hearing)

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

    async def _listen(self, request: web.Request) -> web.StreamResponse:
        request_id = str(uuid4())
        query = parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True)
        if self.faults.hang_handshake:
            self._activity.set()
            await asyncio.Event().wait()
        key = key_of(request.headers)
        verdict = self._refusal_by_fault() or judge(query, key, self.keys, strict=self._strict)
        if isinstance(verdict, ListenOptions) and self._max_connections is not None:
            verdict = verdict if self._open < self._max_connections else Refusal(429, *_REFUSALS[429])
        if isinstance(verdict, ListenOptions) and verdict.encoding not in DECODED_ENCODINGS:
            verdict = Refusal(400, "Bad Request", f"This simulator cannot hear {verdict.encoding}")
        if isinstance(verdict, Refusal):
            return self._refuse(verdict, request, request_id)
        return await self._serve(
            request,
            verdict,
            ConnectionRecord(request_id, request.path, query, key or "", asyncio.get_running_loop().time()),
        )

    async def _serve(
        self, request: web.Request, options: ListenOptions, record: ConnectionRecord
    ) -> web.StreamResponse:
        websocket = web.WebSocketResponse(compress=False, timeout=0.5, max_msg_size=1 << 20)
        websocket.headers["dg-request-id"] = record.request_id
        offered = request.headers.get("Sec-WebSocket-Protocol", "")
        if offered:
            websocket.headers["Sec-WebSocket-Protocol"] = offered.partition(",")[0].strip()
        await websocket.prepare(request)
        session = ListenSession(
            websocket=websocket,
            request=request,
            options=options,
            hearing=lambda: self._hearing,
            faults=lambda: self.faults,
            pace=self._pace,
            record=record,
            on_activity=self._activity.set,
            keep_audio=self._record_audio,
        )
        self.connections.append(session)
        self._activity.set()
        self._open += 1
        try:
            await session.run()
        finally:
            self._open -= 1
            while len(self.connections) > _KEPT_CONNECTIONS and self.connections[0].record.close_code is not None:
                del self.connections[0]
        return websocket

    def _default_hearing(self) -> Hearing:
        phrases = load_phrasebook() if self._phrases is None else self._phrases
        hearings: list[Hearing] = [KnownPhrases(phrases)]
        if PhraseRecognizer.available():
            self._recogniser = self._recogniser or PhraseRecognizer(phrases)
            hearings.append(self._recogniser)
        return FirstThatKnows(*hearings, Plausible())

    def _refusal_by_fault(self) -> Refusal | None:
        status = self.faults.refuse_status
        if status is None or self.faults.refuse_times == 0:
            return None
        if self.faults.refuse_times is not None:
            self.faults = replace(self.faults, refuse_times=self.faults.refuse_times - 1)
        return Refusal(status, *_REFUSALS.get(status, ("INTERNAL_SERVER_ERROR", "Internal server error.")))

    def _refuse(self, refusal: Refusal, request: web.Request, request_id: str) -> web.Response:
        self.refusals.append((refusal.status, request.rel_url.raw_query_string))
        self._activity.set()
        return web.json_response(
            {"err_code": refusal.code, "err_msg": refusal.text, "request_id": request_id},
            status=refusal.status,
            headers={"dg-error": refusal.text, "dg-request-id": request_id},
        )

    async def _post_faults(self, request: web.Request) -> web.Response:
        """Change switches: a JSON object with names of Faults; `drop: true` cuts all connections now."""
        try:
            switches = msgspec.json.decode(await request.read(), type=dict[str, Any])
            if switches.pop("drop", False):
                self.drop_connections()
            self.set_faults(**switches)
        except (TypeError, msgspec.DecodeError) as error:
            return web.json_response({"msg": str(error)}, status=400)
        return web.json_response(asdict(self.faults))

    async def _post_script(self, request: web.Request) -> web.Response:
        """Change the hearing: `{"utterances": [text or object], "repeat": bool}`; null utterances are the default."""
        try:
            body = msgspec.json.decode(await request.read(), type=_ScriptBody)
        except msgspec.DecodeError as error:
            return web.json_response({"msg": str(error)}, status=400)
        self.set_hearing(None if body.utterances is None else Script(body.utterances, repeat=body.repeat))
        return web.json_response({})

    async def _get_records(self, request: web.Request) -> web.Response:
        records = [
            {
                "request_id": record.request_id,
                "query": record.query,
                "key": record.key,
                "opened_at_s": record.opened_at_s,
                "messages": record.messages,
                "audio_messages": record.audio_messages,
                "audio_bytes": record.audio_bytes,
                "sent": record.sent,
                "close_code": record.close_code,
            }
            for record in self.records
        ]
        return web.json_response({"connections": records, "refusals": self.refusals})


def _as_hearing(hearing: Hearing | Iterable[str | Utterance]) -> Hearing:
    return Script(hearing) if isinstance(hearing, list | tuple) else hearing  # pyright: ignore[reportReturnType]
