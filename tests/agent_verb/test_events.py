"""What the application's eventHook hears."""

from __future__ import annotations

from pathlib import Path

from tests.agent_verb.talk import HOURS, JUST_THE_GREETING, STORY, WAIT, held

from moonwire.sandbox.caller import HangUp, Interrupt, Say, WaitForSilence
from moonwire.sandbox.virtual_time import virtual_time


@virtual_time
async def test_user_transcript(tmp_path: Path) -> None:
    talk = await held(tmp_path)
    assert talk.events("user_transcript") == [{"type": "user_transcript", "transcript": HOURS}]
    (prompted,) = talk.stage.moonshot.chats
    assert talk.stage.named("hook", name="user_transcript")
    assert prompted.messages[-1]["content"] == HOURS


@virtual_time
async def test_llm_response(tmp_path: Path) -> None:
    talk = await held(tmp_path, {"greeting": True}, says=["Good evening.", "At ten."])
    assert talk.events("llm_response") == [
        {"type": "llm_response", "response": "Good evening."},
        {"type": "llm_response", "response": "At ten."},
    ]


@virtual_time
async def test_user_interruption(tmp_path: Path) -> None:
    steps = [WaitForSilence(), Say(STORY), Interrupt(WAIT, after_s=2.0), WaitForSilence(), HangUp()]
    talk = await held(tmp_path, steps=steps, hears=[STORY, WAIT])
    assert talk.events("user_interruption") == [{"type": "user_interruption"}]


@virtual_time
async def test_turn_end(tmp_path: Path) -> None:
    end = (await held(tmp_path, says=["At ten."])).ends[-1]
    assert (end["transcript"], end["response"], end["interrupted"]) == (HOURS, "At ten.", False)


@virtual_time
async def test_turn_end_latency(tmp_path: Path) -> None:
    latency = (await held(tmp_path)).ends[-1]["latency"]
    for name in ("transcriber_latency", "turn_detection_latency", "model_latency", "voice_latency"):
        assert isinstance(latency[name], int), name
    assert 600 < latency["transcriber_latency"] + latency["turn_detection_latency"] < 900, "the silence timer's wait"
    assert "preflight" not in latency


@virtual_time
async def test_turn_end_of_older_servers(tmp_path: Path) -> None:
    end = (await held(tmp_path)).ends[-1]
    latency = end["latency"]
    assert latency["stt_ms"] == latency["transcriber_latency"]
    assert latency["eot_ms"] == latency["turn_detection_latency"]
    assert latency["llm_ms"] == latency["model_latency"]
    assert latency["tts_ms"] == latency["voice_latency"]
    assert 0 < end["confidence"] <= 1


@virtual_time
async def test_turn_end_usage(tmp_path: Path) -> None:
    usage = (await held(tmp_path)).ends[-1]["usage"]
    assert usage["input_tokens"] > 0
    assert usage["output_tokens"] > 0
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage.keys() >= {"cache_read_tokens", "cache_write_tokens"}


@virtual_time
async def test_turn_end_vendor_metadata(tmp_path: Path) -> None:
    talk = await held(tmp_path)
    assert talk.ends[-1]["vendor_metadata"] == {"request_id": talk.stage.moonshot.chats[-1].request_id}
    assert "vendor_metadata" not in talk.ends[0], "the greeting was a fixed text"


@virtual_time
async def test_turn_end_of_the_greeting(tmp_path: Path) -> None:
    (end,) = (await held(tmp_path, steps=JUST_THE_GREETING)).ends
    assert (end["transcript"], end["response"], end["interrupted"]) == ("", "Hello.", False)


@virtual_time
async def test_turn_end_of_the_greeting__switched_off(tmp_path: Path) -> None:
    talk = await held(tmp_path, {"greetingTurnEnd": False})
    assert [end["transcript"] for end in talk.ends] == [HOURS]
    assert [line["cause"] for line in talk.stage.named("turn")] == ["greeting", "user"], "the event log keeps both"


@virtual_time
async def test_order_of_events(tmp_path: Path) -> None:
    steps = [WaitForSilence(), Say(STORY), Interrupt(WAIT, after_s=2.0), WaitForSilence(), HangUp()]
    talk = await held(tmp_path, {"greeting": True}, steps=steps, hears=[STORY, WAIT])
    assert talk.application.order == [
        *("llm_response", "turn_end"),
        *("user_transcript", "llm_response", "user_interruption", "turn_end"),
        *("user_transcript", "llm_response", "turn_end"),
    ]
