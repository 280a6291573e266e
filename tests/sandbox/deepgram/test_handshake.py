from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from moonwire.sandbox.deepgram.handshake import ListenOptions, Refusal, judge, key_of

GOOD = "model=nova-3&encoding=mulaw&sample_rate=8000&interim_results=true"


def verdict(query: str, *, strict: bool = True) -> ListenOptions | Refusal:
    return judge(parse_qsl(query, keep_blank_values=True), "k", ["k"], strict=strict)


def test_what_was_asked_for() -> None:
    assert verdict(GOOD + "&vad_events=true&endpointing=300&utterance_end_ms=1000") == ListenOptions(
        "nova-3", "mulaw", 8000, True, True, 300, 1000
    )
    assert verdict(GOOD + "&endpointing=false") == ListenOptions("nova-3", "mulaw", 8000, True, False, None, None)
    assert verdict("") == ListenOptions()


@pytest.mark.parametrize(
    ("query", "part"),
    [
        (GOOD + "&detect_language=true", "detect_language"),
        (GOOD + "&punctuate=yes", "punctuate"),
        (GOOD.replace("nova-3", "whale-1"), "model"),
        (GOOD.replace("mulaw", "mp3"), "mp3"),
        ("model=nova-3&encoding=mulaw", "sample_rate"),
        (GOOD + "&endpointing=soon", "endpointing"),
        ("model=nova-3&utterance_end_ms=1000", "interim_results"),
        (GOOD + "&keywords=a:1", "keyterm"),
        (GOOD.replace("nova-3", "nova-2") + "&keyterm=a", "Nova-3"),
        (GOOD + "&keyterm=" + "abcd" * 501, "500"),
    ],
)
def test_wrong_parameters(query: str, part: str) -> None:
    found = verdict(query)
    assert isinstance(found, Refusal)
    assert found.status == 400
    assert part in found.text


def test_lenient_mode_takes_unknown_parameters() -> None:
    assert isinstance(verdict(GOOD + "&colour=red", strict=False), ListenOptions)


def test_credentials() -> None:
    assert key_of({"authorization": "Token abc"}) == "abc"
    assert key_of({"authorization": "bearer abc"}) == "abc"
    assert key_of({"sec-websocket-protocol": "token, abc"}) == "abc"
    assert key_of({"authorization": "Basic abc"}) is None
    assert key_of({}) is None
    assert isinstance(judge([], None, None, strict=True), Refusal)
    assert isinstance(judge([], "anything", None, strict=True), ListenOptions)
