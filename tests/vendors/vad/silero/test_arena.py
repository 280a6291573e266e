from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from moonwire.core.audio.g711 import encode_ulaw
from moonwire.vendors.vad.silero.arena import Arena
from moonwire.vendors.vad.silero.model import SileroModel

HELLO = Path(__file__).with_name("hello.ulaw").read_bytes()
WINDOWS = [HELLO[i : i + 256] for i in range(0, len(HELLO) - 255, 256)]


@pytest.fixture(scope="module")
def model() -> SileroModel:
    return SileroModel()


def noise(level: float) -> bytes:
    samples = level * np.random.default_rng(3).standard_normal(256) * 32767
    return encode_ulaw(samples.astype("<i2").tobytes())


def test_a_batch_larger_than_the_model_takes_gives_each_call_its_own_result(model: SileroModel) -> None:
    alone, together = Arena(model), Arena(model, slots=1)
    for slot in range(100):
        together.clear(slot)
    alone.clear(0)
    for window in WINDOWS[:20]:
        alone.run([0], [window])
        together.run(list(range(100)), [window] * 100)
    assert together.probability[:100] == pytest.approx(np.full(100, alone.probability[0]), abs=1e-5)


def test_the_gate_opens_for_sound_and_closes_after_silence(model: SileroModel) -> None:
    arena = Arena(model)
    arena.clear(0)
    runs = [arena.run([0], [b"\xff" * 256])[1] for _ in range(15)]
    assert runs == [1] * 10 + [0] * 5
    assert arena.run([0], [noise(0.1)])[1] == 1


def test_overload_closes_the_gate_sooner_but_not_for_a_call_with_voice(model: SileroModel) -> None:
    arena = Arena(model)
    arena.clear(0)
    arena.clear(1)
    for window in WINDOWS[:40]:
        arena.run([0], [window])
    faint = noise(0.006)
    runs = [arena.run([0, 1], [faint, faint], overload=True)[1] for _ in range(4)]
    assert runs == [2, 2, 1, 1]
    runs = [arena.run([1], [faint])[1] for _ in range(2)]
    assert runs == [1, 1]


def test_a_cleared_slot_has_no_memory(model: SileroModel) -> None:
    arena, fresh = Arena(model), Arena(model)
    arena.clear(0)
    for window in WINDOWS:
        arena.run([0], [window])
    arena.clear(0)
    fresh.clear(0)
    for window in WINDOWS[:10]:
        assert arena.run([0], [window]) == fresh.run([0], [window])
    assert arena.probability[0] == fresh.probability[0]
