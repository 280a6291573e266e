from __future__ import annotations

import asyncio
import math
import shutil

import numpy as np
import pytest

from moonwire.core.audio.g711 import decode_ulaw, rms
from moonwire.sandbox.virtual_time import virtual_time
from moonwire.sandbox.voices import Speaker, available_voice, load_phrasebook, synthesise, synthesise_in_background
from moonwire.sandbox.voices.clip import to_call_audio
from moonwire.sandbox.voices.engine import TONE_S_PER_CHAR, VoiceKind


def test_tones_have_the_length_of_their_text() -> None:
    text = "Hello there, how are you?"
    assert len(synthesise(text, "tone")) / 8000 == pytest.approx(len(text) * TONE_S_PER_CHAR, abs=0.001)


def test_tones_separate_words() -> None:
    clip = synthesise("one two", "tone")
    gap = clip[int(4 * TONE_S_PER_CHAR * 8000) - 300 : int(4 * TONE_S_PER_CHAR * 8000)]
    assert rms(gap) < 100 < rms(clip)


@pytest.mark.parametrize("text", ["", "  ", "...", "<break time='1s'/>"])
def test_nothing_to_pronounce_is_no_audio(text: str) -> None:
    assert synthesise(text, "tone") == b""


@pytest.mark.parametrize("voice", ["espeak", "flite"])
def test_programs_speak_audibly(voice: VoiceKind) -> None:
    if available_voice(voice) != voice:
        pytest.skip(f"{voice} is not installed")
    clip = synthesise("-v is not an option, good morning.", voice)
    assert 1.0 < len(clip) / 8000 < 5.0
    assert rms(clip) > 500


def test_without_programs_tones_speak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert available_voice("auto") == available_voice("espeak") == available_voice("flite") == "tone"


def test_an_unknown_voice_is_refused() -> None:
    with pytest.raises(ValueError, match="sandbox voice"):
        available_voice("opera")  # pyright: ignore[reportArgumentType]


@virtual_time
async def test_in_background_gives_the_same() -> None:
    assert await synthesise_in_background("Hello.", "tone") == synthesise("Hello.", "tone")
    assert await synthesise_in_background("Hello.") == synthesise("Hello.")


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050])
def test_a_clip_keeps_its_pitch_and_loses_its_silence(rate_hz: int) -> None:
    times = np.arange(rate_hz) / rate_hz
    tone = 10000 * np.sin(2 * math.pi * 1000 * times)
    silence = np.zeros(rate_hz)
    clip = to_call_audio(np.concatenate([silence, tone, silence]).astype(np.int16), rate_hz)
    assert len(clip) / 8000 == pytest.approx(1.05, abs=0.03)
    spectrum = np.abs(np.fft.rfft(np.frombuffer(decode_ulaw(clip[400:7600]), dtype="<i2").astype(float)))
    assert np.argmax(spectrum) * 8000 / 7200 == pytest.approx(1000, abs=3)


def test_what_telephones_cannot_carry_is_filtered_out() -> None:
    times = np.arange(22050) / 22050
    low, high = (np.sin(2 * math.pi * hz * times) * 10000 for hz in (1000, 6000))
    mixed = np.frombuffer(decode_ulaw(to_call_audio((low + high).astype(np.int16), 22050)), dtype="<i2").astype(float)
    spectrum = np.abs(np.fft.rfft(mixed))
    hz = np.arange(spectrum.size) * 8000 / mixed.size
    assert spectrum[(hz > 1900) & (hz < 2100)].max() < spectrum.max() / 100


def test_silence_stays_silent() -> None:
    assert to_call_audio(np.zeros(1000, dtype=np.int16), 8000) == b""


def test_the_phrasebook_holds_the_demo_lines() -> None:
    book = load_phrasebook()
    assert len(book) >= 10
    assert next(iter(book)) == "Hello, what are your opening hours?"
    for audio in book.values():
        assert 0.4 < len(audio) / 8000 < 5.0
        assert rms(audio) > 500


def test_the_phrasebook_is_found_without_punctuation_and_case() -> None:
    book = load_phrasebook()
    assert "WAIT stop please" in book
    assert book["wait, stop please"] == book["Wait, stop please."]
    assert book.closest("at seven oclock in the evening") == "At seven o'clock in the evening."
    assert book.closest("unheard of") is None
    assert 7 not in book


@virtual_time
async def test_the_same_text_is_made_once_for_many() -> None:
    speaker = Speaker()
    clips = await asyncio.gather(*(speaker.speak("Good morning, everybody.") for _ in range(20)))
    assert len(set(clips)) == 1
    assert clips[0]
