"""`noiseIsolation` in whole calls: the recogniser hears the cleaned voice; verbs, commands and REST switch it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.call.application import serving
from tests.call.stage import AGENT, Stage, staged
from tests.vendors.noise.measure import Line, level, linear, pink, voices

from moonwire.call.live_calls import EngineCalls
from moonwire.core.audio.g711 import encode_ulaw
from moonwire.sandbox.caller import HangUp, Pause, PlayAudio, WaitForSilence
from moonwire.sandbox.virtual_time import virtual_time
from moonwire.spec.call_update import parse_call_update
from moonwire.vendors.noise import NoiseEngines, open_noise_engines
from moonwire.vendors.noise.rnnoise.file import RNNOISE
from moonwire.vendors.noise.rnnoise.suppressor import RnnoiseLibrary, RnnoiseSuppressor

LIBRARY = RNNOISE.find(Path("var"), None)
NOISE = 600
SPOKEN = voices()["flite"]
NOISY = encode_ulaw((SPOKEN + NOISE * pink(len(SPOKEN))).astype("<i2").tobytes())


def engines() -> NoiseEngines:
    if LIBRARY is None:
        return open_noise_engines(None, {})
    library = RnnoiseLibrary(LIBRARY)
    return NoiseEngines({"rnnoise": lambda share: RnnoiseSuppressor(library, share)}, threaded=False)


def heard(stage: Stage) -> tuple[int, int]:
    """Count the recogniser's frames that are loud as the noise, and those that are loud as the voice."""
    audio: Line = linear(bytes(stage.deepgram.connections[0].record.audio))
    levels = [level(frame) for frame in audio[: len(audio) // 160 * 160].reshape(-1, 160)]
    noise, voice = level(np.full(1, NOISE)), level(SPOKEN[np.abs(SPOKEN) > 300])
    return sum(abs(one - noise) < 4 for one in levels), sum(one > voice - 8 for one in levels)


def noted(stage: Stage) -> list[tuple[str, str]]:
    return [(line["asked"], line["engine"]) for line in stage.named("call", name="noise_isolation")]


@pytest.mark.agent_row("noiseIsolation")
@pytest.mark.parametrize("mode", ["rnnoise", "webrtc", "krisp"])
def test_the_recogniser_hears_the_voice_without_its_noise(mode: str, tmp_path: Path) -> None:
    used = mode if mode == "webrtc" or (mode == "rnnoise" and LIBRARY) else "webrtc"
    found: list[tuple[int, int]] = []

    @virtual_time
    async def scene(isolation: object) -> None:
        async with staged(tmp_path, noise=engines()) as stage:
            stage.deepgram._record_audio = True
            stage.deepgram.set_hearing(["Hello."])
            stage.run_application([AGENT | ({"noiseIsolation": isolation} if isolation else {})])
            report, _ = await stage.call(WaitForSilence(), PlayAudio("noisy", NOISY), WaitForSilence(), HangUp())
            assert report.ok, report.problems
            found.append(heard(stage))
            assert noted(stage) == ([(mode, used), ("off", "none")] if isolation else [])

    scene(None)
    scene(mode)
    (noise, voice), (noise_left, voice_left) = found
    assert noise > 100
    assert noise_left < noise / 2
    assert voice_left > voice * 0.6


@pytest.mark.agent_row("noiseIsolation in mid-call")
@pytest.mark.parametrize(
    "command",
    [
        {"noise_isolation_status": "enable", "vendor": "webrtc", "level": 80},
        {"noiseIsolation_status": "on", "vendor": "webrtc", "level": 80},
    ],
    ids=["Node SDK", "Python SDK"],
)
@virtual_time
async def test_the_application_switches_in_mid_call(command: dict[str, Any], tmp_path: Path) -> None:
    async with staged(tmp_path, noise=engines()) as stage, serving(AGENT) as application:
        stage.run_application(None, application.url)

        async def on_event(event: dict[str, Any]) -> None:
            if event["type"] == "turn_end" and len(noted(stage)) < 2:
                off = {name: "disable" if "enable" in command.values() else "off" for name in list(command)[:1]}
                await application.command("noiseIsolation:status", off if noted(stage) else command)

        application.on_event = on_event
        stage.deepgram.set_hearing(["Hello."])
        report, _ = await stage.call(WaitForSilence(), PlayAudio("noisy", NOISY), WaitForSilence(), HangUp())
        assert report.ok, report.problems
        assert noted(stage) == [("webrtc", "webrtc"), ("off", "none")]
        assert stage.named("call", name="noise_isolation")[0]["level"] == 80


@pytest.mark.agent_row("noiseIsolation in mid-call", "noiseIsolation.level")
@virtual_time
async def test_rest_switches_in_mid_call(tmp_path: Path) -> None:
    async with staged(tmp_path, noise=engines()) as stage, serving(AGENT) as application:
        stage.run_application(None, application.url)

        async def on_event(event: dict[str, Any]) -> None:
            calls = EngineCalls(stage.engine)
            if event["type"] == "turn_end" and not noted(stage):
                body = {"noise_isolation_status": "enable", "noise_isolation_vendor": "webrtc"}
                (command,), _ = parse_call_update(body | {"noise_isolation_level": 30})
                calls.execute(calls.all()[0].call_sid, command)

        application.on_event = on_event
        await stage.call(WaitForSilence(), Pause(1), HangUp())
        [line] = stage.named("call", name="noise_isolation")
        assert (line["engine"], line["level"], line["direction"]) == ("webrtc", 30, "read")


@virtual_time
async def test_config_holds_for_the_session_and_the_agents_wish_for_the_agent(tmp_path: Path) -> None:
    async with staged(tmp_path, noise=engines()) as stage:
        config = {"verb": "config", "noiseIsolation": {"enable": True, "vendor": "webrtc", "level": 50}}
        agent = AGENT | {"noiseIsolation": {"mode": "webrtc", "level": 100}, "llm": {"vendor": "nobody", "model": "x"}}
        end = {"verb": "config", "noiseIsolation": {"enable": False}}
        stage.run_application([config, agent, {"verb": "pause", "length": 1}, end])
        await stage.call(Pause(5), HangUp())
        assert [line.get("level") for line in stage.named("call", name="noise_isolation")][:1] == [50]
        assert noted(stage)[-1] == ("off", "none")


@pytest.mark.agent_row("noiseIsolation.direction")
@virtual_time
async def test_what_the_caller_hears_is_cleaned_when_that_is_asked(tmp_path: Path) -> None:
    async with staged(tmp_path, noise=engines()) as stage:
        stage.run_application([AGENT | {"noiseIsolation": {"mode": "rnnoise", "direction": "write"}}])
        report, _ = await stage.call(WaitForSilence(), HangUp())
        assert report.ok, report.problems
        line = stage.named("call", name="noise_isolation")[0]
        assert (line["direction"], line["engine"]) == ("write", "rnnoise" if LIBRARY else "webrtc")
