"""The simulated Moonshot on real sockets: two regions with disjoint keys, their endpoints, and switches for tests.

Nothing here is a mock of ours: the adapter cannot tell it from the vendor but by its address.
Source: Moonshot's OpenAPI document (2026-08), error page and captured answers, read 2026-11-22.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Literal, TypeVar, cast

import msgspec
from aiohttp import web

from moonwire.sandbox.moonshot.chat import ChatHandler, World, early_answer, refusal
from moonwire.sandbox.moonshot.faults import Fault, FaultBoard, Pacing, Wire
from moonwire.sandbox.moonshot.limits import Tier
from moonwire.sandbox.moonshot.records import RequestRecord, read_json
from moonwire.sandbox.moonshot.registry import TODAY, listing, registry
from moonwire.sandbox.moonshot.script import Lines, Script, ScriptedAnswer
from moonwire.sandbox.moonshot.tokens import estimate_tokens
from moonwire.sandbox.moonshot.validation import Rejected

Region = Literal["global", "china"]

SANDBOX_KEYS: Mapping[str, Sequence[str]] = {
    "global": ("sk-sandbox-global-0001",),
    "china": ("sk-sandbox-china-0001",),
}
"""Keys of a simulator that was given none."""

_KEPT_REQUESTS = 1000
_MAX_BODY_BYTES = 8 * 1024 * 1024
_NO_KEY = Rejected("Incorrect API key provided", 401, "incorrect_api_key_error")
_BAD_KEY = Rejected("Invalid Authentication", 401, "invalid_authentication_error")
_BALANCE = {"available_balance": 49.58894, "voucher_balance": 46.58893, "cash_balance": 3.00001}

_Kind = TypeVar("_Kind")
_Answer = Callable[[web.Request, RequestRecord, dict[str, str]], Awaitable[web.StreamResponse]]


class MoonshotSimulator:
    """Both regions of a simulated Moonshot; every switch may be changed while it runs."""

    def __init__(
        self,
        *,
        date: datetime.date = TODAY,
        keys: Mapping[str, Sequence[str]] = SANDBOX_KEYS,
        script: Script | None = None,
        pacing: Pacing | None = None,
        wire: Wire | None = None,
        tiers: Mapping[str, Tier] | None = None,
    ) -> None:
        """Prepare it; `start` opens the sockets.

        Args:
            date: decides which models live.
            keys: region -> accepted API keys.
            script: what the model says when no lines are queued; a receptionist by default.
            pacing: delays of the answers.
            wire: variant of the wire format.
            tiers: key -> limits; unlimited by default.
        """
        self._world = World(
            registry(date),
            wire=wire or Wire(),
            pacing=pacing or Pacing(),
            lines=Lines((), script),
            tiers=dict(tiers or {}),
        )
        self._keys = {region: frozenset(values) for region, values in keys.items()}
        self._runners: list[web.AppRunner] = []
        self._count = 0
        self._connections: dict[object, int] = {}

    @property
    def requests(self) -> list[RequestRecord]:
        """Everything that was asked, in order."""
        return self._world.requests

    @property
    def chats(self) -> list[RequestRecord]:
        """The chat requests among them."""
        return [record for record in self.requests if record.path.endswith("/chat/completions")]

    @property
    def faults(self) -> FaultBoard:
        """The faults that are on."""
        return self._world.faults

    @property
    def world(self) -> World:
        """Models, wire variant, pacing and lines, to be changed at will."""
        return self._world

    def accept(self, key: str, region: Region = "global") -> None:
        """Know one more API key."""
        self._keys[region] = self._keys.get(region, frozenset()) | {key}

    def say(self, *lines: ScriptedAnswer | str) -> None:
        """Queue the next answers."""
        self._world.lines.add(*lines)

    async def start(self, host: str = "127.0.0.1", port: int = 0, *, region: Region = "global") -> str:
        """Open one region's socket and return its Base URL; call once per region."""
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        chat = ChatHandler(self._world)
        routes: list[tuple[str, str, _Answer]] = [
            ("POST", "/v1/chat/completions", chat.answer),
            ("GET", "/v1/models", self._models),
            ("GET", "/v1/users/me/balance", self._balance),
            ("POST", "/v1/tokenizers/estimate-token-count", self._estimate),
        ]
        for method, path, answer in routes:
            app.router.add_route(method, path, self._endpoint(region, answer))
        app.router.add_route("*", "/__sim/{what}", self._switch)
        app.router.add_route("*", "/{path:.*}", _not_found)
        # A client that goes away cancels its handler: that is how the record learns of it at once.
        runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, host, port).start()
        bound = cast("tuple[str, int]", runner.addresses[0])
        return f"http://{host}:{bound[1]}/v1"

    async def stop(self) -> None:
        """Close all sockets; running answers break off."""
        runners, self._runners = self._runners, []
        for runner in runners:
            await runner.cleanup()

    def _endpoint(self, region: str, answer: _Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            record = self._record(region, request, await request.read())
            headers = self._headers(record)
            try:
                self._authenticate(region, record)
                response = await answer(request, record, headers)
            except Rejected as rejected:
                response = refusal(rejected, headers)
            except (asyncio.CancelledError, ConnectionError):
                record.disconnected_s = asyncio.get_running_loop().time()
                raise
            record.status = response.status
            record.finished_s = asyncio.get_running_loop().time()
            return response

        return handle

    def _record(self, region: str, request: web.Request, body: bytes) -> RequestRecord:
        self._count += 1
        peer: object = request.transport.get_extra_info("peername") if request.transport is not None else None
        connection = self._connections.setdefault(peer, len(self._connections) + 1)
        record = RequestRecord(
            region=region,
            method=request.method,
            path=request.path,
            headers=dict(request.headers),
            body=body,
            arrived_s=asyncio.get_running_loop().time(),
            connection=connection,
            json=read_json(body) or {},
            key=request.headers.get("Authorization", "").removeprefix("Bearer "),
            request_id=f"chatcmpl-{self._count:024x}",
        )
        self._world.requests.append(record)
        del self._world.requests[:-_KEPT_REQUESTS]
        return record

    def _headers(self, record: RequestRecord) -> dict[str, str]:
        return {
            "Msh-Request-Id": record.request_id,
            "X-Msh-Trace-Id": f"{self._count:032x}",
            "Msh-Gid": "enterprise-tier-3",
            "Server-Timing": "cfEdge;dur=1,cfOrigin;dur=1",
            "Vary": "Origin",
        }

    def _authenticate(self, region: str, record: RequestRecord) -> None:
        given = record.headers.get("Authorization", "")
        if not given.startswith("Bearer ") or not record.key:
            raise _NO_KEY
        if record.key not in self._keys.get(region, frozenset()):
            raise _BAD_KEY
        if record.method == "POST" and read_json(record.body) is None:
            raise Rejected("Invalid request: the body is not a JSON object")

    async def _models(self, request: web.Request, record: RequestRecord, headers: dict[str, str]) -> web.StreamResponse:
        fault = self.faults.take("", record.key, "models")
        if fault is not None and fault.kind == "slow_models":
            await asyncio.sleep(fault.delay_s or 30.0)
        elif fault is not None and (early := await early_answer(fault, request, record, headers)) is not None:
            return early
        return web.json_response(listing(self._world.models), headers=headers)

    async def _balance(self, request: web.Request, record: RequestRecord, headers: dict[str, str]) -> web.Response:
        return web.json_response({"code": 0, "data": _BALANCE, "scode": "0x0", "status": True}, headers=headers)

    async def _estimate(self, request: web.Request, record: RequestRecord, headers: dict[str, str]) -> web.Response:
        return web.json_response({"data": {"total_tokens": estimate_tokens(record.messages)}}, headers=headers)

    async def _switch(self, request: web.Request) -> web.Response:
        """Answer the switches for other processes: GET shows, POST adds, PUT replaces, DELETE clears."""
        body = await request.read()
        try:
            return web.json_response(self._switched(request.match_info["what"], request.method, body))
        except (msgspec.ValidationError, msgspec.DecodeError, ValueError) as error:
            return web.json_response({"error": str(error)}, status=400)

    def _switched(self, what: str, method: str, body: bytes) -> object:
        world = self._world
        match what, method:
            case "faults", "GET" | "POST" | "PUT" | "DELETE":
                if method in {"PUT", "DELETE"}:
                    world.faults.clear()
                if method in {"PUT", "POST"}:
                    world.faults.add(*_one_or_more(body, Fault))
                return msgspec.to_builtins(world.faults.active)
            case "wire", "PUT":
                world.wire = msgspec.json.decode(body, type=Wire)
                return msgspec.to_builtins(world.wire)
            case "pacing", "PUT":
                world.pacing = msgspec.json.decode(body, type=Pacing)
                return msgspec.to_builtins(world.pacing)
            case "date", "PUT":
                world.models = registry(msgspec.json.decode(body, type=datetime.date))
                return sorted(world.models)
            case "lines", "POST":
                world.lines.add(*_one_or_more(body, ScriptedAnswer))
                return {}
            case "requests", "GET":
                return [record.to_json() for record in world.requests]
            case "requests", "DELETE":
                world.requests.clear()
                return []
            case _:
                raise ValueError(f"no switch {what!r} for {method}")


def _one_or_more(body: bytes, kind: type[_Kind]) -> list[_Kind]:
    many = body.lstrip().startswith(b"[")
    return msgspec.json.decode(body, type=list[kind]) if many else [msgspec.json.decode(body, type=kind)]


async def _not_found(request: web.Request) -> web.Response:
    """Answer unknown paths in the gateway's shape, which is not the shape of its other errors."""
    body = {"code": 5, "error": "url.not_found", "message": "没找到对象", "method": request.method, "status": False}
    return web.json_response(body, status=404)
