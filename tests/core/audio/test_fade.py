from __future__ import annotations

from moonwire.core.audio.fade import FADE_FRAMES, fade_out, gain_table
from moonwire.core.audio.g711 import rms

LOUD = b"\x00\x80" * 80


def test_a_fade_falls_evenly_to_silence() -> None:
    faded = fade_out([LOUD] * 5)
    assert len(faded) == FADE_FRAMES
    levels = [rms(frame[at : at + 20]) for frame in faded for at in range(0, 160, 20)]
    assert levels == sorted(levels, reverse=True)
    assert levels[0] > 30000
    assert levels[-1] == 0


def test_a_short_rest_is_faded_as_far_as_it_goes() -> None:
    assert len(fade_out([LOUD])) == 1
    assert fade_out([]) == []


def test_gain_one_changes_no_level() -> None:
    assert rms(LOUD.translate(gain_table(1.0))) == rms(LOUD)
    assert rms(LOUD.translate(gain_table(0.0))) == 0
