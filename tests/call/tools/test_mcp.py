"""Tools of MCP servers in a call: found while the greeting is spoken, used by the model, never in the way."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.apps.test_tool_servers import calculator, served
from tests.call.stage import staged
from tests.call.tools.test_tools import ASK, agent, body, call_once, told

from moonwire.sandbox.moonshot.script import ScriptedAnswer, ScriptedCall
from moonwire.sandbox.virtual_time import virtual_time


@pytest.mark.agent_row("mcpServers", "mcpServers.url")
@virtual_time
async def test_the_model_uses_a_servers_tool(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage, served(calculator().streamable_http_app()) as url:
        stage.run_application([agent(mcpServers=[{"url": f"{url}/mcp"}])])
        stage.deepgram.set_hearing([ASK])
        stage.moonshot.say(ScriptedAnswer("", (ScriptedCall("add", {"a": 1, "b": 2}),)), "It is three.")
        await call_once(stage)
        assert {tool["function"]["name"] for tool in body(stage)["tools"]} == {"add", "fail", "whose"}
        assert told(stage)[-1]["content"] == "3"
        assert stage.named("turn")[-1]["pii_heard"] == "It is three."
        assert stage.books.alerts == []


@pytest.mark.agent_row("mcpServers: down")
@virtual_time
async def test_servers_that_are_down_leave_the_call_alone_and_raise_one_alert_each(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        down = [{"url": "http://127.0.0.1:1/mcp"}, {"url": "http://private.example/mcp"}]
        stage.run_application([agent(mcpServers=down)])
        stage.deepgram.set_hearing([ASK])
        stage.moonshot.say("I cannot see the weather.")
        await call_once(stage)
        assert stage.named("turn")[-1]["pii_heard"] == "I cannot see the weather."
        assert [alert[0] for alert in stage.books.alerts] == ["tool-server-failure"] * 2
