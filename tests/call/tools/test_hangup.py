"""The built-in hangup tool: last words first, then BYE with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.call.application import serving
from tests.call.stage import staged
from tests.call.tools.test_tools import agent, body

from moonwire.sandbox.caller import HangUp, Interrupt, Pause, Say, WaitForSilence
from moonwire.sandbox.moonshot.script import ScriptedAnswer, ScriptedCall
from moonwire.sandbox.virtual_time import virtual_time

BYE = "That is all, thank you. Goodbye."
LAST = "Thank you for calling the Moonlight Restaurant. Goodbye, and see you soon."


@pytest.mark.agent_row("hangup", "hangup tool", "hangup.reason", "hangup tool ends")
@virtual_time
async def test_the_last_words_are_heard_then_the_call_ends_with_the_models_reason(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage, serving(agent(hangup={"reason": "done"})) as application:
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([BYE])
        stage.moonshot.say(ScriptedAnswer(LAST, (ScriptedCall("hangup", {"reason": "caller said goodbye"}),)))
        _, leg = await stage.call(WaitForSilence(), Say(BYE), Pause(30))
        assert leg.bye_headers == {"X-Reason": "caller said goodbye"}
        assert stage.named("turn")[-1]["pii_heard"] == LAST
        assert stage.books.records[-1].termination_by == "moonwire"
        assert application.of("agent:tool-call") == [], "built-in tools are ours"
        assert application.of("verb:hook")[-1]["completion_reason"] == "normal conversation end"
        assert len(stage.moonshot.chats) == 1


@pytest.mark.agent_row("hangup.reason")
@virtual_time
async def test_the_configured_reason_serves_when_the_model_gives_none(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage, serving(agent(hangup={"reason": "done"})) as application:
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([BYE])
        stage.moonshot.say(ScriptedAnswer("", (ScriptedCall("hangup"),)))
        _, leg = await stage.call(WaitForSilence(), Say(BYE), Pause(30))
        assert leg.bye_headers == {"X-Reason": "done"}


@pytest.mark.agent_row("hangup tool")
@virtual_time
async def test_a_caller_who_interrupts_the_last_words_keeps_the_call(tmp_path: Path) -> None:
    stop = "Wait, stop please."
    async with staged(tmp_path) as stage, serving(agent(hangup={})) as application:
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([BYE, stop])
        stage.moonshot.say(ScriptedAnswer(LAST, (ScriptedCall("hangup"),)), "I am still here.")
        report, leg = await stage.call(
            WaitForSilence(), Say(BYE), Interrupt(stop, after_s=1.0), WaitForSilence(), HangUp()
        )
        assert report.ok, report.problems
        assert leg.bye_headers is None
        assert stage.named("turn")[-1]["pii_heard"] == "I am still here."


@virtual_time
async def test_without_the_property_there_is_no_such_tool(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage, serving(agent()) as application:
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([BYE])
        stage.moonshot.say("Goodbye.")
        await stage.call(WaitForSilence(), Say(BYE), WaitForSilence(), HangUp())
        assert "tools" not in body(stage)
