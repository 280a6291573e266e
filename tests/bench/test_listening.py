"""The listening check hears what it claims to hear: planted clicks, holes, overlaps and silences."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from bench.listening import FRAME, RATE_HZ, Samples, clicks, dropouts, measure

from moonwire.sandbox.caller import CallerReport, CallerTurn


def voice(*spans: tuple[float, float], length_s: float = 6.0) -> Samples:
    """A sound that swells and fades, between these seconds."""
    audio = np.zeros(int(length_s * RATE_HZ))
    for start_s, end_s in spans:
        at = np.arange(int((end_s - start_s) * RATE_HZ))
        rise = np.clip(np.minimum(at, at[::-1]) / 400, 0, 1)
        audio[int(start_s * RATE_HZ) :][: len(at)] = 0.3 * rise * np.sin(2 * np.pi * 200 * at / RATE_HZ)
    return audio


def recorded(path: Path, caller: Samples, agent: Samples) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((np.stack([caller, agent], axis=1) * 32767).astype("<i2").tobytes())
    return path


def test_sound_that_swells_and_fades_is_clean() -> None:
    assert clicks(voice((1, 3))) == []
    assert dropouts(voice((1, 3))) == []


def test_sound_that_is_cut_clicks() -> None:
    cut = voice((1, 3))
    cut[100 * FRAME :] = 0
    cut[100 * FRAME - 10 : 100 * FRAME] = 0.3  # not where the wave crosses zero by chance
    assert clicks(cut) == pytest.approx([2.0], abs=0.01)


def test_lost_frames_are_holes() -> None:
    holed = voice((1, 3))
    holed[90 * FRAME : 92 * FRAME] = 0
    assert dropouts(holed) == pytest.approx([1.8])


def test_a_whole_call(tmp_path: Path) -> None:
    caller, agent = voice((2.0, 3.0), (4.5, 5.5)), voice((0.5, 1.5), (3.8, 5.0))
    turns = [CallerTurn("say", "a", 2.0, 3.0, response_delay_s=0.8), CallerTurn("say", "b", 4.5, 5.5)]
    heard = measure(recorded(tmp_path / "call.wav", caller, agent), CallerReport(turns=turns))
    assert heard.overlap_s == pytest.approx(0.5, abs=0.05)
    assert heard.answers_s == [0.8]
    assert heard.silence_s == pytest.approx(0.8, abs=0.05)
    turns[1].kind = "interrupt"
    assert measure(tmp_path / "call.wav", CallerReport(turns=turns)).overlap_s == 0.0, "the script wanted that"
