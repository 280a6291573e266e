"""Nearness: the caller's own voice and voices behind the caller, by level."""

from __future__ import annotations

from moonwire.core.audio.energy import rms_of_dbfs
from moonwire.core.turns.nearness import GONE_FRAMES, WINDOW_FRAMES, Nearness


def speak(nearness: Nearness, dbfs: float, frames: int) -> list[str]:
    changes = [nearness.push(rms_of_dbfs(dbfs)) for _ in range(frames)]
    return [change for change in changes if change is not None]


def learned(dbfs: float = -25) -> Nearness:
    nearness = Nearness()
    speak(nearness, dbfs, WINDOW_FRAMES)
    assert nearness.voice_began() == "came"
    speak(nearness, dbfs, 50)
    assert nearness.voice_ended() == "went"
    nearness.learn()
    speak(nearness, -80, 50)
    return nearness


def test_before_anything_is_known_every_clear_voice_is_near() -> None:
    nearness = Nearness()
    speak(nearness, -38, WINDOW_FRAMES)
    assert nearness.voice_began() == "came"


def test_a_whisper_is_not_near_until_it_grows() -> None:
    nearness = Nearness()
    speak(nearness, -60, WINDOW_FRAMES)
    assert nearness.voice_began() is None
    assert speak(nearness, -30, WINDOW_FRAMES) == ["came"]


def test_babble_behind_the_caller_is_not_the_caller() -> None:
    nearness = learned()
    speak(nearness, -37, WINDOW_FRAMES)
    assert nearness.voice_began() is None
    assert speak(nearness, -37, 100) == []
    assert nearness.voice
    assert not nearness.near
    assert nearness.voice_ended() is None


def test_the_caller_over_babble_comes_and_goes() -> None:
    nearness = learned()
    speak(nearness, -40, WINDOW_FRAMES)
    nearness.voice_began()
    assert speak(nearness, -25, 20) == ["came"]
    assert speak(nearness, -40, GONE_FRAMES + WINDOW_FRAMES) == ["went"]


def test_a_soft_word_between_loud_ones_is_no_end() -> None:
    nearness = learned()
    speak(nearness, -25, WINDOW_FRAMES)
    nearness.voice_began()
    assert speak(nearness, -50, GONE_FRAMES - 2) + speak(nearness, -25, 5) == []


def test_callers_come_closer_at_once_and_go_away_slowly() -> None:
    nearness = learned(-25)
    assert nearness.level_dbfs is not None
    before = nearness.level_dbfs
    for dbfs in (-29, -29):
        speak(nearness, dbfs, WINDOW_FRAMES)
        nearness.voice_began()
        speak(nearness, dbfs, 50)
        nearness.voice_ended()
        nearness.learn()
        speak(nearness, -80, 20)
    assert before - 3 < nearness.level_dbfs < before


def test_nothing_is_learned_from_a_click_or_twice_from_one_voice() -> None:
    nearness = Nearness()
    nearness.learn()
    nearness.voice_began()
    nearness.learn()
    assert nearness.level_dbfs is None
    nearness = learned(-25)
    level = nearness.level_dbfs
    nearness.learn()
    assert nearness.level_dbfs == level
