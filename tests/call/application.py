"""An application on a real socket: answers session:new with an agent, runs its tools, sends what a test wants."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

Tool = Callable[[dict[str, Any]], Awaitable[Any]]
"""Takes the arguments; raises Unanswered to say nothing at all."""


class Unanswered(Exception):  # noqa: N818 - no failure: an application that does not answer
    """The tool gives no output."""


class Application:
    """What a test touches; `messages` holds everything that came, in order."""

    def __init__(self, agent: Mapping[str, Any], tools: Mapping[str, Tool]) -> None:
        self.agent = {"eventHook": "/event", "toolHook": "/tool", "actionHook": "/complete"} | dict(agent)
        self.tools = dict(tools)
        self.messages: list[dict[str, Any]] = []
        self.on_event: Callable[[dict[str, Any]], Awaitable[None]] | None = None
        self.verbs: list[dict[str, Any]] | None = None
        """What runs instead of the agent."""
        self.answers: dict[str, list[dict[str, Any]]] = {}
        """What a hook is answered with; the others hang up."""
        self.afterwards: dict[str, Any] | None = None
        """An update sent right after the first verbs."""
        self.answers: dict[str, list[dict[str, Any]]] = {}
        """Verbs for hooks; a hangup for the others."""
        self.url = ""
        self._socket: web.WebSocketResponse | None = None
        self._transport: asyncio.Transport | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the data of the messages of a kind."""
        return [message["data"] for message in self.messages if message["type"] == kind]

    @property
    def events(self) -> list[dict[str, Any]]:
        """The agent's events."""
        return self.of("agent:event")

    @property
    def order(self) -> list[str]:
        """Types of the conversation's messages, in order."""
        return [
            message["data"]["type"] if message["type"] == "agent:event" else message["type"]
            for message in self.messages
            if message["type"] in ("agent:event", "agent:tool-call")
        ]

    async def command(self, name: str, data: Any, **members: Any) -> None:
        """Send a command."""
        await self.say(type="command", command=name, data=data, **members)

    async def update(self, kind: str, **members: Any) -> None:
        """Change the agent."""
        await self.command("agent:update", {"type": kind, **members})

    async def say(self, **message: Any) -> None:
        """Send a message."""
        if self._socket is not None and not self._socket.closed:
            await self._socket.send_str(json.dumps(message))

    def vanish(self) -> None:
        """Cut the connection without a close frame, as a process that dies does."""
        assert self._transport is not None
        self._transport.abort()

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection."""
        self._transport = request.transport
        socket = self._socket = web.WebSocketResponse(protocols=("ws.jambonz.org",))
        await socket.prepare(request)
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                await self._take(json.loads(message.data))
        for task in self._tasks:
            task.cancel()
        return socket

    async def _take(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        match message["type"]:
            case "session:new" | "session:reconnect":
                await self.say(type="ack", msgid=message["msgid"], data=self.verbs or [{"verb": "agent"} | self.agent])
                if self.afterwards is not None:
                    await self.command("agent:update", self.afterwards)
            case "verb:hook" | "dial:confirm":
                verbs = self.answers.get(message["hook"], [{"verb": "hangup"}])
                await self.say(type="ack", msgid=message["msgid"], data=verbs)
            case "agent:tool-call":
                self._start(self._run_tool(message["data"]))
            case "agent:event" if self.on_event is not None:
                self._start(self.on_event(message["data"]))
            case _:
                pass

    def _start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)  # noqa: TID251 - the application's own tasks
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run_tool(self, call: dict[str, Any]) -> None:
        try:
            result = await self.tools[call["name"]](call["arguments"])
        except Unanswered:
            return
        data = result if isinstance(result, dict) else {"result": result}
        await self.command("llm:tool-output", data, tool_call_id=call["tool_call_id"])


@asynccontextmanager
async def serving(agent: Mapping[str, Any], **tools: Tool) -> AsyncGenerator[Application]:
    """Run an application whose agent is this one."""
    application = Application(agent, tools)
    server = web.Application()
    server.router.add_get("/", application.serve)

    async def unnamed(request: web.Request, response: web.StreamResponse) -> None:
        del request
        response.headers["Server"] = "scripted"  # aiohttp's own name means the Python SDK

    server.on_response_prepare.append(unnamed)
    runner = web.AppRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        application.url = f"ws://127.0.0.1:{runner.addresses[0][1]}/"
        yield application
    finally:
        await runner.cleanup()
