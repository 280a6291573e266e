"""The engines on noisy telephone speech, and which one a call gets."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from moonwire.core.audio.frames import SILENCE_FRAME
from moonwire.core.audio.g711 import encode_ulaw
from moonwire.errors import ConfigError
from moonwire.ports.noise import NoiseWish
from moonwire.vendors.noise import NoiseEngines, open_noise_engines
from moonwire.vendors.noise.rnnoise.file import RNNOISE
from moonwire.vendors.noise.rnnoise.suppressor import RnnoiseLibrary, RnnoiseSuppressor
from moonwire.vendors.noise.webrtc.suppressor import WebrtcSuppressor, strength

from .measure import Line, effect, level, linear, voices

VOICES = voices()
KRISP = "fake_krisp_noise"


@pytest.fixture(scope="module")
def rnnoise() -> RnnoiseLibrary:
    path = RNNOISE.find(Path("var"), None)
    if path is None:
        pytest.skip("not fetched: moonwire models fetch")
    return RnnoiseLibrary(path)


@pytest.mark.parametrize("snr_db", [10, 5])
@pytest.mark.parametrize("voice", VOICES.values(), ids=VOICES)
def test_rnnoise_takes_the_noise_and_leaves_the_voice(rnnoise: RnnoiseLibrary, voice: Line, snr_db: float) -> None:
    engine = RnnoiseSuppressor(rnnoise, 100)
    got = effect(voice, snr_db, engine.clean)
    engine.close()
    assert got.noise_db < -30
    assert got.speech_db > -2.5
    assert got.delay_ms == pytest.approx(22, abs=1)


@pytest.mark.parametrize("snr_db", [10, 5])
@pytest.mark.parametrize("voice", VOICES.values(), ids=VOICES)
def test_webrtc_takes_less_of_both(voice: Line, snr_db: float) -> None:
    got = effect(voice, snr_db, WebrtcSuppressor(100).clean)
    assert got.noise_db < -20
    assert got.speech_db - got.noise_db > 13


@pytest.mark.parametrize("voice", VOICES.values(), ids=VOICES)
def test_webrtc_leaves_clean_speech_alone_and_adds_8_ms(voice: Line) -> None:
    got = effect(voice, 60, WebrtcSuppressor(50).clean)
    assert got.speech_db == pytest.approx(0, abs=2.5)
    assert got.delay_ms == pytest.approx(8, abs=1)


def test_level_is_how_much_goes(rnnoise: RnnoiseLibrary) -> None:
    voice = VOICES["flite"]
    by_rnnoise = [effect(voice, 10, RnnoiseSuppressor(rnnoise, one).clean) for one in (0, 50, 100)]
    by_webrtc = [effect(voice, 10, WebrtcSuppressor(one).clean) for one in (0, 25, 50, 75, 100)]
    for found in (by_rnnoise, by_webrtc):
        drops = [one.noise_db for one in found]
        assert drops == sorted(drops, reverse=True)
        assert drops[0] > -6
    assert by_rnnoise[0].speech_db == pytest.approx(0, abs=0.5)
    assert by_rnnoise[1].noise_db == pytest.approx(-6, abs=1)  # half of the amplitude, and no comb from a shifted copy
    assert by_rnnoise[1].speech_db == pytest.approx(by_rnnoise[2].speech_db / 2, abs=0.7)


@pytest.mark.parametrize(("level_", "step"), [(0, 0), (1, 1), (25, 1), (26, 2), (75, 3), (76, 4), (100, 4)])
def test_steps_of_webrtc(level_: float, step: int) -> None:
    assert strength(level_) == step


def test_keys_and_silence_do_no_harm(rnnoise: RnnoiseLibrary) -> None:
    at = np.arange(8000) / 8000
    key = 8000 * (np.sin(2 * np.pi * 697 * at) + np.sin(2 * np.pi * 1209 * at))
    pressed = encode_ulaw(key.astype("<i2").tobytes())
    voice = VOICES["flite"]
    spoken = encode_ulaw(voice.astype("<i2").tobytes())
    for engine in (RnnoiseSuppressor(rnnoise, 100), WebrtcSuppressor(100)):
        line = SILENCE_FRAME * 250 + pressed + SILENCE_FRAME * 50 + spoken
        got = b"".join(engine.clean(line[at : at + 160]) for at in range(0, len(line) - 159, 160))
        assert len(got) == len(line) // 160 * 160
        assert level(linear(got[: 250 * 160])) < 10
        loud = level(linear(got[-len(spoken) :]))
        assert loud == pytest.approx(level(linear(spoken)), abs=3)
        engine.close()


def test_a_file_that_is_no_library(tmp_path: Path) -> None:
    path = tmp_path / "librnnoise.so"
    path.write_bytes(b"no library")
    with pytest.raises(ConfigError, match="not a library of RNNoise"):
        RnnoiseLibrary(path)
    assert open_noise_engines(path, {}).stats.streams == 0


class Ear:
    def __init__(self, wanted: int) -> None:
        self.frames: list[bytes] = []
        self.failed: list[str] = []
        self.all_here = asyncio.Event()
        self.wanted = wanted

    def on_clean(self, frame: bytes) -> None:
        self.frames.append(frame)
        if len(self.frames) == self.wanted:
            self.all_here.set()

    def on_noise_failed(self, reason: str) -> None:
        self.failed.append(reason)
        self.all_here.set()


class Marked:
    """Gives back what it gets, or breaks."""

    def __init__(self, level: float) -> None:
        self.level = level
        self.closed = False

    def clean(self, frame: bytes) -> bytes:
        if self.level == 13:
            raise RuntimeError("broken")
        return frame[::-1]

    def close(self) -> None:
        self.closed = True


async def test_dear_engines_answer_in_order_from_a_thread() -> None:
    engines = NoiseEngines({"rnnoise": Marked}, threads=2)
    ears = [Ear(50) for _ in range(16)]
    streams = [engines.open(NoiseWish("rnnoise"), ear) for ear in ears]
    assert [stream.engine for stream in streams if stream] == ["rnnoise"] * 16
    frames = [bytes([number]) * 80 + b"\xff" * 80 for number in range(50)]
    for frame in frames:
        for stream in streams:
            assert stream
            stream.push(frame)
    async with asyncio.timeout(10):
        for ear in ears:
            await ear.all_here.wait()
            assert ear.frames == [frame[::-1] for frame in frames]
    extra = engines.open(NoiseWish("rnnoise"), Ear(1))
    assert extra is not None
    assert (extra.engine, extra.substituted) == ("webrtc", "as many calls use it as this machine can serve")
    for stream in (*streams, extra):
        assert stream
        stream.close()
    assert engines.stats.streams == 0
    assert engines.stats.frames == 800
    again = engines.open(NoiseWish("rnnoise"), Ear(1))
    assert again is not None
    assert again.engine == "rnnoise"
    engines.close()


async def test_a_broken_engine_says_so() -> None:
    engines = NoiseEngines({"rnnoise": Marked})
    ear = Ear(1)
    stream = engines.open(NoiseWish("rnnoise", 13), ear)
    assert stream
    stream.push(SILENCE_FRAME)
    async with asyncio.timeout(10):
        await ear.all_here.wait()
    assert ear.failed == ["the engine failed"]
    assert engines.stats.failures == 1
    engines.close()


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ("webrtc", ""),
        ("rnnoise", "rnnoise is not on this machine"),
        ("krisp", "krisp is not on this machine"),
        ("kugelaudio", "'kugelaudio' is no engine of this server"),
    ],
)
def test_webrtc_stands_in_and_says_why(asked: str, reason: str) -> None:
    stream = open_noise_engines(None, {}).open(NoiseWish(asked), Ear(1))
    assert stream
    assert (stream.engine, stream.substituted) == ("webrtc", reason)


def test_the_agents_side_is_cleaned_at_once() -> None:
    ear = Ear(1)
    stream = NoiseEngines({"rnnoise": Marked}).open(NoiseWish("rnnoise"), ear, at_once=True)
    assert stream
    assert (stream.engine, stream.substituted) == ("webrtc", "too slow for the agent's side")
    stream.push(SILENCE_FRAME)
    assert len(ear.frames) == 1


@pytest.fixture
def krisp() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location(KRISP, Path(__file__).with_name(f"{KRISP}.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[KRISP] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[KRISP]


async def test_the_licensed_sdk_where_it_is(krisp: ModuleType, tmp_path: Path) -> None:
    model = tmp_path / "noise.kef"
    model.write_bytes(b"model")
    engines = open_noise_engines(None, {"KRISP_VIVA_FILTER_MODEL_PATH": str(model), "KRISP_VIVA_API_KEY": "k"}, KRISP)
    ear = Ear(1)
    stream = engines.open(NoiseWish("krisp", 70), ear)
    assert stream
    assert (stream.engine, stream.substituted) == ("krisp", "")
    stream.push(encode_ulaw(np.full(160, 8000, "<i2").tobytes()))
    async with asyncio.timeout(10):
        await ear.all_here.wait()
    engines.close()
    assert krisp.sessions[0].config.modelInfo.path == str(model)
    assert (krisp.sessions[0].config.inputSampleRate, krisp.sessions[0].config.outputSampleRate) == (8000, 8000)
    assert krisp.sessions[0].levels == [70.0]
    assert linear(ear.frames[0])[0] == pytest.approx(4000, rel=0.05)
