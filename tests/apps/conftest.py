"""A scripted application over real sockets, and our side of a session that keeps what it hears."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from moonwire.apps.connector import AppConnector
from moonwire.apps.surroundings import Timings
from moonwire.ports.directory import AlertType, ApplicationRecord
from moonwire.spec.commands import Command, RedirectCommand
from moonwire.spec.hooks import Hook

FAST = Timings(
    connect_s=1,
    upgrade_s=1,
    first_connection_s=5,
    first_ack_s=1,
    ack_s=1,
    webhook_s=1,
    tool_s=1,
    close_s=0.5,
    retry_delays_s=(0.01, 0.02, 0.03),
)
PATIENCE_S = 10


class WallClock:
    def monotonic_s(self) -> float:
        return asyncio.get_running_loop().time()

    def utc_s(self) -> float:
        return 1_795_000_000.0


@dataclass
class HeardAlerts:
    alerts: list[tuple[AlertType, str]] = field(default_factory=list)

    def raise_alert(
        self, account_sid: str, alert_type: AlertType, message: str, *, remedy: str = "", call_sid: str = ""
    ) -> None:
        assert account_sid
        assert call_sid
        self.alerts.append((alert_type, message))


class Heard:
    """The call's side: keeps commands and the end."""

    def __init__(self) -> None:
        self.commands: asyncio.Queue[Command] = asyncio.Queue()
        self.closed: asyncio.Queue[bool] = asyncio.Queue()

    def on_command(self, command: Command) -> None:
        self.commands.put_nowait(command)

    def on_application_closed(self, normal: bool) -> None:
        self.closed.put_nowait(normal)

    async def command(self) -> Command:
        return await asyncio.wait_for(self.commands.get(), PATIENCE_S)

    async def end(self) -> bool:
        return await asyncio.wait_for(self.closed.get(), PATIENCE_S)


class Peer:
    """One WebSocket as the application sees it."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        self.socket = socket
        self.request = request
        self.closed_with: int | None = None

    async def next(self) -> dict[str, Any]:
        message = await asyncio.wait_for(self.socket.receive(), PATIENCE_S)
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return json.loads(message.data)

    async def say(self, **message: Any) -> None:
        await self.socket.send_str(json.dumps(message))

    async def ack(self, message: dict[str, Any], *verbs: dict[str, Any]) -> None:
        await self.say(type="ack", msgid=message["msgid"], data=list(verbs))

    async def end(self) -> int:
        """Wait for the close frame and return its code."""
        message = await asyncio.wait_for(self.socket.receive(), PATIENCE_S)
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED), message
        return int(self.socket.close_code or 0)

    def cut(self) -> None:
        """Drop the TCP connection without a close frame."""
        assert self.request.transport is not None
        self.request.transport.abort()


Script = Callable[[Peer], Awaitable[None]]
Route = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ScriptedApplication:
    """Runs one script per connection, in order; the last one serves all further connections."""

    def __init__(self) -> None:
        self.scripts: list[Script] = []
        self.routes: dict[str, Route] = {}
        self.requests: list[web.Request] = []
        self.failures: list[BaseException] = []
        self.connections = 0
        self.port = 0

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/"

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        route = self.routes.get(request.path)
        if route is not None:
            return await route(request)
        socket = web.WebSocketResponse(protocols=("ws.jambonz.org",))
        await socket.prepare(request)
        script = self.scripts[min(self.connections, len(self.scripts) - 1)]
        self.connections += 1
        try:
            await script(Peer(socket, request))
        except (AssertionError, TimeoutError) as failure:
            self.failures.append(failure)
        return socket


@pytest.fixture
async def application() -> AsyncIterator[ScriptedApplication]:
    scripted = ScriptedApplication()
    server = web.Application()
    server.router.add_route("*", "/{path:.*}", scripted.serve)

    async def unnamed(request: web.Request, response: web.StreamResponse) -> None:
        # the Node SDK's server names itself nowhere; aiohttp's name would make us take it for the Python SDK
        response.headers["Server"] = request.query.get("server", "scripted")

    server.on_response_prepare.append(unnamed)
    runner = web.AppRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    scripted.port = runner.addresses[0][1]
    yield scripted
    await runner.cleanup()
    assert not scripted.failures, scripted.failures


@pytest.fixture
def alerts() -> HeardAlerts:
    return HeardAlerts()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session


@pytest.fixture
def connector(http: aiohttp.ClientSession, alerts: HeardAlerts) -> AppConnector:
    return AppConnector(http, alerts, WallClock(), lambda url: "private" not in url, FAST)


def record(call_hook: str | Hook | None, **members: Any) -> ApplicationRecord:
    hook = Hook(call_hook) if isinstance(call_hook, str) else call_hook
    return ApplicationRecord(sid="app", account_sid="acc", name="test", call_hook=hook, **members)


SESSION_NEW: dict[str, Any] = {"call_sid": "c1", "direction": "inbound", "from": "+1", "to": "2", "env_vars": {"aB": 1}}
SAY: dict[str, Any] = {"verb": "say", "text": "hi"}


async def until_closed(peer: Peer) -> None:
    while not peer.socket.closed:
        await peer.socket.receive()


def verbs_of(command: object) -> list[str]:
    assert isinstance(command, RedirectCommand)
    return [verb.verb for verb in command.verbs]
