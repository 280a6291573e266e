from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonwire.core.audio.resample import Resampler, resample

PAIRS = [(16000, 8000), (24000, 8000), (8000, 16000), (8000, 24000), (48000, 8000), (44100, 8000), (11025, 8000)]


def tone(hz: float, rate_hz: int, duration_s: float = 0.2) -> np.ndarray:
    at = np.arange(round(rate_hz * duration_s)) / rate_hz
    return np.rint(10000 * np.sin(2 * np.pi * hz * at)).astype(np.int16)


@pytest.mark.parametrize(("from_hz", "to_hz"), PAIRS)
def test_speech_passes_in_place_and_at_level(from_hz: int, to_hz: int) -> None:
    for hz in (300, 1000, 2500):
        made = resample(tone(hz, from_hz), from_hz, to_hz).astype(float)
        wanted = tone(hz, to_hz).astype(float)
        assert abs(len(made) - len(wanted)) <= 1
        size = min(len(made), len(wanted))
        middle = slice(size // 4, size * 3 // 4)
        error = np.sqrt(np.mean((made[middle] - wanted[middle]) ** 2)) / 7071
        assert error < 0.02


@pytest.mark.parametrize("from_hz", [16000, 24000, 48000])
def test_what_8_khz_cannot_hold_is_removed(from_hz: int) -> None:
    made = resample(tone(5000, from_hz), from_hz, 8000).astype(float)
    assert np.sqrt(np.mean(made[50:-50] ** 2)) < 7071 * 0.02


@given(st.sampled_from(PAIRS), st.lists(st.integers(0, 700), min_size=1, max_size=10))
def test_blocks_make_no_difference(pair: tuple[int, int], sizes: list[int]) -> None:
    samples = np.random.default_rng(1).integers(-20000, 20000, sum(sizes), dtype=np.int16)
    whole = Resampler(*pair).process(samples)
    pieces = Resampler(*pair)
    parts = [pieces.process(part) for part in np.split(samples, np.cumsum(sizes)[:-1])]
    assert np.abs(np.concatenate(parts).astype(int) - whole).max(initial=0) <= 1


def test_delay_is_about_a_millisecond() -> None:
    assert Resampler(16000, 8000).delay_samples == 8
    assert Resampler(8000, 16000).delay_samples == 16


def test_equal_rates_change_nothing() -> None:
    samples = tone(440, 8000)
    assert resample(samples, 8000, 8000) is samples
    assert Resampler(8000, 8000).process(samples) is samples


@pytest.mark.parametrize("pair", [(0, 8000), (8000, -1), (44057, 8000)])
def test_impossible_rates(pair: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="cannot resample"):
        Resampler(*pair)
