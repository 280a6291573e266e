from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonwire.errors import ConfigError
from moonwire.ports.directory import VendorCredential
from moonwire.spec.components import Synthesizer
from moonwire.vendors.tts.elevenlabs.options import base_address, choose_voice


@pytest.mark.parametrize(
    ("base_url", "address"),
    [
        (None, "wss://api.elevenlabs.io"),
        ("https://api.eu.residency.elevenlabs.io/", "wss://api.eu.residency.elevenlabs.io"),
        ("ws://127.0.0.1:9/proxy/v1/text-to-speech/abc/stream-input", "ws://127.0.0.1:9/proxy"),
        ("api.elevenlabs.io/v1", "wss://api.elevenlabs.io"),
    ],
)
def test_address(base_url: str | None, address: str) -> None:
    assert base_address(base_url) == address


@pytest.mark.parametrize("base_url", ["ftp://x", "wss://", "wss://[::1"])
def test_unusable_address(base_url: str) -> None:
    with pytest.raises(ConfigError):
        base_address(base_url)


def test_settings_are_kept_in_range() -> None:
    options = {"voice_settings": {"stability": 2, "speed": 0.1, "use_speaker_boost": True, "novelty": 1}}
    choice = choose_voice(Synthesizer(vendor="elevenlabs", options=options), VendorCredential("elevenlabs"))
    assert choice.opening == {"voice_settings": {"stability": 1.0, "speed": 0.7, "use_speaker_boost": True}}


def test_stored_options_are_the_ground() -> None:
    credential = VendorCredential("elevenlabs", fields={"options": '{"voice_settings":{"speed":1.1}}', "voice_id": "v"})
    choice = choose_voice(Synthesizer(vendor="elevenlabs"), credential)
    assert choice.opening == {"voice_settings": {"speed": 1.1}}
    assert "/v/" in choice.path_and_query


def test_language_only_where_the_model_takes_it() -> None:
    fixed = Synthesizer(vendor="elevenlabs", language="zh-CN", options={"model_id": "eleven_multilingual_v2"})
    assert "language_code" not in choose_voice(fixed, VendorCredential("elevenlabs")).path_and_query
    flash = Synthesizer(vendor="elevenlabs", language="cmn-Hans-CN")
    assert "language_code=zh" in choose_voice(flash, VendorCredential("elevenlabs")).path_and_query


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=9), inner, max_size=2),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["voice_settings", "model_id", "pronunciation_dictionary_locators"]), anything))
def test_no_options_break_it(options: dict[str, Any]) -> None:
    assert choose_voice(Synthesizer(vendor="elevenlabs", options=options), VendorCredential("elevenlabs"))
