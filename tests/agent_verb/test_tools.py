"""Tools: who runs them, what goes over the wire, and servers that are slow or lie."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from mcp.server.mcpserver import Context, MCPServer
from tests.agent_verb.talk import Talk, held
from tests.apps.test_tool_servers import connected, served
from tests.call.application import Application, Unanswered

from moonwire.sandbox.caller import HangUp, Pause, Say, WaitForSilence
from moonwire.sandbox.moonshot.script import ScriptedAnswer, ScriptedCall
from moonwire.sandbox.virtual_time import virtual_time

WEATHER = {"name": "get_weather", "description": "Tells the weather.", "parameters": {"type": "object"}}
ASK = ScriptedAnswer("", (ScriptedCall("get_weather", {"myCity": "Paris", "snake_case": {"innerKey": 1}}),))


def tooled(**members: Any) -> dict[str, Any]:
    return {"llm": {"llmOptions": {"tools": [WEATHER]}}} | members


async def sunny(arguments: dict[str, Any]) -> str:
    return "sunny"


def results(talk: Talk) -> list[str]:
    """What the model was told by its tools."""
    return [message["content"] for message in talk.requests[-1]["messages"] if message["role"] == "tool"]


@virtual_time
async def test_tool_hook(tmp_path: Path) -> None:
    talk = await held(tmp_path, tooled(toolHook="/my-tools"), says=[ASK, "Sunny."], tools={"get_weather": sunny})
    assert talk.hooked("/my-tools")[0]["name"] == "get_weather"
    assert results(talk) == ["sunny"]


@virtual_time
async def test_tool_arguments(tmp_path: Path) -> None:
    talk = await held(tmp_path, tooled(), says=[ASK, "Sunny."], tools={"get_weather": sunny})
    (call,) = talk.application.of("agent:tool-call")
    assert call["arguments"] == {"myCity": "Paris", "snake_case": {"innerKey": 1}}


@virtual_time
async def test_tool_arguments__that_cannot_be_parsed(tmp_path: Path) -> None:
    broken = ScriptedAnswer("", (ScriptedCall("get_weather", raw='{"city": '),))
    talk = await held(tmp_path, tooled(), says=[broken, "Sunny."], tools={"get_weather": sunny})
    (call,) = talk.application.of("agent:tool-call")
    assert call["arguments"] == {}
    assert talk.heard[-1] == "Sunny."


@virtual_time
async def test_unknown_tool_output(tmp_path: Path) -> None:
    async def answer(application: Application, event: dict[str, Any]) -> None:
        if event["type"] == "user_transcript":
            await application.command("llm:tool-output", {"result": "too early"}, tool_call_id="nobody-asked")

    def at_tool_call(_: object, application: Application) -> None:
        async def tell(arguments: dict[str, Any]) -> str:
            (call,) = application.of("agent:tool-call")
            for text in ("sunny", "rainy"):
                await application.command("llm:tool-output", {"result": text}, tool_call_id=call["tool_call_id"])
            raise Unanswered

        application.tools["get_weather"] = tell

    talk = await held(tmp_path, tooled(), says=[ASK, "Sunny."], before=at_tool_call, on_event=answer)
    assert results(talk) == ["sunny"], "the first answer counts"
    assert talk.heard[-1] == "Sunny."
    assert talk.errors == []


def toolbox(*names: str) -> MCPServer:
    """A server that has tools of these names."""
    server = MCPServer("toolbox", log_level="CRITICAL")
    for name in names:

        def run() -> str:
            """Answers."""
            return "from the tool server"

        server.tool(name=name)(run)
    return server


@virtual_time
async def test_order_of_tools(tmp_path: Path) -> None:
    async with served(toolbox("get_weather", "hangup").streamable_http_app()) as url:
        members = tooled(hangup={}, mcpServers=[{"url": f"{url}/mcp"}])
        goodbye = ScriptedAnswer("Goodbye.", (ScriptedCall("hangup"),))
        steps = [WaitForSilence(), Say("Hello."), WaitForSilence(), Say("Hello."), Pause(20)]
        talk = await held(tmp_path, members, steps=steps, says=[ASK, "Sunny.", goodbye], tools={"get_weather": sunny})
    assert results(talk) == ["from the tool server"], "before the application's"
    assert talk.application.of("agent:tool-call") == []
    assert talk.leg.bye_headers is not None, "the built-in hangup before the server's"


@asynccontextmanager
async def endless() -> AsyncGenerator[str]:
    """A server that takes requests and never answers."""
    gone = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        await gone.wait()
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", hang)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/mcp"
    finally:
        gone.set()
        await runner.cleanup()


@virtual_time
async def test_mcp_servers_slow(tmp_path: Path) -> None:
    usual = await held(tmp_path)
    async with endless() as url:
        talk = await held(tmp_path, {"mcpServers": [{"url": url}]})
    assert talk.heard == usual.heard
    for mine, other in zip(talk.report.agent_speech, usual.report.agent_speech, strict=True):
        assert abs(mine[0] - other[0]) < 0.05, "nothing waits for it"


@virtual_time
async def test_mcp_servers_slow__tool(tmp_path: Path) -> None:
    server = MCPServer("slow", log_level="CRITICAL")

    @server.tool()
    async def get_weather() -> str:
        """Never comes back."""
        await asyncio.Event().wait()
        return ""

    async with served(server.streamable_http_app()) as url:
        steps = [WaitForSilence(), Say("Hello."), Pause(32), WaitForSilence(), HangUp()]
        talk = await held(
            tmp_path, {"mcpServers": [{"url": f"{url}/mcp"}]}, steps=steps, says=[ASK, "I cannot see the weather."]
        )
    assert "error" in results(talk)[0]
    assert talk.heard[-1] == "I cannot see the weather."


@pytest.mark.filterwarnings("ignore:The roots capability is deprecated")
async def test_mcp_servers_roots() -> None:
    server = MCPServer("roots", log_level="CRITICAL")

    @server.tool()
    async def roots(context: Context) -> str:
        """Asks the client for its roots."""
        found = await context.session.list_roots()  # pyright: ignore[reportDeprecated]
        return " ".join(str(root.uri) for root in found.roots)

    roots_given = [{"uri": "file:///moon", "name": "Moon"}]
    async with served(server.sse_app()) as url, connected(f"{url}/sse", roots=roots_given) as heard:
        assert await heard.tools["roots"].run({}) == "file:///moon"


@virtual_time
async def test_mcp_servers_lying(tmp_path: Path) -> None:
    server = MCPServer("liar", log_level="CRITICAL")

    @server.tool()
    def get_weather() -> str:
        """Talks too much."""
        return "x" * 1_000_000

    async with served(server.streamable_http_app()) as url:
        talk = await held(tmp_path, {"mcpServers": [{"url": f"{url}/mcp"}]}, says=[ASK, "That was long."])
    assert len(results(talk)[0]) < 66_000
    assert talk.heard[-1] == "That was long."
