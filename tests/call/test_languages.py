from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from moonwire.call.languages import Languages
from moonwire.sandbox.caller import HangUp, Say, WaitForSilence, WaitForSpeech
from moonwire.sandbox.deepgram import Script
from moonwire.sandbox.virtual_time import virtual_time
from moonwire.spec.components import Synthesizer

from .stage import AGENT, staged

BASE = Synthesizer(vendor="cartesia", voice="katie", language="en-US", options={"speed": 1.1})
CONFIG: dict[str, dict[str, Any]] = {
    "es": {"tts": {"voice": "maria"}},
    "fr-FR": {"tts": {"vendor": "elevenlabs", "voice": "Claire"}},
    "de": {"tts": {"voice": 7}},
}


def test_off_changes_nothing() -> None:
    languages = Languages(False, CONFIG, BASE)
    assert not languages.hear("es")
    assert languages.synthesizer == BASE


def test_first_utterance_locks() -> None:
    languages = Languages(True, CONFIG, BASE)
    assert languages.hear("es")
    chosen = languages.synthesizer
    assert (chosen.vendor, chosen.voice, chosen.language, chosen.options) == ("cartesia", "maria", "es", {"speed": 1.1})
    assert not languages.hear("fr")
    assert languages.synthesizer == chosen


def test_the_language_that_is_spoken_already_is_locked_without_a_new_voice() -> None:
    languages = Languages(True, CONFIG, BASE)
    assert languages.hear("en")
    assert languages.synthesizer == BASE
    assert not languages.hear("es")


def test_every_utterance() -> None:
    languages = Languages("always", CONFIG, BASE)
    heard = []
    for language in ("es", "es", "fr", "pt", "en"):
        languages.hear(language)
        heard.append((languages.synthesizer.vendor, languages.synthesizer.voice, languages.synthesizer.language))
    assert heard == [
        ("cartesia", "maria", "es"),
        ("cartesia", "maria", "es"),
        ("elevenlabs", "Claire", "fr"),
        ("cartesia", "katie", "pt"),
        ("cartesia", "katie", "en"),
    ]


def test_expected_language_has_its_voice_from_the_start() -> None:
    assert Languages(False, CONFIG, BASE, "es-MX").synthesizer.voice == "maria"
    assert Languages(False, CONFIG, BASE, "it").synthesizer == BASE


@pytest.mark.parametrize("entry", [{}, {"tts": None}, {"tts": {"voice": 7}}, {"tts": "x"}])
def test_unusable_entries_keep_the_voice(entry: dict[str, Any]) -> None:
    languages = Languages(True, {"de": entry}, BASE)
    assert languages.hear("de")
    assert (languages.synthesizer.voice, languages.synthesizer.language) == ("katie", "de")


@pytest.mark.agent_row("autoLockLanguage", "languageConfig")
def test_agent_follows_the_callers_language(tmp_path: Path) -> None:
    """Flux hears Spanish: its hints are locked, and the reply is spoken by the voice for Spanish."""

    @virtual_time
    async def scene() -> None:
        async with staged(tmp_path) as stage:
            stage.flux.set_faults(speaks="es")
            stage.flux.set_hearing(Script(["Hello, what are your opening hours?"]))
            agent = {
                **AGENT,
                "stt": {"vendor": "deepgramflux", "deepgramOptions": {"model": "flux-general-multi"}},
                "autoLockLanguage": True,
                "languageConfig": {"es": {"tts": {"vendor": "elevenlabs", "voice": "maria"}}},
            }
            stage.run_application([agent])
            await stage.call(
                WaitForSilence(limit_s=8),
                Say("Hello, what are your opening hours?"),
                WaitForSpeech(limit_s=8),
                WaitForSilence(limit_s=20),
                HangUp(),
            )
            assert stage.flux.connections[0].options.language_hints == ["es"]
            [noted] = stage.named("stt", name="language")
            assert noted["voice_language"] == "es"
            path, query, _ = stage.elevenlabs.records.handshakes[0]
            assert "/maria/" in path
            assert query["language_code"] == "es"
            assert stage.elevenlabs.records.texts()

    scene()
