from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonwire.sandbox.deepgramflux.handshake import FluxOptions, judge
from moonwire.spec.components import Recognizer
from moonwire.vendors.stt.deepgramflux.query import listen_query, listen_url


def query(**recognizer: Any) -> list[tuple[str, str]]:
    return parse_qsl(listen_query(Recognizer(vendor="deepgramflux", **recognizer)))


def test_defaults() -> None:
    assert query() == [("model", "flux-general-en"), ("encoding", "mulaw"), ("sample_rate", "8000")]
    assert query(language="en-US") == query()


@pytest.mark.parametrize(
    ("base_url", "address"),
    [
        (None, "wss://api.deepgram.com/v2/listen"),
        ("https://api.deepgram.com/v1/listen", "wss://api.deepgram.com/v2/listen"),
        ("ws://dg.internal:8080/eu/", "ws://dg.internal:8080/eu/v2/listen"),
    ],
)
def test_address(base_url: str | None, address: str) -> None:
    assert listen_url(base_url) == address


def test_other_languages_take_the_multilingual_model() -> None:
    asked = query(language="de-DE", alt_languages=["fr-FR", "zh-CN"])
    assert ("model", "flux-general-multi") in asked
    assert [value for name, value in asked if name == "language_hint"] == ["de", "fr"]


def test_a_nova_model_of_shared_options_is_left_out() -> None:
    assert query(deepgram_options={"model": "nova-3-general", "smartFormatting": True, "endpointing": 300}) == query()


def test_thresholds_are_kept_in_range() -> None:
    asked = dict(query(deepgram_options={"eotThreshold": 0.6, "eagerEotThreshold": 0.9, "eotTimeoutMs": 100}))
    assert (asked["eot_threshold"], asked["eager_eot_threshold"], asked["eot_timeout_ms"]) == ("0.6", "0.6", "500")


anything = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just([]))
names = ["eotThreshold", "eagerEotThreshold", "eotTimeoutMs", "languageHints", "keyterms", "redact", "tag", "numerals"]


@given(
    st.dictionaries(st.sampled_from([*names, "model", "mipOptOut", "profanityFilter"]), anything), st.text(max_size=5)
)
def test_the_vendor_accepts_whatever_an_application_writes(options: dict[str, Any], language: str) -> None:
    asked = query(deepgram_options=options, language=language)
    if not any(name == "model" and value.startswith("flux-") for name, value in asked):
        raise AssertionError(asked)
    if isinstance(options.get("model"), str) and options["model"].startswith("flux-"):
        return
    assert isinstance(judge(asked, "k", None, strict=True), FluxOptions)
