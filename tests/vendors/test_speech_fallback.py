from __future__ import annotations

from moonwire.spec.components import Recognizer, Synthesizer
from moonwire.vendors.speech_fallback import fallback_recognizer, fallback_synthesizer


def test_nothing_without_a_fallback() -> None:
    assert fallback_recognizer(Recognizer(vendor="deepgram")) is None
    assert fallback_synthesizer(Synthesizer(vendor="cartesia")) is None
    assert (
        fallback_recognizer(Recognizer(vendor="deepgram", label="a", fallback_vendor="deepgram", fallback_label="a"))
        is None
    )
    assert fallback_synthesizer(Synthesizer(vendor="cartesia", voice="v", fallback_vendor="cartesia")) is None


def test_another_recogniser_keeps_hints_only() -> None:
    first = Recognizer(
        vendor="deepgram",
        language="en-US",
        model="nova-3",
        hints=["Kimi"],
        deepgram_options={"apiKey": "k", "endpointing": 300},
        fallback_vendor="deepgramflux",
        fallback_language="de-DE",
    )
    other = fallback_recognizer(first)
    assert other is not None
    assert (other.vendor, other.language, other.model, other.hints) == ("deepgramflux", "de-DE", None, ["Kimi"])
    assert other.deepgram_options == {}
    assert fallback_recognizer(other) is None


def test_a_second_account_keeps_everything_but_the_key() -> None:
    first = Recognizer(
        vendor="deepgram",
        model="nova-3",
        deepgram_options={"apiKey": "k", "endpointing": 300},
        fallback_vendor="deepgram",
        fallback_label="spare",
    )
    other = fallback_recognizer(first)
    assert other is not None
    assert (other.label, other.model, other.deepgram_options) == ("spare", "nova-3", {"endpointing": 300})
    voice = fallback_synthesizer(
        Synthesizer(
            vendor="cartesia",
            voice="v",
            options={"api_key": "k", "speed": 1},
            fallback_vendor="cartesia",
            fallback_label="b",
        )
    )
    assert voice is not None
    assert (voice.label, voice.voice, voice.options) == ("b", "v", {"speed": 1})
