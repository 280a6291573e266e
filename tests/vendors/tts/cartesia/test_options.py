from __future__ import annotations

from typing import Any

import pytest

from moonwire.errors import ConfigError, RequestRejectedError
from moonwire.ports.directory import VendorCredential
from moonwire.spec.components import Synthesizer
from moonwire.vendors.tts.cartesia.manifest import DEFAULT_MODEL, DEFAULT_VOICE_ID
from moonwire.vendors.tts.cartesia.options import choose_voice, socket_url

UUID = "a0e99841-438c-4a64-b679-ae501e7d6091"


def choose(credential_fields: dict[str, str] | None = None, **members: Any):
    synthesizer = Synthesizer(vendor="cartesia", **members)
    return choose_voice(synthesizer, VendorCredential("cartesia", fields=credential_fields or {}))


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        (None, "wss://api.cartesia.ai/tts/websocket"),
        ("https://api.cartesia.ai", "wss://api.cartesia.ai/tts/websocket"),
        ("http://127.0.0.1:9000/", "ws://127.0.0.1:9000/tts/websocket"),
        ("ws://127.0.0.1:9000/proxy", "ws://127.0.0.1:9000/proxy/tts/websocket"),
        ("WSS://Speech.Example", "wss://Speech.Example/tts/websocket"),
        (" wss://api.cartesia.ai/tts/websocket ", "wss://api.cartesia.ai/tts/websocket"),
        ("speech.example:8443", "wss://speech.example:8443/tts/websocket"),
    ],
)
def test_endpoint(base_url: str | None, url: str) -> None:
    assert socket_url(base_url) == url


@pytest.mark.parametrize("base_url", ["ftp://x", "wss://", "file:///etc/passwd"])
def test_unusable_endpoint(base_url: str) -> None:
    with pytest.raises(ConfigError, match="base_url"):
        socket_url(base_url)


@pytest.mark.parametrize("voice", [UUID, {"mode": "id", "id": UUID}, {"id": UUID}, UUID.upper()])
def test_a_uuid_is_used_as_it_is(voice: str | dict[str, str]) -> None:
    choice = choose(voice=voice)
    assert choice.recipe.voice_id.lower() == UUID
    assert choice.substituted is None


def test_a_configured_name_is_mapped() -> None:
    fields = {"voice_aliases": f"Reception={UUID}, broken"}
    assert choose(fields, voice="reception").recipe.voice_id == UUID
    assert choose(voice="Katie").recipe.voice_id == DEFAULT_VOICE_ID


def test_a_model_named_as_voice_speaks_with_the_default_voice_and_model() -> None:
    choice = choose(voice="sonic-english")
    assert choice.recipe.voice_id == DEFAULT_VOICE_ID
    assert choice.recipe.model_id == DEFAULT_MODEL
    assert choice.substituted == "sonic-english"


def test_no_voice_is_the_operators_default() -> None:
    fields = {"voice_id": UUID, "model_id": "sonic-3.5"}
    recipe = choose(fields).recipe
    assert (recipe.voice_id, recipe.model_id) == (UUID, "sonic-3.5")


def test_any_other_voice_is_an_error_that_names_the_field() -> None:
    with pytest.raises(RequestRejectedError, match=r"synthesizer\.voice: 'Joanna'") as caught:
        choose(voice="Joanna")
    assert "UUID" in caught.value.remedy


@pytest.mark.parametrize(
    ("language", "sent"),
    [("en-US", "en"), ("fr_CA", "fr"), (None, "en"), ("zh-CN", "zh"), ("cmn-Hans-CN", "zh"), ("DE", "de"), ("", "en")],
)
def test_language_is_two_letters(language: str | None, sent: str) -> None:
    assert choose(language=language).recipe.language == sent


def test_model_and_generation_options() -> None:
    options = {"model_id": "sonic-3.5", "speed": 1.2, "volume": "0.8", "emotion": "calm", "pronunciation_dict_id": "pd"}
    recipe = choose(options=options).recipe
    assert recipe.model_id == "sonic-3.5"
    assert recipe.extras == {
        "generation_config": {"speed": 1.2, "volume": 0.8, "emotion": "calm"},
        "pronunciation_dict_id": "pd",
    }


def test_options_out_of_range_are_moved_to_the_edge_and_told() -> None:
    choice = choose(options={"speed": 9, "volume": 0.1})
    assert choice.recipe.extras == {"generation_config": {"speed": 1.5, "volume": 0.5}}
    assert choice.clamped == ("speed", "volume")


@pytest.mark.parametrize("speed", [True, "quick", [1], None, float("nan")])
def test_options_that_are_no_numbers_are_left_out(speed: object) -> None:
    assert choose(options={"speed": speed}).recipe.extras == {}


def test_speed_words_fit_the_model() -> None:
    assert choose(options={"speed": "fast"}).recipe.extras == {"generation_config": {"speed": 1.2}}
    assert choose(options={"speed": "fast", "model_id": "sonic-2"}).recipe.extras == {"speed": "fast"}
    assert choose(options={"speed": 1.2, "model_id": "sonic-2"}).recipe.extras == {}


@pytest.mark.parametrize(("asked", "sent"), [(None, 0), (250, 250), (90000, 5000), (-1, 0), ("x", 0)])
def test_buffer_delay(asked: object, sent: int) -> None:
    assert choose(options={"max_buffer_delay_ms": asked}).recipe.max_buffer_delay_ms == sent
