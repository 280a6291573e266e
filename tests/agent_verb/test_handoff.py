"""The transfer tool: what the person, the caller and the application hear of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.agent_verb.talk import held
from tests.call.stage import Stage
from tests.call.telephones import Person
from tests.call.tools.test_handoff import ANN, CALL, CONNECT, call, handing_over, hooks

from moonwire.sandbox.caller import Pause, Say, WaitForSilence
from moonwire.sandbox.moonshot.script import ScriptedAnswer
from moonwire.sandbox.virtual_time import virtual_time

BRIEF = "A caller wants a table, please help."
ONLY_A_BRIEF: dict[str, Any] = {"mode": "warm", "brief": {"template": "Say what the caller wants."}}


def spoken(stage: Stage) -> str:
    """Everything that was synthesised."""
    return " ".join(text.strip() for text in stage.cartesia.records.transcripts)


@virtual_time
async def test_handoff_brief(tmp_path: Path) -> None:
    choice = ONLY_A_BRIEF | {"briefSynthesizer": {"vendor": "elevenlabs", "voice": "21m00Tcm4TlvDq8ikWAM"}}
    async with handing_over(tmp_path, {ANN["sipUri"]: Person(stays_s=12)}, **choice) as (stage, _, _):
        stage.moonshot.say(ScriptedAnswer(CONNECT, (CALL,)), BRIEF)
        await call(stage, Pause(30))
        assert "Say what the caller wants." in str(stage.moonshot.chats[-1].messages[0]["content"])
        assert BRIEF in " ".join(stage.elevenlabs.records.texts()), "by a voice of its own"
        assert BRIEF not in spoken(stage)


@virtual_time
async def test_handoff_brief__none(tmp_path: Path) -> None:
    ann = Person(stays_s=6)
    async with handing_over(tmp_path, {ANN["sipUri"]: ann}, mode="warm", brief="none") as (stage, application, _):
        stage.moonshot.say(ScriptedAnswer(CONNECT, (CALL,)))
        await call(stage, Pause(30))
        assert len(stage.moonshot.chats) == 1, "nobody wrote a brief"
        assert hooks(application, "/transferred")[0]["transfer_result"] == "bridged"


@pytest.mark.parametrize("present", [True, False])
def test_handoff_caller_present(present: bool, tmp_path: Path) -> None:
    @virtual_time
    async def scene() -> None:
        people = {ANN["sipUri"]: Person(stays_s=14)}
        async with handing_over(tmp_path, people, **ONLY_A_BRIEF, callerPresent=present) as (stage, _, _):
            stage.moonshot.say(ScriptedAnswer(CONNECT, (CALL,)), BRIEF)
            report, _ = await stage.call(WaitForSilence(), Say("A human, please."), Pause(30))
            begun = stage.named("transfer", name="started")[0]["at_s"]
            heard = [start for start, _ in report.agent_speech if begun + 2 < start < begun + 3]
            assert bool(heard) is present, "the brief begins when the person answers, two seconds later"

    scene()


@virtual_time
async def test_handoff_on_hold_hook(tmp_path: Path) -> None:
    people = {ANN["sipUri"]: Person(stays_s=14)}
    async with handing_over(tmp_path, people, **ONLY_A_BRIEF, onHoldHook="/hold") as (stage, application, _):
        say = {"verb": "say", "text": "Please hold the line.", "synthesizer": {"vendor": "cartesia"}}
        application.answers["/hold"] = [say]
        stage.moonshot.say(ScriptedAnswer(CONNECT, (CALL,)), BRIEF)
        await call(stage, Pause(30))
        (asked,) = hooks(application, "/hold")
        assert asked["call_status"] == "in-progress"
        assert "Please hold the line." in spoken(stage)


@virtual_time
async def test_handoff_event_hook(tmp_path: Path) -> None:
    people = {ANN["sipUri"]: Person(stays_s=14)}
    async with handing_over(tmp_path, people, **ONLY_A_BRIEF, eventHook="/transfer-event") as (stage, application, _):
        application.answers["/transfer-event"] = []
        stage.moonshot.say(ScriptedAnswer(CONNECT, (CALL,)), BRIEF)
        await call(stage, Pause(30))
        events = [data["event"] for data in hooks(application, "/transfer-event")]
        assert events == ["ringing", "answered", "brief-started", "bridged"]


@virtual_time
async def test_handoff_amd(tmp_path: Path) -> None:
    people = {ANN["sipUri"]: Person(stays_s=4)}
    async with handing_over(tmp_path, people, amd={"actionHook": "/amd"}) as (stage, application, _):
        stage.moonshot.say(ScriptedAnswer(CONNECT, (CALL,)))
        await call(stage, Pause(20))
        assert stage.named("transfer", name="amd_ignored"), "the event log tells"
        assert hooks(application, "/transferred")[0]["transfer_result"] == "bridged"


@virtual_time
async def test_handoff_caller_id(tmp_path: Path) -> None:
    people = {ANN["sipUri"]: Person(stays_s=2)}
    async with handing_over(tmp_path, people, callerId="15085550000") as (stage, _, exchange):
        stage.moonshot.say(ScriptedAnswer(CONNECT, (CALL,)))
        await call(stage, Pause(15))
        assert [order.from_user for order in exchange.orders] == ["15085550000"]


@virtual_time
async def test_handoff_tool_name(tmp_path: Path) -> None:
    named = {"toolName": "fetch_ann", "toolDescription": "Fetches Ann."}
    talk = await held(tmp_path, {"handoff": {"mode": "blind", "target": [ANN], **named}})
    (tool,) = talk.requests[-1]["tools"]
    assert (tool["function"]["name"], tool["function"]["description"]) == ("fetch_ann", "Fetches Ann.")
