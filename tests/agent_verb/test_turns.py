"""Turn detection, early generation, barge-in, and what the agent does on its own account."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.agent_verb.talk import HOURS, STORY, WAIT, held
from tests.call.test_turn_taking import Marks

from moonwire.core.dialog.history import OPENING
from moonwire.sandbox.caller import HangUp, Interrupt, Pause, Say, SendDigits, Step, WaitForSilence
from moonwire.sandbox.moonshot import Pacing
from moonwire.sandbox.moonshot.script import ScriptedAnswer, ScriptedCall
from moonwire.sandbox.virtual_time import virtual_time

INTERRUPTED: tuple[Step, ...] = (
    *(WaitForSilence(), Say(STORY), Interrupt(WAIT, after_s=2.0)),
    *(WaitForSilence(limit_s=60), HangUp()),
)


@virtual_time
async def test_turn_detection_with_native_turn_taking(tmp_path: Path) -> None:
    talk = await held(tmp_path, {"stt": {"vendor": "deepgramflux"}, "turnDetection": "krisp"}, detector=Marks())
    assert talk.started["turn_detection"] == {"asked": "krisp", "engine": "stt"}
    assert "eleven" in talk.heard[-1]
    assert talk.errors == []


@virtual_time
async def test_turn_detection_model(tmp_path: Path) -> None:
    marks = Marks()
    talk = await held(tmp_path, {"turnDetection": {"mode": "krisp", "model": "v2"}}, detector=marks)
    assert talk.errors == []
    assert talk.started["turn_detection"]["engine"] == marks.name
    assert "eleven" in talk.heard[-1]


@virtual_time
async def test_early_generation_with_flux(tmp_path: Path) -> None:
    flux = {"vendor": "deepgramflux", "deepgramOptions": {"eagerEotThreshold": 0.4, "eotThreshold": 0.8}}
    talk = await held(tmp_path, {"stt": flux})
    assert talk.ends[-1]["latency"]["preflight"]["result"] in ("hit", "pending")
    assert talk.stage.named("turn.command", type="StartEarlyReply")


@virtual_time
async def test_early_generation_and_tools(tmp_path: Path) -> None:
    ran_at: list[float] = []

    async def weather(arguments: dict[str, Any]) -> str:
        ran_at.append(asyncio.get_running_loop().time())
        return "sunny"

    tool = {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}
    talk = await held(
        tmp_path,
        {"earlyGeneration": True, "llm": {"llmOptions": {"tools": [tool]}}},
        detector=Marks(early_s=0.2, end_s=1.5),
        says=[ScriptedAnswer("", (ScriptedCall("get_weather"),)), "It is sunny."],
        tools={"get_weather": weather},
    )
    released = talk.stage.named("turn.command", type="ReleaseReply")[0]["at_s"]
    called = talk.stage.named("tool", name="called")[0]["at_s"]
    assert len(ran_at) == 1
    assert called >= released
    assert talk.heard[-1] == "It is sunny."


@virtual_time
async def test_barge_in_enable(tmp_path: Path) -> None:
    talk = await held(tmp_path, {"bargeIn": {"enable": False}}, steps=INTERRUPTED, hears=[STORY, WAIT])
    assert not any(end["interrupted"] for end in talk.ends)
    assert talk.events("user_interruption") == []
    assert talk.heard[1].endswith("wave at the moon.")


@virtual_time
async def test_barge_in_strategy_vad(tmp_path: Path) -> None:
    talk = await held(tmp_path, {"bargeIn": {"strategy": "vad"}}, steps=INTERRUPTED, hears=[STORY, WAIT])
    stops = [turn.barge_in_stop_s for turn in talk.report.turns if turn.barge_in_stop_s is not None]
    assert max(stops) < 0.3, "the first sound holds the voice"
    assert talk.stage.named("turn.command", type="PausePlayback")
    assert [end["interrupted"] for end in talk.ends[:2]] == [False, True]


@virtual_time
async def test_barge_in_strategy_interrupt_prediction(tmp_path: Path) -> None:
    asked = {"strategy": "interruptPrediction", "vendor": "krisp", "threshold": 0.6}
    talk = await held(tmp_path, {"bargeIn": asked}, steps=INTERRUPTED, hears=[STORY, WAIT])
    assert talk.errors == []
    assert talk.started["barge_in"]["asked"] == "interruptPrediction"
    assert talk.started["barge_in"]["engine"] != "interruptPrediction", "what judges is named"
    assert [end["interrupted"] for end in talk.ends[:2]] == [False, True]


@pytest.mark.parametrize(("seconds", "interrupted"), [(0.4, True), (4.0, False)])
def test_barge_in_min_speech_duration(seconds: float, interrupted: bool, tmp_path: Path) -> None:
    @virtual_time
    async def scene() -> None:
        choice = {"minSpeechDuration": seconds, "minWords": 0}
        talk = await held(tmp_path, {"bargeIn": choice}, steps=INTERRUPTED, hears=[STORY, ""])
        assert talk.ends[1]["interrupted"] is interrupted

    scene()


@pytest.mark.parametrize(("words", "interrupted"), [(1, True), (3, False)])
def test_barge_in_min_words(words: int, interrupted: bool, tmp_path: Path) -> None:
    @virtual_time
    async def scene() -> None:
        steps = [WaitForSilence(), Say(STORY), Interrupt("Stop.", after_s=2.0), WaitForSilence(limit_s=60), HangUp()]
        talk = await held(tmp_path, {"bargeIn": {"minWords": words}}, steps=steps, hears=[STORY, "Stop."])
        assert talk.ends[1]["interrupted"] is interrupted

    scene()


@virtual_time
async def test_barge_in_sticky(tmp_path: Path) -> None:
    talk = await held(tmp_path, {"bargeIn": {"sticky": True}}, steps=INTERRUPTED, hears=[STORY, "Mm-hm."])
    assert talk.stage.named("turn.command", type="ResumePlayback") == []
    assert len(talk.heard[1]) < 200, "the story was not resumed"


@virtual_time
async def test_confirmed_interruption(tmp_path: Path) -> None:
    talk = await held(tmp_path, steps=INTERRUPTED, hears=[STORY, WAIT])
    assert len(talk.events("user_interruption")) == 1
    cut = talk.ends[1]
    assert cut["interrupted"] is True
    assert cut["response"] == talk.heard[1]
    told = [message["content"] for message in talk.requests[-1]["messages"]]
    assert told[-2:] == [cut["response"], WAIT]


@virtual_time
async def test_false_alarm(tmp_path: Path) -> None:
    talk = await held(tmp_path, steps=INTERRUPTED, hears=[STORY, "Mm-hm."])
    assert talk.stage.named("turn.command", type="ResumePlayback")
    assert talk.heard[1].endswith("wave at the moon."), "all of the story"
    assert len(talk.requests) == 1


@virtual_time
async def test_greeting_request(tmp_path: Path) -> None:
    talk = await held(tmp_path, {"greeting": True}, steps=INTERRUPTED, hears=[STORY, WAIT])
    assert [message["role"] for message in talk.requests[0]["messages"]] == ["system", "user"]
    assert talk.requests[0]["messages"][1]["content"] == OPENING


@virtual_time
async def test_greeting_request__may_be_interrupted(tmp_path: Path) -> None:
    long = "Welcome to the Moonlight Restaurant, where every evening is a good evening. " * 3
    steps = [Interrupt(WAIT, after_s=1.5), WaitForSilence(), HangUp()]
    talk = await held(tmp_path, {"greeting": True}, steps=steps, hears=[WAIT], says=[long])
    assert talk.ends[0]["interrupted"] is True


@virtual_time
async def test_prompt_after_silence(tmp_path: Path) -> None:
    steps = [WaitForSilence(), Pause(2), Say(HOURS), WaitForSilence(), Pause(5), HangUp()]
    talk = await held(tmp_path, {"noResponseTimeout": 4}, steps=steps, says=["At ten.", "Are you still there?"])
    assert talk.causes == ["greeting", "user", "no_response"], "speech cancelled the first timer"
    assert talk.events("llm_response")[-1]["response"] == "Are you still there?"


@virtual_time
async def test_sentence_cutting(tmp_path: Path) -> None:
    talk = await held(
        tmp_path,
        steps=[WaitForSilence(), Say(STORY), WaitForSilence(quiet_s=3), HangUp()],
        hears=[STORY],
        before=lambda stage, _: setattr(stage.moonshot.world, "pacing", Pacing(first_token_s=0.1, gap_s=0.1)),
    )
    said_at = talk.stage.named("turn.event", type="PlaybackStarted")[-1]["at_s"]
    complete_at = talk.stage.named("hook", name="llm_response")[-1]["at_s"]
    assert complete_at - said_at > 3, "the voice began long before the model was done"
    assert len(talk.stage.cartesia.records.transcripts) > 5


@virtual_time
async def test_think_blocks(tmp_path: Path) -> None:
    talk = await held(tmp_path, says=["<think>Easy.</think>We open at ten. (silence)"])
    assert talk.heard[-1] == "We open at ten."
    assert "Easy" not in " ".join(talk.stage.cartesia.records.transcripts)


@virtual_time
async def test_keys(tmp_path: Path) -> None:
    steps = [WaitForSilence(), SendDigits("12#"), WaitForSilence(), HangUp()]
    talk = await held(tmp_path, steps=steps)
    assert talk.requests[-1]["messages"][-1] == {"role": "user", "content": "(keypad: 12)"}
