from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonwire.sandbox.deepgram.handshake import ListenOptions, judge
from moonwire.spec.components import Recognizer
from moonwire.vendors.stt.deepgram.query import MAX_KEYTERMS, listen_query, listen_url, wants_short_utterances


def query(**recognizer: Any) -> list[tuple[str, str]]:
    return parse_qsl(listen_query(Recognizer(vendor="deepgram", **recognizer)), keep_blank_values=True)


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        (None, "wss://api.deepgram.com/v1/listen"),
        ("", "wss://api.deepgram.com/v1/listen"),
        ("https://api.eu.deepgram.com", "wss://api.eu.deepgram.com/v1/listen"),
        ("http://127.0.0.1:8089", "ws://127.0.0.1:8089/v1/listen"),
        ("WS://localhost:1/", "ws://localhost:1/v1/listen"),
        ("dg.example.com/stt/", "wss://dg.example.com/stt/v1/listen"),
        ("wss://api.deepgram.com/v1/listen", "wss://api.deepgram.com/v1/listen"),
        ("wss://api.deepgram.com/v1?model=x", "wss://api.deepgram.com/v1/listen"),
        ("ws://user:secret@[::1]:9/", "ws://[::1]:9/v1/listen"),
    ],
)
def test_addresses(base_url: str | None, expected: str) -> None:
    assert listen_url(base_url) == expected


@pytest.mark.parametrize("base_url", ["ftp://x", "wss://", "http://:80", "wss://host:port", "wss://host:99999"])
def test_bad_addresses(base_url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        listen_url(base_url)


def test_defaults() -> None:
    assert dict(query()) == {
        "model": "nova-3",
        "encoding": "mulaw",
        "sample_rate": "8000",
        "channels": "1",
        "interim_results": "true",
        "vad_events": "true",
        "smart_format": "true",
        "no_delay": "true",
        "punctuate": "true",
        "endpointing": "300",
        "utterance_end_ms": "1000",
    }


def test_model_precedence() -> None:
    def model(default: str | None = None, **recognizer: Any) -> str:
        return dict(parse_qsl(listen_query(Recognizer(vendor="deepgram", **recognizer), default)))["model"]

    assert model("nova-2") == "nova-2"
    assert model("nova-2", model="nova-3-medical") == "nova-3-medical"
    assert model("nova-2", model="a", deepgram_options={"model": "b"}) == "b"
    assert model(deepgram_options={"model": "b", "customModel": "c"}) == "c"


def test_deepgram_options() -> None:
    options = {
        "punctuate": False,
        "smartFormatting": False,
        "noDelay": False,
        "numerals": True,
        "profanityFilter": True,
        "fillerWords": True,
        "diarize": False,
        "mipOptOut": True,
        "endpointing": 450,
        "utteranceEndMs": 1500,
        "version": "latest",
        "redact": ["pci", "ssn"],
        "replace": "colour:color",
        "tag": ["a b"],
        "search": [],
        "tier": "base",
    }
    found = query(language="es", deepgram_options=options)
    values = dict(found)
    assert (values["punctuate"], values["smart_format"], values["no_delay"]) == ("false", "false", "false")
    assert (values["numerals"], values["profanity_filter"], values["filler_words"]) == ("true", "true", "true")
    assert (values["diarize"], values["mip_opt_out"], values["version"]) == ("false", "true", "latest")
    assert (values["endpointing"], values["utterance_end_ms"], values["language"]) == ("450", "1500", "es")
    assert [value for name, value in found if name == "redact"] == ["pci", "ssn"]
    assert (values["replace"], values["tag"]) == ("colour:color", "a b")
    assert "search" not in values
    assert "tier" not in values


@pytest.mark.parametrize(
    ("value", "expected"),
    [(False, "false"), ("false", "false"), (True, "300"), ("250", "250"), ("x", "300"), (-1, "300")],
)
def test_endpointing(value: object, expected: str) -> None:
    assert dict(query(deepgram_options={"endpointing": value}))["endpointing"] == expected


@pytest.mark.parametrize(("seconds", "expected"), [(0.5, "1000"), (2.5, "2500"), (60, "5000")])
def test_continuous_recognition_becomes_utterance_end(seconds: float, expected: str) -> None:
    assert dict(query(asr_timeout=seconds))["utterance_end_ms"] == expected


def test_generic_switches() -> None:
    values = dict(query(punctuation=False, profanity_filter=False))
    assert (values["punctuate"], values["profanity_filter"]) == ("false", "false")


def test_vocabulary_for_nova_3() -> None:
    found = query(
        hints=["Moonwire", {"phrase": "Kimi K2", "boost": 20}, " "],
        deepgram_options={"keyterms": ["jambonz", "Moonwire"], "keywords": ["carrier:2", "a:b"]},
    )
    assert [value for name, value in found if name == "keyterm"] == ["Moonwire", "Kimi K2", "jambonz", "carrier", "a:b"]
    assert "keywords" not in dict(found)


def test_languages_to_expect_among_many() -> None:
    found = query(language="multi", alt_languages=["es", "de"], deepgram_options={"languageHints": ["fr", "es"]})
    assert [value for name, value in found if name == "language_hint"] == ["fr", "es", "de"]
    assert "language_hint" not in dict(query(language="en", alt_languages=["es"]))
    assert "language_hint" not in dict(query(language="multi", model="nova-2", alt_languages=["es"]))


def test_hints_without_a_weight_have_the_usual_one() -> None:
    found = query(model="nova-2", hints=["Moonwire", {"phrase": "Kimi", "boost": 20}], hints_boost=5)
    assert [value for name, value in found if name == "keywords"] == ["Moonwire:5", "Kimi:20"]


def test_vocabulary_for_older_models() -> None:
    found = query(
        model="nova-2",
        hints=["Moonwire", {"phrase": "Kimi", "boost": 20}],
        deepgram_options={"keywords": ["carrier:2"]},
    )
    assert [value for name, value in found if name == "keywords"] == ["Moonwire", "Kimi:20", "carrier:2"]


def test_spaces_are_percent_encoded_and_lists_repeated() -> None:
    raw = listen_query(Recognizer(vendor="deepgram", hints=["a b", "c&d"]))
    assert "keyterm=a%20b&keyterm=c%26d" in raw


def test_too_many_keyterms_are_cut() -> None:
    found = query(hints=[f"word{i}" for i in range(500)])
    assert len([1 for name, _ in found if name == "keyterm"]) == MAX_KEYTERMS


def test_short_utterance() -> None:
    assert wants_short_utterances(Recognizer(vendor="deepgram", deepgram_options={"shortUtterance": True}))
    assert not wants_short_utterances(Recognizer(vendor="deepgram"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10000) | st.floats(-1, 1e6) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(
    [
        "punctuate",
        "smartFormatting",
        "noDelay",
        "numerals",
        "profanityFilter",
        "fillerWords",
        "multichannel",
        "diarize",
        "endpointing",
        "utteranceEndMs",
        "keyterms",
        "keywords",
        "search",
        "replace",
        "tag",
        "redact",
        "shortUtterance",
        "mipOptOut",
        "tier",
    ]
)


@given(st.dictionaries(NAMES, JSON), st.lists(st.text(max_size=200) | st.dictionaries(st.text(max_size=6), JSON)))
def test_whatever_an_application_writes_is_a_valid_request(options: dict[str, Any], hints: list[Any]) -> None:
    found = query(deepgram_options=options, hints=hints)
    assert isinstance(judge(found, "key", None, strict=True), ListenOptions)
