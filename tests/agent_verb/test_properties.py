"""The agent's properties, each in a call of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.agent_verb.talk import HOURS, JUST_THE_GREETING, STORY, WAIT, held
from tests.call.application import Application
from tests.call.stage import Stage

from moonwire.ports.directory import LlmChoice
from moonwire.sandbox.caller import HangUp, Interrupt, Pause, Say, WaitForSilence
from moonwire.sandbox.virtual_time import virtual_time
from moonwire.spec.components import Recognizer, Synthesizer


def defaults(**members: Any) -> Any:
    """Give the application defaults."""

    def give(stage: Stage, _: Application) -> None:
        application = stage.overlay.application
        assert application is not None
        stage.overlay = replace(stage.overlay, application=replace(application, **members))
        stage.directory.overlay_sandbox(stage.overlay)

    return give


@virtual_time
async def test_id(tmp_path: Path) -> None:
    talk = await held(tmp_path, {"id": "my-agent"}, steps=JUST_THE_GREETING)
    assert talk.hooked("/complete")[0]["verb_id"] == "my-agent"


@virtual_time
async def test_stt(tmp_path: Path) -> None:
    chosen = Recognizer(vendor="deepgramflux", language="en")
    talk = await held(tmp_path, {"stt": None}, before=defaults(recognizer=chosen))
    assert talk.started["stt"] == "deepgramflux"
    assert "eleven" in talk.heard[-1]


@virtual_time
async def test_stt__missing_everywhere_is_said_and_told(tmp_path: Path) -> None:
    talk = await held(tmp_path, {"stt": None}, steps=[WaitForSilence(), Pause(30)], before=defaults(recognizer=None))
    assert talk.errors[0]["verb"] == "agent"
    assert "speech-to-text" in talk.errors[0]["msg"]
    assert talk.report.agent_speech, "a spoken sentence"


@virtual_time
async def test_tts(tmp_path: Path) -> None:
    chosen = Synthesizer(vendor="deepgram", voice="aura-2-thalia-en")
    talk = await held(tmp_path, {"tts": None}, steps=JUST_THE_GREETING, before=defaults(synthesizer=chosen))
    assert talk.started["tts"] == "deepgram"
    assert talk.heard == ["Hello."]


@virtual_time
async def test_llm(tmp_path: Path) -> None:
    talk = await held(tmp_path, {"llm": None}, before=defaults(llm=LlmChoice("moonshot", "kimi-k2.6")))
    assert talk.requests[0]["model"] == "kimi-k2.6"
    assert "eleven" in talk.heard[-1]


@virtual_time
async def test_llm__missing_everywhere_is_said_and_told(tmp_path: Path) -> None:
    talk = await held(tmp_path, {"llm": None}, steps=[WaitForSilence(), Pause(30)])
    assert "no language model" in talk.errors[0]["msg"]
    assert talk.report.agent_speech, "a spoken sentence"
    assert talk.hooked("/complete")[0]["completion_reason"] == "server error"


@virtual_time
async def test_turn_detection(tmp_path: Path) -> None:
    talk = await held(tmp_path, {"turnDetection": None})
    assert talk.started["turn_detection"] == {"asked": "stt", "engine": "stt"}


@virtual_time
async def test_barge_in(tmp_path: Path) -> None:
    steps = [WaitForSilence(), Say(STORY), Interrupt(WAIT, after_s=2.0), WaitForSilence(), HangUp()]
    talk = await held(tmp_path, {"bargeIn": None}, steps=steps, hears=[STORY, WAIT])
    assert [end["interrupted"] for end in talk.ends] == [False, True, False]


@virtual_time
async def test_no_response_timeout(tmp_path: Path) -> None:
    steps = [WaitForSilence(), Pause(6), HangUp()]
    talk = await held(tmp_path, {"noResponseTimeout": 4}, steps=steps, says=["Are you still there?"])
    assert talk.causes == ["greeting", "no_response"]
    greeting, prompt = talk.report.agent_speech
    assert 3.9 < prompt[0] - greeting[1] < 4.6


@virtual_time
async def test_no_response_timeout__is_off_without_it(tmp_path: Path) -> None:
    talk = await held(tmp_path, steps=[WaitForSilence(), Pause(40), HangUp()])
    assert talk.causes == ["greeting"]


@virtual_time
async def test_no_response_max_prompts(tmp_path: Path) -> None:
    choice = {"noResponseTimeout": 3, "noResponseMaxPrompts": 2}
    talk = await held(tmp_path, choice, steps=[WaitForSilence(), Pause(60)], says=["Hello?", "Are you there?"])
    assert talk.heard == ["Hello.", "Hello?", "Are you there?"]
    assert talk.hooked("/complete")[0]["completion_reason"] == "no_response"
    assert talk.report.duration_s < 25


@virtual_time
async def test_no_response_max_prompts__counts_afresh_when_the_caller_speaks(tmp_path: Path) -> None:
    choice = {"noResponseTimeout": 3, "noResponseMaxPrompts": 1}
    steps = [WaitForSilence(), Pause(4), WaitForSilence(), Say(HOURS), WaitForSilence(), Pause(60)]
    talk = await held(tmp_path, choice, steps=steps, says=["Hello?", "At ten.", "Hello again?"])
    assert talk.causes == ["greeting", "no_response", "user", "no_response"]


@virtual_time
async def test_greeting(tmp_path: Path) -> None:
    talk = await held(tmp_path, {"greeting": True}, steps=JUST_THE_GREETING, says=["Good evening."])
    assert talk.causes == ["greeting"]
    assert talk.heard == ["Good evening."]


@virtual_time
async def test_speak(tmp_path: Path) -> None:
    steps = [Pause(1), Say(HOURS), Pause(5), HangUp()]
    talk = await held(tmp_path, {"speak": False, "greeting": True}, steps=steps, says=["Good evening.", "At ten."])
    assert talk.report.agent_speech == []
    assert talk.stage.cartesia.records.transcripts == []
    assert [event["response"] for event in talk.events("llm_response")] == ["Good evening.", "At ten."]
    assert [end["response"] for end in talk.ends] == ["Good evening.", "At ten."]
    assert talk.requests[-1]["messages"][-2]["content"] == "Good evening.", "the history has it"


@virtual_time
async def test_event_hook(tmp_path: Path) -> None:
    talk = await held(tmp_path, {"eventHook": "/my-events"})
    kinds = [event["type"] for event in talk.hooked("/my-events")]
    assert kinds == ["llm_response", "turn_end", "user_transcript", "llm_response", "turn_end"]


@virtual_time
async def test_event_hook__may_be_missing(tmp_path: Path) -> None:
    talk = await held(tmp_path, before=lambda _, application: application.agent.pop("eventHook"))
    assert talk.application.events == []
    assert "eleven" in talk.heard[-1]


@virtual_time
async def test_unknown_properties(tmp_path: Path) -> None:
    strange = {"vad": {"enable": True}, "colour": "red", "bargeIn": {"tone": 1}, "llm": {"llmOptions": {"mood": 2}}}
    talk = await held(tmp_path, strange)
    assert talk.errors == []
    assert "eleven" in talk.heard[-1]


@virtual_time
async def test_wrong_properties(tmp_path: Path) -> None:
    wrong = {
        "bargeIn": {"minSpeechDuration": "long"},
        "noResponseTimeout": -1,
        "toolFiller": {"type": "song"},
        "languageConfig": [1],
    }
    talk = await held(tmp_path, wrong)
    told = " ".join(error["msg"] for error in talk.errors)
    for path in ("bargeIn.minSpeechDuration", "noResponseTimeout", "toolFiller.type", "languageConfig"):
        assert path in told
    assert HOURS in [event["transcript"] for event in talk.events("user_transcript")]
    assert "eleven" in talk.heard[-1]
