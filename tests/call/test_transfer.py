"""The verbs `transfer` and `sip:refer`, and transfers that come from outside while an agent talks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.call.application import Application, serving
from tests.call.stage import AGENT, Stage, staged
from tests.call.telephones import Exchange, Person
from tests.call.tools.test_handoff import CALL, CONNECT, ReferringPatch, handing_over, hooks
from tests.call.tools.test_handoff import call as called

from moonwire.call.live_calls import EngineCalls
from moonwire.core.audio.frames import FRAME_S
from moonwire.errors import CallError
from moonwire.ports.legs import LegInfo
from moonwire.sandbox.caller import HangUp, Pause, Say, ScriptedCaller, WaitForSilence, prepare
from moonwire.sandbox.moonshot.script import ScriptedAnswer
from moonwire.sandbox.virtual_time import virtual_time
from moonwire.spec.call_update import parse_call_update

ANN = "sip:ann@127.0.0.1"
TO_ANN: dict[str, Any] = {"type": "sip", "sipUri": ANN}
VOICE = {"vendor": "cartesia"}


@asynccontextmanager
async def running(
    tmp_path: Path, people: Mapping[str, Person | int | None], *verbs: dict[str, Any]
) -> AsyncGenerator[tuple[Stage, Application, Exchange]]:
    async with staged(tmp_path) as stage, serving(AGENT | {"greeting": "Hello."}) as application:
        stage.run_application(None, application.url)
        application.verbs = list(verbs) or None
        exchange = Exchange(people)
        stage.engine.dial_through(exchange)
        yield stage, application, exchange


@virtual_time
async def test_the_transfer_verb_briefs_and_connects(tmp_path: Path) -> None:
    transfer = {
        "verb": "transfer",
        "mode": "warm",
        "target": [TO_ANN],
        "brief": {"text": "Ada wants a table.", "synthesizer": VOICE},
        "actionHook": "/transferred",
    }
    ann = Person(stays_s=12)
    async with running(tmp_path, {ANN: ann}, transfer) as (stage, application, _):
        await stage.call(Pause(8), Say("Can I speak to a human?"), Pause(30))
        assert "Ada wants a table." in " ".join(stage.cartesia.records.transcripts)
        (told,) = hooks(application, "/transferred")
        assert (told["transfer_result"], told["transfer_reason"], told["sip_status"]) == ("bridged", "completed", 200)
        assert told["dial_call_sid"] in [record.call_sid for record in stage.books.records]
        assert ann.heard > 100, "the brief, then the caller"


@virtual_time
async def test_the_transfer_verb_returns_to_the_script(tmp_path: Path) -> None:
    transfer = {"verb": "transfer", "mode": "blind", "blindMethod": "dial", "target": TO_ANN, "actionHook": "/done"}
    async with running(tmp_path, {ANN: 486}, transfer, {"verb": "hangup"}) as (stage, application, _):
        application.answers["/done"] = []
        _, leg = await stage.call(Pause(30))
        assert leg.bye_headers is not None
        assert hooks(application, "/done")[0]["transfer_reason"] == "busy"


@pytest.mark.parametrize(("answer", "status"), [(200, (202, 200)), (486, (202, 486)), (None, (603, None))])
@virtual_time
async def test_sip_refer_tells_how_it_went(tmp_path: Path, answer: int | None, status: tuple[int, int | None]) -> None:
    refer = {
        "verb": "sip:refer",
        "referTo": "+15085551212",
        "referredBy": "ada",
        "referredByDisplayName": "Ada",
        "headers": {"X-Reason": "human"},
        "actionHook": "/referred",
        "eventHook": "/news",
    }
    async with running(tmp_path, {}, refer) as (stage, application, _):
        caller = ScriptedCaller(await prepare([Pause(10)], "tone"), record=False)
        leg = ReferringPatch(caller, LegInfo("a", "inbound", "1", "1000", "sip", "192.0.2.7", 5060, "udp"))
        leg.outcome = answer
        stage.engine.offer(leg)
        await caller.run(leg.caller_end)
        await stage.engine.wait_idle()
        assert leg.referred_to == "sip:+15085551212@192.0.2.7"
        assert leg.refer_headers == {"X-Reason": "human", "Referred-By": '"Ada" <sip:ada@192.0.2.7>'}
        (told,) = hooks(application, "/referred")
        assert (told["refer_status"], told.get("final_referred_call_status")) == status
        news = [(data["event"], data["call_status"]) for data in hooks(application, "/news")]
        expected = {200: ["ringing", "in-progress"], 486: ["ringing", "busy"], None: []}[answer]
        assert news == [("transfer-status", word) for word in expected]


@virtual_time
async def test_a_caller_who_gives_up_is_told_to_the_application(tmp_path: Path) -> None:
    async with handing_over(tmp_path, {ANN: None}) as (stage, application, exchange):
        stage.moonshot.say(ScriptedAnswer(CONNECT, (CALL,)))
        await called(stage, WaitForSilence(), Pause(3), HangUp())
        assert exchange.given_up == [ANN]
        (told,) = hooks(application, "/transferred")
        assert (told["transfer_result"], told["transfer_reason"]) == ("failed", "caller-abandoned")
        (complete,) = hooks(application, "/complete")
        assert complete["completion_reason"] == "normal conversation end"


@pytest.mark.parametrize("answer", [None, 4.0])
@virtual_time
async def test_rest_transfers_a_caller_of_an_agent(tmp_path: Path, answer: float | None) -> None:
    ann = Person(stays_s=answer) if answer else 486
    async with running(tmp_path, {ANN: ann}) as (stage, application, exchange):
        live = EngineCalls(stage.engine)
        order = {"mode": "blind", "blindMethod": "dial", "target": [TO_ANN], "actionHook": "/transferred"}
        (command,), _ = parse_call_update({"transfer": order})
        application.answers["/transferred"] = []

        async def order_it() -> None:
            while not any(event["type"] == "turn_end" for event in application.events):
                await asyncio.sleep(FRAME_S)
            live.execute(live.all()[0].call_sid, command)
            await asyncio.sleep(FRAME_S)
            with pytest.raises(CallError) as refused:
                live.execute(live.all()[0].call_sid, command)
            assert refused.value.reason == "transferring"

        if answer is None:
            exchange.people = {ANN: None}
            (command,), _ = parse_call_update({"transfer": order | {"timeout": 5}})
        ordering = asyncio.create_task(order_it())
        await stage.call(WaitForSilence(), Pause(9), Say("Can I speak to a human?"), WaitForSilence(), HangUp())
        await ordering
        (told,) = hooks(application, "/transferred")
        assert told["transfer_result"] == ("bridged" if answer else "returned")
        turns = [event for event in application.events if event["type"] == "turn_end"]
        assert len(turns) == (1 if answer else 2), "who was not taken goes on with the agent"


@pytest.mark.parametrize("hangs_up_after_s", [3.0, 5.0, 8.0, 14.0])
@virtual_time
async def test_a_caller_who_hangs_up_at_any_time_leaves_nobody_on_the_line(
    tmp_path: Path, hangs_up_after_s: float
) -> None:
    """While it rings, while the person is asked, while the person is told, while both talk."""
    ann = Person(keys="1", stays_s=300)
    confirm = {"prompt": "Press one to take a call.", "digit": "1"}
    choice = {"mode": "warm", "confirm": confirm, "onHoldHook": "/hold"}
    async with handing_over(tmp_path, {ANN: ann}, **choice) as (stage, application, exchange):
        application.answers["/hold"] = [{"verb": "pause", "length": 1}]
        stage.moonshot.say(ScriptedAnswer(CONNECT, (CALL,)), "A caller wants a table, a long story. Please help.")
        await called(stage, Pause(hangs_up_after_s), HangUp())
        assert exchange.given_up == [ANN] or ann.ended is not None
        (told,) = hooks(application, "/transferred")
        assert told["transfer_reason"] in ("caller-abandoned", "completed")
        assert len(stage.books.records) == 2
        assert stage.engine.active_calls == 0
