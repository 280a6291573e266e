"""Handing a caller over to a person: by REFER, by a call of ours, warm and blind, and when nobody takes it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.call.application import Application, serving
from tests.call.stage import Stage, staged
from tests.call.telephones import Exchange, Person
from tests.call.tools.test_tools import agent, refused, told

from moonwire.errors import CallRefusedError
from moonwire.ports.legs import LegInfo
from moonwire.sandbox.caller import HangUp, Pause, Say, ScriptedCaller, Step, WaitForSilence, prepare
from moonwire.sandbox.moonshot.script import ScriptedAnswer, ScriptedCall
from moonwire.sandbox.patch import PatchLeg
from moonwire.sandbox.virtual_time import virtual_time

ASK = "Can I speak to a human?"
CONNECT = "I will connect you."
CALL = ScriptedCall("transfer_to_human")
ANN: dict[str, Any] = {"type": "sip", "sipUri": "sip:ann@127.0.0.1"}


class ReferringPatch(PatchLeg):
    """A caller whose telephone can be referred."""

    outcome: int | None = 200

    async def refer(
        self, target: str, headers: Mapping[str, str] | None = None, on_news: Callable[[int], None] | None = None
    ) -> int:
        self.referred_to = target
        self.refer_headers = dict(headers or {})
        if self.outcome is None:
            raise CallRefusedError(603, "Decline")
        if on_news is not None:
            on_news(180)
            on_news(self.outcome)
        return self.outcome


@asynccontextmanager
async def handing_over(
    tmp_path: Path, people: Mapping[str, Person | int | None], **handoff: Any
) -> AsyncGenerator[tuple[Stage, Application, Exchange]]:
    choice = {"mode": "blind", "blindMethod": "dial", "target": [ANN], "actionHook": "/transferred"} | handoff
    async with staged(tmp_path) as stage, serving(agent(handoff=choice)) as application:
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([ASK])
        exchange = Exchange(people)
        stage.engine.dial_through(exchange)
        yield stage, application, exchange


async def call(stage: Stage, *steps: Step) -> None:
    report, _ = await stage.call(WaitForSilence(), Say(ASK), *steps)
    assert report.problems == [] or not report.ok


def hooks(application: Application, name: str) -> list[dict[str, Any]]:
    return [message["data"] for message in application.messages if message.get("hook") == name]


@pytest.mark.agent_row("handoff", "handoff.mode: blind", "handoff.blindMethod", "handoff.actionHook")
@virtual_time
async def test_a_person_is_called_and_both_hear_each_other(tmp_path: Path) -> None:
    ann = Person(stays_s=5)
    async with handing_over(tmp_path, {ANN["sipUri"]: ann}) as (stage, application, exchange):
        stage.moonshot.say(ScriptedAnswer(CONNECT, (CALL,)))
        report, _ = await stage.call(WaitForSilence(), Say(ASK), WaitForSilence(), Pause(3), Say(ASK), Pause(30))
        assert exchange.called == [ANN["sipUri"]]
        assert ann.heard > 40, "the caller's voice reached the person"
        assert report.agent_speech, "the person's voice reached the caller"
        (transferred,) = hooks(application, "/transferred")
        assert (transferred["transfer_result"], transferred["transfer_reason"]) == ("bridged", "completed")
        assert transferred["sip_status"] == 200
        (complete,) = hooks(application, "/complete")
        assert complete["completion_reason"] == "normal conversation end"


@pytest.mark.agent_row("handoff.timeout", "handoff.disposition")
@virtual_time
async def test_nobody_answers_and_the_agent_goes_on(tmp_path: Path) -> None:
    async with handing_over(tmp_path, {ANN["sipUri"]: None}, timeout=12) as (stage, application, _):
        stage.moonshot.say(ScriptedAnswer(CONNECT, (CALL,)), "I am sorry, nobody is free.")
        await call(stage, WaitForSilence(), Pause(18), HangUp())
        assert stage.named("turn")[-1]["pii_heard"].endswith("I am sorry, nobody is free.")
        assert "Nobody answered" in told(stage)[-1]["content"]
        (transferred,) = hooks(application, "/transferred")
        assert (transferred["transfer_result"], transferred["transfer_reason"]) == ("returned", "no-answer")
        assert refused(stage) == []


@pytest.mark.agent_row("handoff.target")
@virtual_time
async def test_the_first_who_answers_wins(tmp_path: Path) -> None:
    bob: dict[str, Any] = {"type": "sip", "sipUri": "sip:bob@127.0.0.1"}
    people = {ANN["sipUri"]: None, bob["sipUri"]: Person(stays_s=3)}
    async with handing_over(tmp_path, people, target=[ANN, bob]) as (stage, application, exchange):
        stage.moonshot.say(ScriptedAnswer(CONNECT, (CALL,)))
        await call(stage, Pause(30))
        assert exchange.given_up == [ANN["sipUri"]]
        assert hooks(application, "/transferred")[0]["transfer_result"] == "bridged"


@pytest.mark.agent_row("handoff.disposition")
@virtual_time
async def test_dispositions(tmp_path: Path) -> None:
    async with handing_over(tmp_path, {ANN["sipUri"]: 486}, disposition={"onBusy": "hangup"}) as (stage, app, _):
        stage.moonshot.say(ScriptedAnswer(CONNECT, (CALL,)))
        _, leg = await stage.call(WaitForSilence(), Say(ASK), Pause(30))
        assert leg.bye_headers is not None
        assert hooks(app, "/transferred")[0]["transfer_reason"] == "busy"
        assert stage.books.records[-1].termination_reason == "transferred"


@pytest.mark.agent_row("handoff.disposition")
@virtual_time
async def test_voicemail_takes_who_is_declined(tmp_path: Path) -> None:
    box = "sip:box@127.0.0.1"
    disposition = {"onDecline": "voicemail", "voicemailUrl": box}
    people = {ANN["sipUri"]: 603, box: Person(stays_s=3)}
    async with handing_over(tmp_path, people, disposition=disposition) as (stage, application, exchange):
        stage.moonshot.say(ScriptedAnswer(CONNECT, (CALL,)))
        await call(stage, Pause(30))
        assert exchange.called == [ANN["sipUri"], box]
        assert hooks(application, "/transferred")[0]["transfer_result"] == "voicemail"


@pytest.mark.agent_row("handoff.mode: warm", "handoff.brief", "handoff.confirm")
@virtual_time
async def test_a_warm_transfer_is_briefed_and_confirmed_by_key(tmp_path: Path) -> None:
    ann = Person(keys="1", stays_s=30)
    confirm = {"prompt": "Press one to take a call.", "digit": "1"}
    async with handing_over(tmp_path, {ANN["sipUri"]: ann}, mode="warm", confirm=confirm) as (stage, application, _):
        stage.moonshot.say(ScriptedAnswer(CONNECT, (CALL,)), "A caller wants a table. Please help.")
        await call(stage, Pause(45))
        spoken = [text.strip() for text in stage.cartesia.records.transcripts if text.strip()]
        assert "Press one to take a call." in spoken
        assert "A caller wants a table. Please help." in " ".join(spoken)
        assert "Caller: " in str(stage.moonshot.chats[-1].messages[-1]["content"])
        assert hooks(application, "/transferred")[0]["transfer_result"] == "bridged"


@pytest.mark.agent_row("handoff.confirm")
@virtual_time
async def test_a_wrong_key_declines(tmp_path: Path) -> None:
    confirm = {"prompt": "Press one to take a call.", "digit": "1"}
    async with handing_over(tmp_path, {ANN["sipUri"]: Person(keys="2", stays_s=30)}, confirm=confirm) as (
        stage,
        application,
        _,
    ):
        stage.moonshot.say(ScriptedAnswer(CONNECT, (CALL,)), "She cannot take it.")
        await call(stage, Pause(20), HangUp())
        assert hooks(application, "/transferred")[0]["transfer_reason"] == "declined"


@virtual_time
async def test_a_caller_who_hangs_up_while_it_rings_gives_the_call_up(tmp_path: Path) -> None:
    async with handing_over(tmp_path, {ANN["sipUri"]: None}) as (stage, _, exchange):
        stage.moonshot.say(ScriptedAnswer(CONNECT, (CALL,)))
        await call(stage, WaitForSilence(), Pause(3), HangUp())
        assert exchange.given_up == [ANN["sipUri"]]


@virtual_time
async def test_the_model_calls_nobody_twice_while_it_rings(tmp_path: Path) -> None:
    async with handing_over(tmp_path, {ANN["sipUri"]: None}, timeout=25) as (stage, _, exchange):
        stage.deepgram.set_hearing([ASK, ASK])
        stage.moonshot.say(ScriptedAnswer(CONNECT, (CALL,)), ScriptedAnswer("Patience.", (CALL,)), "It still rings.")
        await call(stage, WaitForSilence(), Pause(2), Say(ASK), Pause(8), HangUp())
        assert exchange.called == [ANN["sipUri"]]
        assert refused(stage) == []


async def refer(stage: Stage, outcome: int | None, *steps: Step) -> ReferringPatch:
    """Call with a telephone that can be referred; `outcome` is what becomes of it, None = it declines."""
    caller = ScriptedCaller(await prepare([WaitForSilence(), Say(ASK), *steps], "tone"), record=False)
    info = LegInfo("a", "inbound", "15550001111", "1000", "sip", "192.0.2.7", 5060, "udp", carrier="loopback")
    leg = ReferringPatch(caller, info)
    leg.outcome = outcome
    stage.engine.offer(leg)
    await caller.run(leg.caller_end)
    async with asyncio.timeout(60):
        await stage.engine.wait_idle()
    return leg


@pytest.mark.agent_row("handoff.mode: blind", "handoff.blindMethod")
@virtual_time
async def test_a_blind_transfer_by_refer_takes_the_caller_away(tmp_path: Path) -> None:
    number = {"type": "phone", "number": "+15085551212"}
    async with handing_over(tmp_path, {}, blindMethod="refer", target=[number]) as (stage, application, _):
        stage.moonshot.say(ScriptedAnswer(CONNECT, (CALL,)))
        leg = await refer(stage, 200, Pause(20))
        assert leg.referred_to == "sip:+15085551212@192.0.2.7"
        assert leg.bye_headers is not None
        heard = [line["type"] for line in stage.named("turn.event", reply=2)]
        assert heard[:2] in (["ToolsStarted", "PlaybackStarted"], ["PlaybackStarted", "ToolsStarted"])
        assert hooks(application, "/transferred")[0]["sip_status"] == 200
        assert stage.books.records[-1].termination_reason == "transferred"


@virtual_time
async def test_a_telephone_that_will_not_be_referred_stays_with_the_agent(tmp_path: Path) -> None:
    async with handing_over(tmp_path, {}, blindMethod="refer") as (stage, application, _):
        stage.moonshot.say(ScriptedAnswer(CONNECT, (CALL,)), "I cannot connect you.")
        await refer(stage, None, WaitForSilence(), Pause(6), HangUp())
        assert hooks(application, "/transferred")[0]["transfer_result"] == "failed"
        assert stage.named("turn")[-1]["pii_heard"].endswith("I cannot connect you.")
