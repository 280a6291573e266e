from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonwire.transports.websocket.frames import TEXT, build_frame
from moonwire.transports.websocket.twilio_messages import (
    MessageError,
    StreamDigit,
    StreamMark,
    StreamMessage,
    StreamStart,
    StreamStop,
    StreamWriter,
    parse_message,
)


def media(payload: str, **members: Any) -> dict[str, Any]:
    body = {"track": "inbound", "chunk": "1", "timestamp": "20", "payload": payload} | members
    return {"event": "media", "sequenceNumber": "3", "media": body, "streamSid": "MZ1"}


@given(st.binary(min_size=1, max_size=400), st.booleans(), st.booleans())
def test_media_in_any_spelling_of_json(audio: bytes, compact: bool, event_last: bool) -> None:
    message = media(base64.b64encode(audio).decode())
    if event_last:
        message["event"] = message.pop("event")
    text = json.dumps(message, separators=(",", ":") if compact else None)
    assert parse_message(text.encode()) == audio
    assert parse_message(text.replace("/", "\\/").encode()) == audio


def test_audio_of_the_other_track_is_none_of_ours() -> None:
    message = media("AAAA", track="outbound")
    assert parse_message(json.dumps(message).encode()) is None
    message["event"] = message.pop("event")
    assert parse_message(json.dumps(message).encode()) is None


def test_the_other_messages() -> None:
    start = {
        "event": "start",
        "sequenceNumber": "1",
        "start": {
            "accountSid": "AC1",
            "streamSid": "MZ1",
            "callSid": "CA1",
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"number": "1617", "n": 5, "none": None},
        },
        "streamSid": "MZ1",
    }
    assert parse_message(json.dumps(start).encode()) == StreamStart(
        "MZ1", "CA1", "audio/x-mulaw", {"number": "1617", "n": "5", "none": ""}
    )
    assert parse_message(b'{"event":"start","streamSid":"MZ2","start":{}}') == StreamStart("MZ2", "", "")
    assert parse_message(b'{"event":"mark","mark":{"name":"m"}}') == StreamMark("m")
    assert parse_message(b'{"event":"dtmf","dtmf":{"track":"inbound_track","digit":"a"}}') == StreamDigit("A")
    assert parse_message(b'{"event":"stop","stop":{}}') == StreamStop()


@pytest.mark.parametrize(
    "text",
    [
        b'{"event":"connected","protocol":"Call"}',
        b'{"event":"other"}',
        b"{}",
        b'{"event":"media"}',
        b'{"event":"media","media":{"payload":5}}',
        b'{"event":"media","media":{"payload":"A"}}',
        b'{"event":"media","media":{"payload":""}}',
        b'{"media":{"payload":"A"},"event":"media"}',
        '{"media":{"payload":"é"},"event":"media"}'.encode(),
        b'{"event":"dtmf","dtmf":{"digit":"12"}}',
        b'{"event":"mark","mark":[]}',
        b'{"event":"start","start":[]}',
    ],
)
def test_what_says_nothing_to_us(text: bytes) -> None:
    assert parse_message(text) is None


@pytest.mark.parametrize("text", [b"", b"no json", b"[]", b"5", b'{"event":"media",', b'{"event":"\xff"}'])
def test_what_is_no_message(text: bytes) -> None:
    with pytest.raises(MessageError):
        parse_message(text)


@given(st.binary(max_size=100) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_survived(text: bytes) -> None:
    for message in (text, b'{"event":"media",' + text):
        try:
            parsed = parse_message(message)
        except MessageError:
            continue
        assert isinstance(parsed, StreamMessage)


def test_what_we_send() -> None:
    writer = StreamWriter('MZ"1')
    audio = bytes(range(160))
    expected = f'{{"event":"media","streamSid":"MZ\\"1","media":{{"payload":"{base64.b64encode(audio).decode()}"}}}}'
    assert writer.media(audio) == build_frame(TEXT, expected.encode())
    mark = b'{"event":"mark","streamSid":"MZ\\"1","mark":{"name":"m1"}}'
    assert writer.mark("m1") == build_frame(TEXT, mark)
    assert writer.clear() == build_frame(TEXT, b'{"event":"clear","streamSid":"MZ\\"1"}')
