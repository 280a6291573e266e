"""What the model sees: shape, normalisation, the picture of a known sound, and the shortcut for silence in front."""

from __future__ import annotations

import numpy as np
import pytest

from moonwire.core.audio.g711 import encode_ulaw
from moonwire.vendors.turn.smart_turn.features import BANDS, FRAMES, MODEL_HZ, SECONDS, log_mel, samples_of


def tone(hz: float, seconds: float) -> bytes:
    at = np.arange(round(seconds * 8000)) / 8000
    return encode_ulaw((8000 * np.sin(2 * np.pi * hz * at)).astype("<i2").tobytes())


def test_audio_stands_at_the_end_behind_zeros() -> None:
    samples = samples_of(tone(440, 1.0))
    assert samples.shape == (SECONDS * MODEL_HZ,)
    assert not samples[: 7 * MODEL_HZ - 100].any()
    assert 0.2 < np.abs(samples[-MODEL_HZ // 2 :]).max() < 0.3


def test_only_the_last_eight_seconds_count() -> None:
    assert np.array_equal(samples_of(tone(300, 9.0))[MODEL_HZ:], samples_of(tone(300, 9.0)[8000:])[MODEL_HZ:])


def test_no_audio_is_silence() -> None:
    assert not samples_of(b"").any()


def test_a_tone_lights_its_band() -> None:
    picture = log_mel(samples_of(tone(1000, 8.0)))
    assert picture.shape == (BANDS, FRAMES)
    assert picture.dtype == np.float32
    # 1 kHz is 15 mel; the bands are evenly spaced up to 45.2 mel.
    assert abs(int(picture[:, 400].argmax()) - 26) <= 1
    assert picture.max() - picture.min() == pytest.approx(2.0, abs=0.01), "nothing lies more than 8 decades down"


def test_silence_in_front_is_not_worked_out_frame_by_frame_but_looks_the_same() -> None:
    quiet = samples_of(tone(700, 1.5))
    almost = quiet.copy()
    almost[0] = 1e-9  # not zero: no shortcut
    assert np.abs(log_mel(quiet) - log_mel(almost)).max() < 1e-4
