"""The other speech vendors in a whole call, and fallbacks that take over in its middle with one alert."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from moonwire.sandbox.caller import CallerReport, HangUp, Say, WaitForSilence, WaitForSpeech
from moonwire.sandbox.deepgram import Script
from moonwire.sandbox.elevenlabs import ElevenLabsFaults
from moonwire.sandbox.virtual_time import virtual_time

from .stage import AGENT, Stage, staged

HOURS = "Hello, what are your opening hours?"
FLUX = {"vendor": "deepgramflux", "deepgramOptions": {"eagerEotThreshold": 0.4, "eotThreshold": 0.8}}
ELEVENLABS = {"vendor": "elevenlabs", "voice": "21m00Tcm4TlvDq8ikWAM"}


async def converse(stage: Stage, **agent: Any) -> CallerReport:
    """Hear the greeting, ask twice, hear two answers."""
    stage.run_application([{**AGENT, **agent}])
    stage.flux.set_hearing(Script([HOURS, HOURS]))
    stage.deepgram.set_hearing(Script([HOURS, HOURS], shared=True))
    report, _ = await stage.call(
        WaitForSilence(limit_s=8),
        Say(HOURS),
        WaitForSpeech(limit_s=8),
        WaitForSilence(limit_s=20),
        Say(HOURS),
        WaitForSpeech(limit_s=8),
        WaitForSilence(limit_s=20),
        HangUp(),
    )
    return report


def turns(stage: Stage) -> list[dict[str, Any]]:
    return [line for line in stage.named("turn") if line["pii_heard"]]


@pytest.mark.agent_row("turnDetection with native turn taking")
@pytest.mark.parametrize("turn_detection", ["stt", "krisp"])
@pytest.mark.parametrize(
    "tts", [ELEVENLABS, {"vendor": "deepgram", "voice": "aura-2-thalia-en"}], ids=lambda tts: tts["vendor"]
)
def test_flux_with_other_voices(tts: dict[str, Any], turn_detection: str, tmp_path: Path) -> None:
    """Flux ends the turns whatever the application asks for."""

    @virtual_time
    async def scene() -> None:
        async with staged(tmp_path) as stage:
            await converse(stage, stt=FLUX, tts=tts, turnDetection=turn_detection)
            assert not stage.named("error"), stage.named("error")
            assert len(turns(stage)) == 3, stage.named("turn")
            assert stage.flux.records
            assert not stage.deepgram.records
            ended = stage.named("turn.event", event="EndOfTurn") or [
                line for line in stage.lines if "EndOfTurn" in str(line.values())
            ]
            assert ended

    scene()


@pytest.mark.agent_row("tts.fallbackVendor")
def test_voice_falls_back_in_mid_call_with_one_alert(tmp_path: Path) -> None:
    @virtual_time
    async def scene() -> None:
        async with staged(tmp_path) as stage:
            stage.elevenlabs.faults = ElevenLabsFaults(stall=True)
            tts = {**ELEVENLABS, "fallbackVendor": "cartesia", "fallbackVoice": "sonic-english"}
            report = await converse(stage, tts=tts)
            assert len(turns(stage)) == 3
            assert [kind for kind, _, _ in stage.books.alerts] == ["tts-failure"]
            [switched] = stage.named("tts", name="vendor_switched")
            assert (switched["asked"], switched["used"]) == ("elevenlabs", "cartesia")
            assert report.agent_speech[0][0] < 4.0

    scene()


@pytest.mark.agent_row("stt.fallbackVendor")
@pytest.mark.parametrize("when", ["refused", "lost"])
def test_recogniser_falls_back_in_mid_call_with_one_alert(when: str, tmp_path: Path) -> None:
    @virtual_time
    async def scene() -> None:
        async with staged(tmp_path) as stage:
            if when == "refused":
                stage.flux.set_faults(refuse_status=402)
            else:
                stage.flux.set_faults(close_after_s=3.0)
            stt = {**FLUX, "fallbackVendor": "deepgram", "fallbackLanguage": "en-US"}
            await converse(stage, stt=stt)
            assert len(turns(stage)) == 3, stage.lines
            assert [kind for kind, _, _ in stage.books.alerts] == ["stt-failure"]
            [switched] = stage.named("stt", name="vendor_switched")
            assert (switched["asked"], switched["used"]) == ("deepgramflux", "deepgram")
            assert ("language", "en-US") in stage.deepgram.records[0].query

    scene()


def test_fallback_without_the_first_ones_credential(tmp_path: Path) -> None:
    """One of two vendors is enough to talk; the operator is told which one is missing."""

    @virtual_time
    async def scene() -> None:
        async with staged(tmp_path) as stage:
            tts = {"vendor": "playht", "fallbackVendor": "cartesia", "fallbackVoice": "sonic-english"}
            await converse(stage, tts=tts)
            assert len(turns(stage)) == 3
            [(kind, message, _)] = stage.books.alerts
            assert kind == "tts-failure"
            assert "playht" in message

    scene()
