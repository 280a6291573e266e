"""Whole conversations through the engine, real adapters and the simulators, in virtual time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from moonwire.cli.inspect import replay
from moonwire.sandbox.caller import HangUp, Interrupt, Pause, Say, WaitForSilence, WaitForSpeech
from moonwire.sandbox.moonshot import Pacing
from moonwire.sandbox.virtual_time import virtual_time

from .stage import AGENT, staged

HOURS = "Hello, what are your opening hours?"
STORY = "Please tell me a story about the moon."


@virtual_time
async def test_a_call_greets_answers_and_ends(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.deepgram.set_hearing([HOURS])
        report, _ = await stage.call(WaitForSilence(), Say(HOURS), WaitForSilence(), HangUp())
        assert report.ok, report.problems
        assert [line["cause"] for line in stage.named("turn")] == ["greeting", "user"]
        assert "eleven in the morning" in stage.named("turn")[-1]["pii_heard"]
        assert stage.books.records[-1].termination_by == "caller"
        assert stage.books.alerts == []
        assert replay(stage.lines).difference is None


@pytest.mark.agent_row("confirmed interruption")
@virtual_time
async def test_the_model_is_told_what_was_heard_and_nothing_else(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.deepgram.set_hearing([STORY, "Wait, stop please."])
        report, _ = await stage.call(
            WaitForSilence(), Say(STORY), Interrupt("Wait, stop please.", after_s=3.0), WaitForSilence(), HangUp()
        )
        assert report.ok, report.problems
        interrupted = stage.named("turn", interrupted=True)
        assert len(interrupted) == 1
        heard = interrupted[0]["pii_heard"]
        assert heard.startswith("Once upon a time")
        assert len(heard) < 200, "three seconds of a long story"
        said = [message["content"] for message in stage.moonshot.chats[-1].messages]
        assert said[-2:] == [heard, "Wait, stop please."]


@pytest.mark.agent_row("confirmed interruption")
@virtual_time
async def test_the_audio_stops_when_the_caller_speaks(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.deepgram.set_hearing([STORY, "Wait, stop please."])
        report, _ = await stage.call(
            WaitForSilence(), Say(STORY), Interrupt("Wait, stop please.", after_s=2.0), WaitForSilence(), HangUp()
        )
        stops = [turn.barge_in_stop_s for turn in report.turns if turn.barge_in_stop_s is not None]
        assert stops
        assert max(stops) < 0.25


@pytest.mark.agent_row("confirmed interruption")
@virtual_time
async def test_the_model_stream_is_closed_at_once_on_an_interruption(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.moonshot.world.pacing = Pacing(first_token_s=0.05, gap_s=0.2)
        stage.deepgram.set_hearing([STORY, "Wait, stop please."])
        await stage.call(
            WaitForSilence(), Say(STORY), Interrupt("Wait, stop please.", after_s=2.0), WaitForSilence(), HangUp()
        )
        cut = [chat for chat in stage.moonshot.chats if chat.disconnected_s is not None]
        assert len(cut) == 1


@pytest.mark.agent_row("greeting")
@virtual_time
async def test_an_exact_greeting_is_spoken_without_the_model(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.run_application([AGENT | {"greeting": "Welcome to the moon."}])
        report, _ = await stage.call(WaitForSilence(), HangUp())
        assert report.ok
        assert stage.moonshot.chats == []
        assert stage.named("turn")[0]["pii_heard"] == "Welcome to the moon."


@pytest.mark.agent_row("greeting")
@virtual_time
async def test_without_a_greeting_the_caller_speaks_first(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.run_application([AGENT | {"greeting": False}])
        stage.deepgram.set_hearing([HOURS])
        report, _ = await stage.call(Pause(1.0), Say(HOURS), WaitForSilence(), HangUp())
        assert report.ok, report.problems
        assert [line["cause"] for line in stage.named("turn")] == ["user"]


@virtual_time
async def test_a_silent_caller_is_asked(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.run_application([AGENT | {"noResponseTimeout": 3}])
        report, _ = await stage.call(WaitForSilence(), WaitForSpeech(), Pause(4.0), HangUp())
        assert report.ok, report.problems
        assert [line["cause"] for line in stage.named("turn")][:2] == ["greeting", "no_response"]


@pytest.mark.agent_row("turnDetection: stt")
@virtual_time
async def test_vendor_turn_detection_answers_without_the_silence_timer(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.run_application([AGENT | {"turnDetection": "stt"}])
        stage.deepgram.set_hearing([HOURS])
        report, _ = await stage.call(WaitForSilence(), Say(HOURS), WaitForSilence(), HangUp())
        assert report.ok, report.problems
        started = next(line for line in stage.named("call") if line["name"] == "agent_started")
        assert started["turn_detection"] == {"asked": "stt", "engine": "stt"}
        assert any(line["type"] == "EndOfTurn" for line in stage.named("turn.event"))


@virtual_time
async def test_nothing_is_left_behind(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.deepgram.set_hearing([HOURS])
        await stage.call(WaitForSilence(), HangUp())
        before = {task.get_name() for task in asyncio.all_tasks()}
        for _ in range(3):
            await stage.call(WaitForSilence(), Say(HOURS), WaitForSilence(), HangUp())
        after = {task.get_name() for task in asyncio.all_tasks()}
        assert len(after) <= len(before)
        assert stage.engine.active_calls == 0


@virtual_time
async def test_the_greeting_is_ready_when_the_call_is_answered(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.moonshot.world.pacing = Pacing(first_token_s=0.6)
        report, _ = await stage.call(WaitForSilence(), HangUp())
        assert report.agent_speech[0][0] <= 0.06, "the model's second passed while it rang"


@virtual_time
async def test_a_slow_greeting_does_not_keep_the_caller_ringing(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.moonshot.world.pacing = Pacing(first_token_s=3.0)
        report, _ = await stage.call(WaitForSilence(), HangUp())
        assert 1.2 < report.agent_speech[0][0] < 2.0
