"""What the caller hears while tools run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.call.application import serving
from tests.call.stage import Stage, staged
from tests.call.tools.test_tools import ASK, LOOK, PARIS, WEATHER, agent, call_once, refused, told

from moonwire.core.audio.wav import wav_header
from moonwire.sandbox.caller import Pause, WaitForSilence
from moonwire.sandbox.moonshot.script import ScriptedAnswer
from moonwire.sandbox.virtual_time import elapse, virtual_time

SLOW_S = 14


async def slow(arguments: dict[str, Any]) -> str:
    await elapse(SLOW_S)
    return "18 C"


async def quick(arguments: dict[str, Any]) -> str:
    return "18 C"


def spoken(stage: Stage) -> list[str]:
    """Everything that was synthesised, in order."""
    return [text.strip() for text in stage.cartesia.records.transcripts if text.strip()]


@pytest.mark.agent_row("toolFiller", "toolFiller.type: backchannel", "toolFiller.escalationSecs")
@virtual_time
async def test_short_phrases_of_the_models_then_a_longer_one(tmp_path: Path) -> None:
    filler = {"type": "backchannel", "startDelaySecs": 1, "escalationSecs": 8, "style": "cheerful"}
    async with staged(tmp_path) as stage, serving(agent(WEATHER, toolFiller=filler), get_weather=slow) as application:
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([ASK])
        stage.moonshot.say(ScriptedAnswer("", (PARIS,)), "Looking, looking!", "Still looking!", "Sorry for the wait!")
        stage.moonshot.say("Nearly there!", "It is eighteen degrees.")
        await call_once(stage, Pause(SLOW_S + 3), WaitForSilence())
        assert spoken(stage)[1:] == [
            *("Looking, looking!", "Still looking!", "Sorry for the wait!", "Nearly there!", "It is eighteen degrees.")
        ]
        assert "cheerful" in str(stage.moonshot.chats[1].messages[0])
        assert "longer" in str(stage.moonshot.chats[3].messages[0])
        assert stage.named("turn")[-1]["pii_heard"] == "It is eighteen degrees."
        assert [message["role"] for message in told(stage)][-3:] == ["user", "assistant", "tool"]
        assert refused(stage) == []
        assert stage.books.alerts == []


@pytest.mark.agent_row("toolFiller.startDelaySecs")
@virtual_time
async def test_a_quick_tool_is_not_filled(tmp_path: Path) -> None:
    filler = {"type": "backchannel", "startDelaySecs": 1}
    async with staged(tmp_path) as stage, serving(agent(WEATHER, toolFiller=filler), get_weather=quick) as application:
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([ASK])
        stage.moonshot.say(ScriptedAnswer(LOOK, (PARIS,)), "It is eighteen degrees.")
        await call_once(stage)
        assert spoken(stage)[1:] == [LOOK, "It is eighteen degrees."]


@virtual_time
async def test_a_model_that_fails_leaves_a_phrase_from_stock(tmp_path: Path) -> None:
    filler = {"type": "backchannel", "startDelaySecs": 1, "escalationSecs": 30}
    async with staged(tmp_path) as stage, serving(agent(WEATHER, toolFiller=filler), get_weather=slow) as application:
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([ASK])
        stage.moonshot.say(ScriptedAnswer("", (PARIS,)), *["x" * 500] * 4, "It is eighteen degrees.")
        await call_once(stage, Pause(SLOW_S + 3), WaitForSilence())
        assert spoken(stage)[1:] == [*["One moment, please."] * 4, "It is eighteen degrees."]


@pytest.mark.agent_row("toolFiller.type: audio", "toolFiller.startDelaySecs")
@virtual_time
async def test_a_sound_is_looped_and_stops_when_the_tool_is_done(tmp_path: Path) -> None:
    loaded: list[str] = []

    async def sound(request: web.Request) -> web.Response:
        loaded.append(request.path)
        return web.Response(
            body=wav_header(8000, encoding="mulaw", channels=1) + bytes([0x40]) * 8000, content_type="audio/wav"
        )

    app = web.Application()
    app.router.add_get("/typing.wav", sound)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    filler = {"type": "audio", "url": f"http://127.0.0.1:{runner.addresses[0][1]}/typing.wav", "startDelaySecs": 1}
    async with staged(tmp_path) as stage, serving(agent(WEATHER, toolFiller=filler), get_weather=slow) as application:
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([ASK])
        stage.moonshot.say(ScriptedAnswer("", (PARIS,)), "It is eighteen degrees.")
        await call_once(stage, Pause(SLOW_S + 3), WaitForSilence())
        assert loaded == ["/typing.wav"]
        turn = stage.named("turn")[-1]
        assert turn["pii_heard"] == "It is eighteen degrees."
        events = {line["type"]: line["at_s"] for line in stage.named("turn.event", reply=2)}
        assert 0.9 < events["PlaybackStarted"] - events["ToolsStarted"] < 1.3
        speech_s = events["PlaybackFinished"] - events["ToolsFinished"]
        assert speech_s < 4, "the sound did not go on"
    await runner.cleanup()


@pytest.mark.agent_row("toolFiller.type: audio")
@virtual_time
async def test_a_sound_that_cannot_be_loaded_is_told_and_replaced_by_a_sentence(tmp_path: Path) -> None:
    filler = {"type": "audio", "url": "http://127.0.0.1:1/typing.wav", "startDelaySecs": 1}
    async with staged(tmp_path) as stage, serving(agent(WEATHER, toolFiller=filler), get_weather=slow) as application:
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([ASK])
        stage.moonshot.say(ScriptedAnswer("", (PARIS,)), "It is eighteen degrees.")
        await call_once(stage, Pause(SLOW_S + 3), WaitForSilence())
        assert spoken(stage)[1] == "One moment, please."
        assert [alert[0] for alert in stage.books.alerts] == ["webhook-failure"]


@pytest.mark.agent_row("toolFiller without it")
@virtual_time
async def test_without_a_filler_the_caller_hears_a_sentence_after_a_while(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage, serving(agent(WEATHER), get_weather=slow) as application:
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([ASK])
        stage.moonshot.say(ScriptedAnswer("", (PARIS,)), "It is eighteen degrees.")
        await call_once(stage, Pause(SLOW_S + 3), WaitForSilence())
        assert spoken(stage)[1] == "One moment, please."


@pytest.mark.agent_row("toolFiller: false")
@virtual_time
async def test_a_filler_that_is_forbidden_is_not_heard(tmp_path: Path) -> None:
    async with (
        staged(tmp_path) as stage,
        serving(agent(WEATHER, toolFiller=False), get_weather=slow) as application,
    ):
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([ASK])
        stage.moonshot.say(ScriptedAnswer("", (PARIS,)), "It is eighteen degrees.")
        await call_once(stage, Pause(SLOW_S + 3), WaitForSilence())
        assert spoken(stage)[1:] == ["It is eighteen degrees."]
