"""Switching the suppression of noise: no frame lost, no click, the wish that holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonwire.call.egress import Egress
from moonwire.call.noise import MOST_PENDING, CallNoise, NoiseStage
from moonwire.core.audio.fade import gain_table
from moonwire.core.audio.g711 import ULAW_TO_PCM, encode_ulaw
from moonwire.ports.noise import NoiseListener, NoiseWish
from moonwire.spec.components import NoiseIsolation

QUIETER = gain_table(0.25)


def frame(number: int) -> bytes:
    at = np.arange(160) + number * 160
    return encode_ulaw((8000 * np.sin(2 * np.pi * 200 * at / 8000)).astype("<i2").tobytes())


class Engine:
    """Makes everything quieter; gives frames back at once, or when told."""

    def __init__(self, listener: NoiseListener, *, late: bool = False, engine: str = "rnnoise") -> None:
        self.engine, self.substituted = engine, ""
        self.listener, self.late = listener, late
        self.held: list[bytes] = []
        self.open = True
        self.frames, self.cpu_s = 0, 0.0

    def push(self, frame: bytes) -> None:
        assert self.open
        self.held.append(frame)
        if not self.late:
            self.give()

    def give(self, most: int = 99) -> None:
        while self.held and self.open and most:
            most -= 1
            self.frames, self.cpu_s = self.frames + 1, self.cpu_s + 0.001
            self.listener.on_clean(self.held.pop(0).translate(QUIETER))

    def close(self) -> None:
        self.open = False


class Engines:
    def __init__(self, *, late: bool = False) -> None:
        self.late = late
        self.opened: list[tuple[NoiseWish, bool, Engine]] = []

    def open(self, wish: NoiseWish, listener: NoiseListener, *, at_once: bool = False) -> Engine:
        engine = Engine(listener, late=self.late and not at_once, engine=wish.engine)
        self.opened.append((wish, at_once, engine))
        return engine


class Leg:
    def attach(self, sink: object, source: object) -> None: ...
    def wake(self) -> None: ...
    def unheard_frames(self) -> int:
        return 0

    def clear(self) -> int:
        return 0


class Scene:
    def __init__(self, *, late: bool = False) -> None:
        self.engines = Engines(late=late)
        self.heard: list[bytes] = []
        self.lines: list[dict[str, Any]] = []
        self.done: list[dict[str, Any]] = []
        self.egress = Egress(Leg())
        consumers: list[Callable[[bytes], None]] = [self.heard.append]
        self.noise = CallNoise(self.engines, consumers, self.egress, self.note)

    def note(self, kind: str, **fields: Any) -> None:
        assert kind == "call"
        lines = {"noise_isolation": self.lines, "noise_isolation_done": self.done}[fields.pop("name")]
        lines.append(fields)

    @property
    def engine(self) -> Engine:
        return self.engines.opened[-1][2]


def loudness(frame: bytes) -> float:
    return float(np.abs(ULAW_TO_PCM[np.frombuffer(frame, np.uint8)].astype(float)).mean())


@given(st.lists(st.sampled_from(["frame", "on", "off", "give", "give one"]), max_size=60))
def test_every_frame_comes_out_once_and_in_order(steps: list[str]) -> None:
    out: list[bytes] = []
    engines: list[Engine] = []
    troubles: list[str] = []
    stage = NoiseStage(out.append, troubles.append)

    def opener(listener: NoiseListener) -> Engine:
        engines.append(Engine(listener, late=True))
        return engines[-1]

    pushed = 0
    for step in [*steps, "give"]:
        match step:
            case "frame":
                stage.push(frame(pushed))
                pushed += 1
            case "on":
                stage.switch(opener)
            case "off":
                stage.switch(None)
            case _ if engines:
                engines[-1].give(1 if step == "give one" else 99)
            case _:
                ...
    for engine in engines:
        engine.give()
    for engine in engines:
        engine.give()
    assert len(out) == pushed
    assert sum(engine.open for engine in engines) <= 1
    for number, got in enumerate(out):  # each is the frame of its place: at some level between untouched and cleaned
        here, wanted = (ULAW_TO_PCM[np.frombuffer(one, np.uint8)].astype(float) for one in (got, frame(number)))
        assert np.corrcoef(here, wanted)[0, 1] > 0.9


def test_switching_in_mid_call_does_not_click() -> None:
    scene = Scene()
    for number in range(12):
        if number == 4:
            scene.noise.apply(NoiseIsolation(mode="rnnoise"))
        if number == 8:
            scene.noise.apply(NoiseIsolation(enable=False))
        scene.noise.hear(frame(number))
    assert [round(loudness(one) / loudness(frame(0)), 1) for one in scene.heard] == [
        1.0, 1.0, 1.0, 1.0, 0.6, 0.3, 0.3, 0.3, 0.6, 1.0, 1.0, 1.0,
    ]  # fmt: skip
    audio = ULAW_TO_PCM[np.frombuffer(b"".join(scene.heard), np.uint8)].astype(float)
    assert np.abs(np.diff(audio)).max() < 1.3 * np.abs(np.diff(audio[:640])).max()
    assert scene.lines == [
        {"direction": "read", "level": 100, "asked": "rnnoise", "engine": "rnnoise"},
        {"direction": "read", "engine": "none", "asked": "off"},
    ]
    assert scene.done == [
        {"direction": "read", "engine": "rnnoise", "audio_s": 0.1, "cpu_s": 0.005, "core": 0.05},
    ]


def test_an_engine_that_is_too_slow_is_replaced_and_nothing_is_lost() -> None:
    scene = Scene(late=True)
    scene.noise.apply(NoiseIsolation(mode="rnnoise", level=50))
    slow = scene.engine
    for number in range(MOST_PENDING + 1):
        scene.noise.hear(frame(number))
    assert scene.heard == [frame(number) for number in range(MOST_PENDING + 1)]
    assert not slow.open
    assert scene.lines[-1]["engine"] == "webrtc"
    assert scene.lines[-1]["reason"] == "rnnoise: the engine is too slow"
    assert scene.engines.opened[-1][0] == NoiseWish("webrtc", 50)


def test_a_failed_spare_leaves_the_audio_untouched() -> None:
    scene = Scene(late=True)
    scene.noise.apply(NoiseIsolation(mode="webrtc"))
    scene.noise.hear(frame(0))
    scene.engine.listener.on_noise_failed("broken")
    scene.noise.hear(frame(1))
    assert scene.heard == [frame(0), frame(1)]
    assert len(scene.engines.opened) == 1


def test_a_change_keeps_what_it_does_not_name() -> None:
    scene = Scene()
    scene.noise.apply(NoiseIsolation(mode="rnnoise", level=40))
    scene.noise.apply(NoiseIsolation(enable=False))
    scene.noise.apply(NoiseIsolation(enable=True))
    assert scene.engines.opened[-1][0] == NoiseWish("rnnoise", 40)


def test_without_a_name_it_is_krisp_as_in_jambonz() -> None:
    scene = Scene()
    scene.noise.apply(NoiseIsolation(enable=True))
    assert scene.engines.opened[-1][0] == NoiseWish("krisp", 100)


def test_level_nought_leaves_the_audio_alone() -> None:
    scene = Scene()
    scene.noise.apply(NoiseIsolation(mode="rnnoise", level=0))
    assert scene.engines.opened == []
    assert scene.lines[-1]["engine"] == "none"


def test_without_engines_the_call_goes_on_and_says_so() -> None:
    scene = Scene()
    noise = CallNoise(None, [scene.heard.append], scene.egress, scene.note)
    noise.apply(NoiseIsolation(mode="rnnoise"))
    noise.hear(frame(0))
    assert scene.heard == [frame(0)]
    assert scene.lines[-1]["reason"] == "no engine is installed"


@pytest.mark.parametrize("changed", [False, True])
def test_an_agents_wish_ends_with_it_unless_changed_since(changed: bool) -> None:
    scene = Scene()
    scene.noise.apply(NoiseIsolation(mode="webrtc", level=50))
    with scene.noise.during(NoiseIsolation(mode="rnnoise", level=100)):
        scene.noise.hear(frame(0))
        if changed:
            scene.noise.apply(NoiseIsolation(mode="krisp"))
    scene.noise.hear(frame(1))
    scene.noise.hear(frame(2))
    assert scene.engine.engine == ("krisp" if changed else "webrtc")


def test_what_the_caller_hears_is_cleaned_too() -> None:
    scene = Scene()
    scene.noise.apply(NoiseIsolation(mode="rnnoise", direction="write"))
    assert scene.egress.shape is not None
    cleaned = [scene.egress.shape(frame(number)) for number in range(3)]
    assert scene.engines.opened[-1][1]  # an engine that answers at once
    assert round(loudness(cleaned[-1]) / loudness(frame(0)), 1) == 0.3
    scene.noise.apply(NoiseIsolation(enable=False))
    assert [scene.egress.shape(frame(number)) for number in (3, 4)][-1] == frame(4)
