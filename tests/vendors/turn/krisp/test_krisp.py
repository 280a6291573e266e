"""The licensed engine, against a stand-in for its interface."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from moonwire.core.turns.agreement import AgreementSettings
from moonwire.ports.turn_detector import TurnVerdict
from moonwire.vendors.turn.krisp.interruptions import open_krisp_interruptions
from moonwire.vendors.turn.krisp.sdk import open_krisp

FRAME = b"\xff" * 160
NAME = "fake_krisp_audio"


@pytest.fixture
def sdk() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location(NAME, Path(__file__).with_name(f"{NAME}.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[NAME]


@pytest.fixture
def model(tmp_path: Path) -> str:
    path = tmp_path / "turn.kef"
    path.write_bytes(b"model")
    return str(path)


class Ear:
    def __init__(self) -> None:
        self.verdicts: list[tuple[str, float]] = []

    def on_turn_verdict(self, verdict: TurnVerdict, probability: float, engine: str) -> None:
        assert engine == "krisp"
        self.verdicts.append((verdict, probability))


def test_the_sdk_is_started_once_with_the_key(sdk: ModuleType, model: str) -> None:
    engine = open_krisp({"KRISP_VIVA_TURN_MODEL_PATH": model, "KRISP_VIVA_SDK_LICENSE_KEY": "k"}, NAME)
    assert engine is not None
    assert engine.name == "krisp"
    assert sdk.started[0][:2] == ("", "k")


def test_builds_before_licence_keys(sdk: ModuleType, model: str) -> None:
    assert open_krisp({"KRISP_VIVA_TURN_MODEL_PATH": model}, NAME) is not None
    assert len(sdk.started[0]) == 3


@pytest.mark.parametrize(
    ("environment", "module"),
    [
        ({}, NAME),
        ({"KRISP_VIVA_TURN_MODEL_PATH": "/absent.kef"}, NAME),
        ({"KRISP_VIVA_TURN_MODEL_PATH": "{model}"}, "no_such_sdk"),
        ({"KRISP_VIVA_TURN_MODEL_PATH": "{model}", "KRISP_VIVA_API_KEY": "wrong"}, NAME),
    ],
)
def test_without_module_model_or_licence_there_is_none(
    sdk: ModuleType, model: str, environment: dict[str, str], module: str
) -> None:
    filled = {name: value.replace("{model}", model) for name, value in environment.items()}
    assert open_krisp(filled, module) is None


def test_a_turn_ends_when_the_probability_crosses_the_threshold_in_silence(sdk: ModuleType, model: str) -> None:
    engine = open_krisp({"KRISP_VIVA_TURN_MODEL_PATH": model, "KRISP_VIVA_API_KEY": "k"}, NAME)
    assert engine is not None
    ear = Ear()
    stream = engine.open(ear, AgreementSettings(threshold=0.6))
    session = sdk.sessions[0]
    assert (session.config.inputSampleRate, session.config.inputFrameDuration) == (8000, 20)
    assert session.config.modelInfo.path == model
    session.script = [0.9, 0.9, 0.3, 0.45, 0.5, 0.2, 0.7, 0.9]
    stream.push(FRAME)  # before anything was said
    stream.voice_began(0.0)
    stream.push(FRAME)
    stream.voice_ended(0.2)
    stream.push(FRAME)
    stream.push(FRAME)
    stream.push(FRAME)
    assert ear.verdicts == [("probably", 0.45)]
    stream.voice_began(0.0)
    assert ear.verdicts[-1] == ("resumed", 0.0)
    stream.push(FRAME)
    stream.voice_ended(0.2)
    stream.push(FRAME)
    stream.push(FRAME)
    assert ear.verdicts[-1] == ("ended", 0.7), "once per turn"
    assert [voice for _, voice in session.frames] == [False, True, False, False, False, True, False, False]
    stream.voice_began(0.0)
    stream.voice_ended(0.0)
    stream.reset()
    session.script = [0.9]
    stream.push(FRAME)
    stream.close()
    stream.push(FRAME)
    assert len(ear.verdicts) == 3


def test_an_interruption_is_told_once_for_each_voice(sdk: ModuleType, model: str) -> None:
    told: list[tuple[float, str]] = []

    class Told:
        def on_interruption(self, probability: float, engine: str) -> None:
            told.append((probability, engine))

    assert open_krisp_interruptions({}, NAME) is None
    engine = open_krisp_interruptions({"KRISP_VIVA_IP_MODEL_PATH": model, "KRISP_VIVA_API_KEY": "k"}, NAME)
    assert engine is not None
    stream = engine.open(Told(), 0.5)
    session = sdk.sessions[-1]
    assert (session.config.inputSampleRate, session.config.inputFrameDuration) == (8000, 20)
    session.script = [0.9, 0.4, 0.6, 0.9, 0.7]
    stream.push(FRAME)  # nobody speaks
    stream.voice_changed(on=True)
    for _ in range(3):
        stream.push(FRAME)
    assert told == [(0.6, "krisp")]
    stream.voice_changed(on=False)
    stream.voice_changed(on=True)
    stream.push(FRAME)
    assert told == [(0.6, "krisp"), (0.7, "krisp")]
    stream.close()
    stream.push(FRAME)
    assert session.voices == [False, True, True, True, True]
