from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonwire.core.sip.framer import MAX_BODY_BYTES, MAX_HEAD_BYTES, StreamFramer
from moonwire.errors import RemoteProtocolError


def message(body: bytes) -> bytes:
    return b"OPTIONS sip:x SIP/2.0\r\nX: y\r\nContent-Length: %d\r\n\r\n" % len(body) + body


@given(st.lists(st.binary(max_size=200), max_size=6), st.lists(st.integers(1, 300), max_size=40))
def test_any_cut_of_the_stream_gives_the_same_messages(bodies, cuts):
    stream = b"".join(message(body) for body in bodies)
    framer = StreamFramer()
    got: list[bytes] = []
    for size in cuts:
        got += framer.feed(stream[:size])
        stream = stream[size:]
    got += framer.feed(stream)
    assert got == [message(body) for body in bodies]
    assert framer.pending_bytes == 0


@given(st.lists(st.binary(max_size=5000), max_size=30))
def test_garbage_never_does_more_than_break_the_frame(chunks):
    framer = StreamFramer()
    try:
        for chunk in chunks:
            framer.feed(chunk)
            assert framer.pending_bytes <= MAX_HEAD_BYTES + MAX_BODY_BYTES + 4
    except RemoteProtocolError:
        pass


def test_keepalives_are_counted_and_removed():
    framer = StreamFramer()
    assert framer.feed(b"\r\n") == []
    assert framer.keepalives == 0
    assert framer.pending_bytes == 0
    assert framer.feed(b"\r\n" + message(b"") + b"\r\n\r\n\r\n\r\n") == [message(b"")]
    assert framer.keepalives == 3


@pytest.mark.parametrize("name", [b"Content-Length", b"content-length", b"l", b"L "])
def test_all_spellings_of_the_length(name):
    data = b"A\r\n" + name + b": 2 \r\n\r\nhi"
    assert StreamFramer().feed(data) == [data]


def test_no_length_means_no_body():
    assert StreamFramer().feed(b"A b\r\nC: d\r\n\r\n") == [b"A b\r\nC: d\r\n\r\n"]


@pytest.mark.parametrize(
    "data",
    [
        b"A\r\nContent-Length: x\r\n\r\n",
        b"A\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"A\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1),
        b"A" * (MAX_HEAD_BYTES + 1),
        b"A" * (MAX_HEAD_BYTES + 1) + b"\r\n\r\n",
    ],
)
def test_what_cannot_be_framed_is_an_error(data):
    with pytest.raises(RemoteProtocolError):
        StreamFramer().feed(data)
