"""Changing a running agent: instructions, context, tools, and replies that the application asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.call.application import Application, serving
from tests.call.stage import staged
from tests.call.tools.test_tools import WEATHER, agent, body, refused, told

from moonwire.sandbox.caller import HangUp, Pause, Say, WaitForSilence, WaitForSpeech
from moonwire.sandbox.virtual_time import virtual_time

ASK = "Hello, what are your opening hours?"
STORY = "Please tell me a story about the moon."


def once_at(application: Application, kind: str, *updates: dict[str, Any]) -> None:
    """Send updates at the first event of a kind that is not the greeting's."""
    waiting = [updates]

    async def on_event(event: dict[str, Any]) -> None:
        if event["type"] == kind and waiting and application.of("agent:event").count(event):
            for update in waiting.pop():
                await application.command("agent:update", update)

    application.on_event = on_event


@pytest.mark.agent_row("update_instructions")
@virtual_time
async def test_new_instructions_hold_from_the_next_request_on(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage, serving(agent()) as application:
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([ASK])
        once_at(application, "turn_end", {"type": "update_instructions", "instructions": "You are a pirate."})
        report, _ = await stage.call(WaitForSilence(), Say(ASK), WaitForSilence(), HangUp())
        assert report.ok, report.problems
        assert stage.moonshot.chats[-1].messages[0] == {"role": "system", "content": "You are a pirate."}


@pytest.mark.agent_row("inject_context")
@virtual_time
async def test_injected_context_is_remembered_and_makes_no_reply(tmp_path: Path) -> None:
    messages = [{"role": "system", "content": "The caller is a gold member."}]
    async with staged(tmp_path) as stage, serving(agent()) as application:
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([ASK])
        once_at(application, "turn_end", {"type": "inject_context", "messages": messages})
        report, _ = await stage.call(WaitForSilence(), Pause(2), Say(ASK), WaitForSilence(), HangUp())
        assert report.ok, report.problems
        assert len(stage.moonshot.chats) == 1
        assert [message["role"] for message in told(stage)] == ["user", "assistant", "system", "user"]
        assert refused(stage) == []


@pytest.mark.agent_row("update_tools")
@virtual_time
async def test_new_tools_replace_the_applications_and_keep_the_built_in(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage, serving(agent(WEATHER, hangup={})) as application:
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([ASK])
        new = {"type": "function", "function": WEATHER | {"name": "get_menu"}}
        once_at(application, "turn_end", {"type": "update_tools", "tools": [new]})
        await stage.call(WaitForSilence(), Say(ASK), WaitForSilence(), HangUp())
        assert [tool["function"]["name"] for tool in body(stage)["tools"]] == ["get_menu", "hangup"]


@pytest.mark.agent_row("generate_reply", "generate_reply.user_input")
@virtual_time
async def test_a_reply_is_generated_at_once_when_nobody_speaks(tmp_path: Path) -> None:
    wish = {"type": "generate_reply", "user_input": "What is the weather?", "instructions": "Answer in one word."}
    async with staged(tmp_path) as stage, serving(agent()) as application:
        stage.run_application(None, application.url)
        stage.moonshot.say("Sunny.")
        once_at(application, "turn_end", wish)
        await stage.call(WaitForSilence(), WaitForSpeech(), WaitForSilence(), HangUp())
        assert stage.named("turn")[-1]["cause"] == "requested"
        assert stage.named("turn")[-1]["pii_heard"] == "Sunny."
        assert told(stage)[-2:] == [
            {"role": "user", "content": "What is the weather?"},
            {"role": "system", "content": "Answer in one word."},
        ]


@pytest.mark.agent_row("generate_reply", "generate_reply.instructions")
@virtual_time
async def test_a_reply_waits_for_the_current_turn(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage, serving(agent()) as application:
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([STORY])
        once_at(application, "llm_response", {"type": "generate_reply", "instructions": "Say that you are back."})
        stage.moonshot.say("I am back.", "Once upon a time.")
        report, _ = await stage.call(
            WaitForSilence(), WaitForSpeech(), WaitForSilence(), Say(STORY), WaitForSilence(), HangUp()
        )
        assert report.ok, report.problems
        assert [line["cause"] for line in stage.named("turn")] == ["greeting", "requested", "user"]
        system = [message for message in told(stage) if message["role"] == "system"]
        assert system == [], "instructions hold for one request"


@pytest.mark.agent_row("generate_reply.interrupt")
@virtual_time
async def test_an_urgent_reply_replaces_what_is_being_said(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage, serving(agent()) as application:
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([STORY])

        async def on_event(event: dict[str, Any]) -> None:
            if event["type"] == "llm_response" and event["response"].startswith("Once"):
                await application.update("generate_reply", instructions="Say: the manager is here.", interrupt=True)

        application.on_event = on_event
        stage.moonshot.say("Once upon a time, there was a lonely moon. " * 5, "The manager is here.")
        report, _ = await stage.call(WaitForSilence(), Say(STORY), WaitForSilence(), HangUp())
        assert report.ok, report.problems
        ends = [event for event in application.events if event["type"] == "turn_end"]
        assert [end["interrupted"] for end in ends[1:]] == [True, False]
        assert ends[-1]["response"] == "The manager is here."
        assert "user_interruption" not in application.order
        assert refused(stage) == []


@pytest.mark.agent_row("update without an agent")
@virtual_time
async def test_an_update_without_an_agent_is_an_error(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage, serving({"verb": "pause", "length": 3}) as application:
        stage.run_application(None, application.url)
        application.afterwards = {"type": "update_instructions", "instructions": "x"}
        await stage.call(Pause(1), HangUp())
        (error,) = application.of("jambonz:error")
        assert error == {"msg": "agent:update without a running agent", "verb": "agent"}
