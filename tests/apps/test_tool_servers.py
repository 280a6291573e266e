"""MCP servers as the official SDK serves them, and servers that are down, slow or lying."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest
import uvicorn
from aiohttp import web
from mcp.server.mcpserver import Context, MCPServer

from moonwire.apps.tool_servers import McpToolServers
from moonwire.errors import ToolServerError
from moonwire.ports.tool_servers import FoundTool
from moonwire.spec.verbs.agent import McpServer


class Heard:
    """The agent's side."""

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self.tools: dict[str, FoundTool] = {}
        self.errors: list[str] = []

    def on_tools_found(self, server: str, tools: Sequence[FoundTool]) -> None:
        self.tools |= {tool.definition.name: tool for tool in tools}
        self.news.set()

    def on_tool_server_failed(self, server: str, error: ToolServerError) -> None:
        self.errors.append(f"{server}: {error}")
        self.news.set()


def calculator() -> MCPServer:
    server = MCPServer("calculator", log_level="CRITICAL")

    @server.tool()
    def add(a: int, b: int) -> int:
        """Adds two numbers."""
        return a + b

    @server.tool()
    def fail() -> str:
        """Fails."""
        raise ValueError("no luck")

    @server.tool()
    async def whose(context: Context) -> str:
        """Says which credential came."""
        headers = context.headers
        return str(headers.get("authorization") if headers else None)

    return server


@contextlib.asynccontextmanager
async def served(app: Any) -> AsyncGenerator[str]:
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    started = asyncio.Event()
    startup = server.startup

    async def announce(sockets: Any = None) -> None:
        await startup(sockets)
        started.set()

    server.startup = announce
    task = asyncio.create_task(server.serve())
    try:
        await asyncio.wait_for(started.wait(), 10)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@contextlib.asynccontextmanager
async def connected(url: str, **members: Any) -> AsyncGenerator[Heard]:
    servers, heard = McpToolServers(lambda url: "private" not in url), Heard()
    connection = servers.connect(McpServer(url=url, **members), heard)
    try:
        await asyncio.wait_for(heard.news.wait(), 15)
        yield heard
    finally:
        connection.close()
        await servers.close()


async def test_streamable_http() -> None:
    async with served(calculator().streamable_http_app()) as url, connected(f"{url}/mcp") as heard:
        assert heard.errors == []
        add = heard.tools["add"]
        assert add.definition.description == "Adds two numbers."
        assert add.definition.parameters["properties"].keys() == {"a", "b"}
        assert await add.run({"a": 1, "b": 2}) == "3"
        assert "Error executing tool fail" in json.loads(await heard.tools["fail"].run({}))["error"]


@pytest.mark.agent_row("mcpServers.url")
async def test_sse_is_tried_when_streamable_http_is_refused() -> None:
    async with served(calculator().sse_app()) as url, connected(f"{url}/sse") as heard:
        assert heard.errors == []
        assert await heard.tools["add"].run({"a": 20, "b": 3}) == "23"


@pytest.mark.agent_row("mcpServers.auth")
@pytest.mark.parametrize(
    ("auth", "header"),
    [
        ({"apiKey": "planted-key"}, "Bearer planted-key"),
        ({"token": "t0k3n"}, "Bearer t0k3n"),
        ({"username": "u", "password": "p"}, "Basic dTpw"),
        ({"headers": {"Authorization": "Custom 1"}}, "Custom 1"),
    ],
)
async def test_the_credential_goes_along(auth: dict[str, Any], header: str) -> None:
    async with served(calculator().streamable_http_app()) as url, connected(f"{url}/mcp", auth=auth) as heard:
        assert await heard.tools["whose"].run({}) == header


async def test_a_server_that_is_down_is_named_once() -> None:
    async with connected("http://127.0.0.1:1/mcp?key=planted-secret") as heard:
        (error,) = heard.errors
        assert error.startswith("http://127.0.0.1:1/mcp: it cannot be reached")
        assert "planted" not in error


async def test_a_private_host_needs_permission() -> None:
    async with connected("http://private.example/mcp") as heard:
        assert "MOONWIRE_PRIVATE_HOSTS" in heard.errors[0]


async def test_a_server_that_is_no_mcp_server_is_of_no_use() -> None:
    async def nonsense(request: web.Request) -> web.Response:
        return web.Response(text="<html>hello</html>", content_type="text/html")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", nonsense)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with connected(f"http://127.0.0.1:{runner.addresses[0][1]}/mcp") as heard:
        assert len(heard.errors) == 1
        assert heard.tools == {}
    await runner.cleanup()


@pytest.mark.agent_row("mcpServers: lying")
async def test_a_lying_schema_does_no_harm() -> None:
    listed = [
        {"name": "odd", "inputSchema": {"type": "object", "properties": {"a": {"type": "wish"}}}},
        {"name": "huge", "inputSchema": {"type": "object", "description": "x" * 20_000}},
        {"name": "liar", "inputSchema": {"type": "object"}, "outputSchema": {"type": "object", "required": ["x"]}},
        {"name": " ", "inputSchema": {"type": "object"}},
    ]

    async def answer(request: web.Request) -> web.Response:
        if request.method != "POST":
            return web.Response(status=405)
        message = await request.json()
        results: dict[str, Any] = {
            "initialize": {
                "protocolVersion": "2025-06-18",
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "liar", "version": "0"},
            },
            "tools/list": {"tools": listed},
            "tools/call": {"content": [{"type": "text", "text": "hm"}], "structuredContent": {"y": 1}},
        }
        if "id" not in message:
            return web.Response(status=202)
        if message["method"] not in results:
            error = {"code": -32601, "message": "Method not found"}
            return web.json_response({"jsonrpc": "2.0", "id": message["id"], "error": error})
        return web.json_response({"jsonrpc": "2.0", "id": message["id"], "result": results[message["method"]]})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with connected(f"http://127.0.0.1:{runner.addresses[0][1]}/mcp") as heard:
        assert heard.errors == []
        assert heard.tools.keys() == {"odd", "huge", "liar"}
        assert heard.tools["huge"].definition.parameters == {"type": "object", "properties": {}}
        with pytest.raises(ToolServerError):
            await heard.tools["liar"].run({})
    await runner.cleanup()
