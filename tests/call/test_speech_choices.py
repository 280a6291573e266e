"""What a verb leaves open comes from the session."""

from __future__ import annotations

from typing import Any

import pytest

from moonwire.call.speech_choices import merged
from moonwire.spec.components import Recognizer, Synthesizer

SESSION = Synthesizer(vendor="cartesia", voice="katie", language="de-DE", options={"speed": 1.1})


@pytest.mark.parametrize(
    ("own", "vendor", "voice", "language"),
    [
        ({"vendor": "cartesia"}, "cartesia", "katie", "de-DE"),
        ({"vendor": "cartesia", "voice": "anna"}, "cartesia", "anna", "de-DE"),
        ({"vendor": "default"}, "cartesia", "katie", "de-DE"),
        ({"vendor": "default", "voice": "anna", "language": "default"}, "cartesia", "anna", "de-DE"),
        ({"vendor": "elevenlabs"}, "elevenlabs", None, None),
        ({"vendor": "elevenlabs", "voice": "default", "language": "default"}, "elevenlabs", None, None),
    ],
)
def test_voice(own: dict[str, Any], vendor: str, voice: str | None, language: str | None) -> None:
    chosen = merged(Synthesizer.model_validate(own), SESSION)
    assert (chosen.vendor, chosen.voice, chosen.language) == (vendor, voice, language)


def test_without_a_session_nothing_is_filled_up() -> None:
    assert merged(Recognizer(vendor="deepgram", language="default"), None) == Recognizer(vendor="deepgram")
    assert merged(Recognizer(vendor="default"), None).vendor == "default"
