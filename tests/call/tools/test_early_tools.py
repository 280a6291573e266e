"""Tools that an early reply asks for: nothing is done before the turn has ended with exactly those words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.call.application import serving
from tests.call.stage import staged
from tests.call.test_turn_taking import HOURS, STORY, Marks
from tests.call.tools.test_tools import ASK, PARIS, WEATHER, agent

from moonwire.sandbox.caller import HangUp, Pause, Say, WaitForSilence
from moonwire.sandbox.moonshot.script import ScriptedAnswer
from moonwire.sandbox.virtual_time import virtual_time


@pytest.mark.agent_row("earlyGeneration and tools")
@virtual_time
async def test_a_speculative_tool_call_waits_for_the_end_of_the_turn(tmp_path: Path) -> None:
    async def weather(arguments: dict[str, Any]) -> str:
        return "18 C"

    early = agent(WEATHER, earlyGeneration=True)
    async with (
        staged(tmp_path, turns=Marks(early_s=0.25, end_s=1.2)) as stage,
        serving(early, get_weather=weather) as application,
    ):
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([ASK])
        stage.moonshot.say(ScriptedAnswer("", (PARIS,)), "It is eighteen degrees in Paris.")
        await stage.call(WaitForSilence(), Say(HOURS), WaitForSilence(), HangUp())
        (begun,) = stage.named("turn.command", type="StartEarlyReply")
        (released,) = stage.named("turn.command", type="ReleaseReply")
        (ran,) = stage.named("turn.event", type="ToolsStarted")
        assert begun["at_s"] + 0.5 < released["at_s"] <= round(ran["at_s"], 3)
        assert application.order[2:] == ["user_transcript", "agent:tool-call", "llm_response", "turn_end"]
        assert application.events[-1]["response"] == "It is eighteen degrees in Paris."


@virtual_time
async def test_a_speculative_tool_call_for_wrong_words_is_never_made(tmp_path: Path) -> None:
    ran: list[str] = []

    async def weather(arguments: dict[str, Any]) -> str:
        ran.append(arguments["city"])
        return "18 C"

    early = agent(WEATHER, earlyGeneration=True)
    async with (
        staged(tmp_path, turns=Marks(early_s=0.25, end_s=1.2)) as stage,
        serving(early, get_weather=weather) as application,
    ):
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([HOURS, STORY])
        stage.moonshot.say(ScriptedAnswer("", (PARIS,)), "Once upon a time.", "Once upon a time.")
        await stage.call(WaitForSilence(), Say(HOURS), Pause(0.6), Say(STORY), WaitForSilence(), HangUp())
        assert stage.named("llm", name="early_reply_dropped")
        assert ran == []
        assert "agent:tool-call" not in application.order
        assert all(message.get("role") != "tool" for chat in stage.moonshot.chats for message in chat.messages)
