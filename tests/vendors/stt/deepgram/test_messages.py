from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonwire.vendors.stt.deepgram.messages import ErrorMessage, Results, SpeechStarted, UtteranceEnd, parse

FULL = {
    "type": "Results",
    "channel_index": [0, 1],
    "start": 3.26,
    "duration": 2.24,
    "is_final": True,
    "speech_final": False,
    "from_finalize": False,
    "channel": {
        "alternatives": [
            {
                "transcript": " two  two three ",
                "confidence": 0.98,
                "languages": ["en"],
                "words": [{"word": "two", "start": 3.3, "end": 3.5, "confidence": 0.99, "speaker": 0}],
            }
        ]
    },
    "metadata": {"request_id": "abc", "model_info": {"name": "general-nova-3"}},
    "entities": [],
}


def test_results() -> None:
    message = parse(json.dumps(FULL))
    assert isinstance(message, Results)
    assert (message.start, message.duration, message.is_final, message.speech_final) == (3.26, 2.24, True, False)
    assert message.text == "two two three"
    assert message.last_word_end == 3.5
    assert message.metadata
    assert message.metadata.request_id == "abc"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"channel": None, "start": None, "is_final": None},
        {"channel": {}},
        {"channel": {"alternatives": []}},
        {"channel": {"alternatives": [{"transcript": None, "words": None, "confidence": None}]}},
        {"channel": {"alternatives": [{"transcript": "", "words": []}]}},
    ],
)
def test_results_with_little_in_them(body: dict[str, object]) -> None:
    message = parse(json.dumps({"type": "Results", **body}))
    assert isinstance(message, Results)
    assert message.text == ""
    assert message.last_word_end is None


def test_other_messages() -> None:
    assert isinstance(parse('{"type":"SpeechStarted","channel":[0,1],"timestamp":9.54}'), SpeechStarted)
    ended = parse('{"type":"UtteranceEnd","channel":[0,1],"last_word_end":-1}')
    assert isinstance(ended, UtteranceEnd)
    assert ended.last_word_end == -1
    problem = parse('{"type":"Error","variant":"SchemaError","description":"x","message":"y"}')
    assert isinstance(problem, ErrorMessage)
    assert problem.variant == "SchemaError"


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{}", "{", '{"type":"Telemetry"}', '{"type":7}', '{"type":"Results","start":[]}']
)
def test_what_cannot_be_read_is_ignored(text: str) -> None:
    assert parse(text) is None


@given(st.text() | st.binary())
def test_never_raises(text: str | bytes) -> None:
    assert parse(text) is None
