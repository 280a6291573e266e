"""The `dial` verb: who is called, what the caller hears meanwhile, how both are connected, what the hooks hear."""

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

from moonwire.call.live_calls import EngineCalls
from moonwire.core.audio.frames import FRAME_S
from moonwire.errors import CallError
from moonwire.sandbox.caller import CallerReport, HangUp, Pause, Say, SendDigits, Step
from moonwire.sandbox.patch import PatchLeg
from moonwire.sandbox.virtual_time import virtual_time
from moonwire.spec.call_update import parse_call_update

ANN = "sip:ann@127.0.0.1"
BOB = "sip:bob@127.0.0.1"
TO_ANN: dict[str, Any] = {"type": "sip", "sipUri": ANN}
TO_BOB: dict[str, Any] = {"type": "sip", "sipUri": BOB}
TALK = "Can I speak to a human?"
VOICE = {"vendor": "cartesia"}


@asynccontextmanager
async def dialling(
    tmp_path: Path, people: Mapping[str, Person | int | None], **dial: Any
) -> AsyncGenerator[tuple[Stage, Application, Exchange]]:
    async with staged(tmp_path) as stage, serving(AGENT) as application:
        stage.run_application(None, application.url)
        application.verbs = [{"verb": "dial", "target": [TO_ANN], "actionHook": "/dialled"} | dial]
        exchange = Exchange(people)
        stage.engine.dial_through(exchange)
        yield stage, application, exchange


async def call(stage: Stage, *steps: Step) -> tuple[CallerReport, PatchLeg]:
    return await stage.call(*steps)


def outcome(application: Application) -> dict[str, Any]:
    (found,) = [message["data"] for message in application.messages if message.get("hook") == "/dialled"]
    return found


def legs(application: Application) -> list[tuple[str, str]]:
    """Statuses of dialled legs."""
    return [
        (data["call_status"], data["direction"]) for data in application.of("call:status") if "parent_call_sid" in data
    ]


@virtual_time
async def test_both_hear_each_other_until_one_hangs_up(tmp_path: Path) -> None:
    ann = Person(stays_s=8)
    async with dialling(tmp_path, {ANN: ann}, timeout=20, callerId="+1617", callerName="Moon") as (
        stage,
        app,
        exchange,
    ):
        report, _ = await call(stage, Pause(3), Say(TALK), Pause(30))
        assert ann.heard > 40
        assert report.agent_speech
        assert legs(app) == [
            ("trying", "outbound"),
            ("ringing", "outbound"),
            ("in-progress", "outbound"),
            ("completed", "outbound"),
        ]
        told = outcome(app)
        peer = next(data for data in app.of("call:status") if "parent_call_sid" in data)
        assert peer["parent_call_sid"] == told["call_sid"]
        assert (told["dial_call_status"], told["dial_sip_status"], told["dial_call_sid"]) == (
            "completed",
            200,
            peer["call_sid"],
        )
        assert told["dial_call_duration"] == 8
        assert (exchange.orders[0].from_user, exchange.orders[0].from_name) == ("+1617", "Moon")
        sids = {record.call_sid: record for record in stage.books.records}
        assert sids[peer["call_sid"]].direction == "outbound"


@pytest.mark.parametrize(
    ("answer", "status", "sip_status"), [(486, "busy", 486), (500, "failed", 500), (None, "no-answer", 487)]
)
@virtual_time
async def test_nobody_takes_the_call(tmp_path: Path, answer: int | None, status: str, sip_status: int) -> None:
    async with dialling(tmp_path, {ANN: answer}, timeout=9) as (stage, app, _):
        await call(stage, Pause(30))
        told = outcome(app)
        assert (told["dial_call_status"], told["dial_sip_status"]) == (status, sip_status)
        assert legs(app)[-1] == (status, "outbound")


@virtual_time
async def test_the_caller_hears_it_ring(tmp_path: Path) -> None:
    async with dialling(tmp_path, {ANN: None}, timeout=9) as (stage, _, _):
        report, _ = await call(stage, Pause(30))
        starts = [round(start) for start, _ in report.agent_speech]
        assert starts == [0, 6], "two seconds of tone every six"


@virtual_time
async def test_the_caller_hears_what_comes_from_over_there(tmp_path: Path) -> None:
    async with dialling(tmp_path, {ANN: Person(early_media=True, stays_s=3)}) as (stage, _, _):
        report, _ = await call(stage, Pause(30))
        (heard,) = report.agent_speech
        assert heard[1] - heard[0] > 4, "no gap between early media and the answer"


@virtual_time
async def test_answer_on_bridge_leaves_the_caller_ringing(tmp_path: Path) -> None:
    async with dialling(tmp_path, {ANN: 486}, answerOnBridge=True) as (stage, app, _):
        _, leg = await call(stage, Pause(30))
        assert not leg.answered.is_set()
        assert leg.rang
        assert outcome(app)["dial_call_status"] == "busy"
    async with dialling(tmp_path, {ANN: Person(stays_s=3)}, answerOnBridge=True) as (stage, app, _):
        _, leg = await call(stage, Pause(30))
        assert leg.answered.is_set()
        assert app.of("call:status")[2]["call_status"] == "ringing"


@virtual_time
async def test_all_targets_ring_and_the_first_wins(tmp_path: Path) -> None:
    people = {ANN: None, BOB: Person(stays_s=3)}
    async with dialling(tmp_path, people, target=[TO_ANN, TO_BOB]) as (stage, app, exchange):
        await call(stage, Pause(30))
        assert exchange.called == [ANN, BOB]
        assert exchange.given_up == [ANN]
        assert outcome(app)["dial_call_status"] == "completed"


@pytest.mark.parametrize("pause_s", [1.0, 4.0])
@virtual_time
async def test_a_caller_who_hangs_up_leaves_no_leg(tmp_path: Path, pause_s: float) -> None:
    ann = Person(stays_s=300)
    async with dialling(tmp_path, {ANN: ann}) as (stage, app, exchange):
        await call(stage, Pause(pause_s), HangUp())
        assert ann.ended is not None or exchange.given_up == [ANN]
        assert outcome(app)["dial_call_status"] == ("no-answer" if pause_s < 2 else "completed")
        assert len(stage.books.records) == 2


@virtual_time
async def test_a_connection_ends_at_its_limit(tmp_path: Path) -> None:
    ann = Person(stays_s=300)
    async with dialling(tmp_path, {ANN: ann}, timeLimit=5) as (stage, app, exchange):
        await call(stage, Pause(30))
        assert exchange.hung_up == [ANN]
        assert outcome(app)["dial_call_duration"] == 5


@virtual_time
async def test_a_person_is_asked_whether_to_take_the_call(tmp_path: Path) -> None:
    ann = Person(stays_s=12)
    async with dialling(tmp_path, {ANN: ann}, confirmHook="/confirm") as (stage, app, _):
        app.answers["/confirm"] = [{"verb": "say", "text": "A call for you.", "synthesizer": VOICE}]
        await call(stage, Pause(30))
        (asked,) = app.of("dial:confirm")
        assert (asked["direction"], asked["call_status"]) == ("outbound", "in-progress")
        assert "A call for you." in " ".join(stage.cartesia.records.transcripts)
        assert outcome(app)["dial_call_status"] == "completed"
    async with dialling(tmp_path, {ANN: Person(stays_s=300)}, confirmHook="/confirm") as (stage, app, exchange):
        app.answers["/confirm"] = [{"verb": "hangup"}]
        await call(stage, Pause(30))
        assert exchange.hung_up == [ANN]
        assert outcome(app)["dial_call_status"] == "completed"
        assert outcome(app).get("dial_call_duration") is None, "they were never connected"


@virtual_time
async def test_keys_are_passed_on_and_looked_for(tmp_path: Path) -> None:
    ann = Person(stays_s=300)
    capture: dict[str, Any] = {"dtmfCapture": {"parentCall": ["*9"]}, "dtmfHook": "/keys"}
    async with dialling(tmp_path, {ANN: ann}, **capture) as (stage, app, exchange):
        app.answers["/keys"] = [{"verb": "hangup"}]
        _, leg = await call(stage, Pause(4), SendDigits("1*9"), Pause(30))
        assert ann.digits == "1*9"
        (keys,) = [message["data"] for message in app.messages if message.get("hook") == "/keys"]
        assert keys["dtmf"] == "*9"
        assert exchange.hung_up == [ANN]
        assert leg.bye_headers is not None, "what the dtmfHook wants runs next"


@virtual_time
async def test_a_whisper_is_heard_by_one_side(tmp_path: Path) -> None:
    ann = Person(stays_s=9)
    async with dialling(tmp_path, {ANN: ann}) as (stage, app, _):
        live = EngineCalls(stage.engine)

        async def whisper() -> None:
            while len(live.all()) < 2 or live.all()[1].payload["call_status"] != "in-progress":
                await asyncio.sleep(FRAME_S)
            caller, peer = live.all()
            (command,), _ = parse_call_update({"whisper": {"verb": "say", "text": "Psst.", "synthesizer": VOICE}})
            live.execute(peer.call_sid, command)
            live.execute(peer.call_sid, command)
            (update,), _ = parse_call_update({"tag": {}})
            with pytest.raises(CallError):
                live.execute(peer.call_sid, update)
            await app.command("mute:status", {"mute_status": "mute"}, callSid=caller.call_sid)

        whispering = asyncio.create_task(whisper())
        await call(stage, Pause(4), Say(TALK), Pause(30))
        await whispering
        assert " ".join(stage.cartesia.records.transcripts).count("Psst.") == 2, "one after the other"
        assert 0 < ann.heard < 300, "the whispers, and nothing of a muted caller"


@virtual_time
async def test_what_is_wrong_with_a_dial_is_named(tmp_path: Path) -> None:
    async with dialling(tmp_path, {ANN: Person(stays_s=2)}, timeout="soon", callerId="+1") as (stage, app, _):
        await call(stage, Pause(30))
        assert any("timeout" in str(error) for error in app.of("jambonz:error"))
        assert outcome(app)["dial_call_status"] == "completed"
    async with dialling(tmp_path, {}, target=[{"type": "user", "name": "ann"}]) as (stage, app, _):
        await call(stage, Pause(30))
        assert (outcome(app)["dial_call_status"], outcome(app)["dial_sip_status"]) == ("failed", 404)
