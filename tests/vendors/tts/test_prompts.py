from __future__ import annotations

from typing import get_args

import pytest

from moonwire.core.audio.g711 import rms
from moonwire.ports.vendors import PromptName
from moonwire.vendors.tts.prompts import SENTENCES, prompt


@pytest.mark.parametrize("language", SENTENCES)
@pytest.mark.parametrize("name", get_args(PromptName))
def test_every_sentence_is_recorded_and_audible(name: PromptName, language: str) -> None:
    text, audio = prompt(name, language)
    assert text == SENTENCES[language][name]
    assert 0.8 < len(audio) / 8000 < 8.0
    assert rms(audio) > 500


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [("es-MX", "es"), ("cmn-Hans-CN", "zh"), ("pt_BR", "pt"), ("fi-FI", "en"), (None, "en"), ("", "en")],
)
def test_the_region_does_not_matter_and_english_stands_in(asked: str | None, spoken: str) -> None:
    assert prompt("goodbye", asked)[0] == SENTENCES[spoken]["goodbye"]
