"""Decides what the fallback of a recognizer or synthesizer is asked for; pure.

Source: jambonz `recognizer` and `synthesizer` (@jambonz/schema 0.4.15), fallbackVendor, -Label, -Language, -Voice.
"""

from __future__ import annotations

from typing import Any

from moonwire.spec.components import Recognizer, Synthesizer

_BOUND_TO_THE_KEY = frozenset({"apiKey", "deepgramSttUri", "deepgramSttUseTls"})
_NO_FALLBACK: dict[str, Any] = {"fallback_vendor": None, "fallback_label": None, "fallback_language": None}


def fallback_recognizer(recognizer: Recognizer) -> Recognizer | None:
    """Return the choice behind this one; None when there is none, or it is the same account.

    Hints stay; a model and a key belong to the first vendor.
    """
    vendor, label = recognizer.fallback_vendor, recognizer.fallback_label
    if not vendor or (vendor, label) == (recognizer.vendor, recognizer.label):
        return None
    options = {name: value for name, value in recognizer.deepgram_options.items() if name not in _BOUND_TO_THE_KEY}
    return recognizer.model_copy(
        update={
            **_NO_FALLBACK,
            "vendor": vendor,
            "label": label,
            "language": recognizer.fallback_language or recognizer.language,
            "model": recognizer.model if vendor == recognizer.vendor else None,
            "deepgram_options": options if vendor == recognizer.vendor else {},
        }
    )


def fallback_synthesizer(synthesizer: Synthesizer) -> Synthesizer | None:
    """Return the choice behind this one; None when there is none, or it is the same account and voice.

    A voice and options belong to the first vendor; a second account of the same vendor speaks with the same voice.
    """
    vendor, label = synthesizer.fallback_vendor, synthesizer.fallback_label
    same = vendor == synthesizer.vendor
    voice = synthesizer.fallback_voice or (synthesizer.voice if same else None)
    if not vendor or (same and (label, voice) == (synthesizer.label, synthesizer.voice)):
        return None
    options = {name: value for name, value in synthesizer.options.items() if name != "api_key"} if same else {}
    return synthesizer.model_copy(
        update={
            **_NO_FALLBACK,
            "fallback_voice": None,
            "vendor": vendor,
            "label": label,
            "language": synthesizer.fallback_language or synthesizer.language,
            "voice": voice,
            "options": options,
        }
    )
