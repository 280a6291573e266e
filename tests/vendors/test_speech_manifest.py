"""The forms of speech vendors: one per vendor, with both of its sides; what they ask, REST takes."""

from __future__ import annotations

from moonwire.api.speech_credentials import NewSpeechCredential
from moonwire.store.declared import SpeechServiceSpec
from moonwire.vendors.speech_manifest import forms
from moonwire.vendors.stt import stt_manifests
from moonwire.vendors.tts import tts_manifests


def test_a_vendor_that_listens_and_speaks_has_one_form() -> None:
    shown = {str(one["vendor"]): one for one in forms((*stt_manifests(), *tts_manifests()))}
    assert list(shown) == ["deepgram", "deepgramflux", "cartesia", "elevenlabs"]
    assert [one["uses"] for one in shown.values()] == [["stt", "tts"], ["stt"], ["tts"], ["tts"]]
    assert shown["deepgram"]["displayName"] == "Deepgram"
    models = {model["id"] for model in shown["deepgram"]["knownModels"]}  # pyright: ignore
    assert {"nova-3", "aura-2-thalia-en"} <= models


def test_every_field_of_a_form_is_taken_by_rest_and_by_the_configuration_file() -> None:
    asked = {field.member for one in (*stt_manifests(), *tts_manifests()) for field in one.fields}
    assert "api_key" in asked
    assert asked <= set(NewSpeechCredential.model_fields)
    assert asked <= set(SpeechServiceSpec.model_fields)
