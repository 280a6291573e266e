from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonwire.transports.websocket.frames import (
    BINARY,
    CLOSE,
    PING,
    TEXT,
    FrameError,
    MessageReader,
    build_close,
    build_frame,
    frame_head,
)

MASK = b"\x01\x02\x03\x04"


def from_client(opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    head = frame_head(opcode, len(payload))
    masked = bytes(octet ^ MASK[index % 4] for index, octet in enumerate(payload))
    return bytes([head[0] & (0xFF if final else 0x7F), head[1] | 0x80]) + head[2:] + MASK + masked


@given(st.lists(st.tuples(st.sampled_from([TEXT, BINARY]), st.binary(max_size=300)), max_size=6), st.integers(1, 50))
def test_messages_survive_any_cutting(messages: list[tuple[int, bytes]], size: int) -> None:
    stream = b"".join(from_client(opcode, payload) for opcode, payload in messages)
    reader = MessageReader(1000)
    received = [
        message for start in range(0, len(stream), size) for message in reader.feed(stream[start : start + size])
    ]
    assert received == messages


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
def test_all_three_lengths(size: int) -> None:
    payload = bytes(size)
    assert MessageReader(70000).feed(from_client(BINARY, payload)) == [(BINARY, payload)]
    assert build_frame(BINARY, payload).endswith(payload)


def test_exact_bytes() -> None:
    assert build_frame(TEXT, b"Hello") == bytes.fromhex("810548656c6c6f")
    masked_hello = bytes.fromhex("818537fa213d7f9f4d5158")
    assert MessageReader(100).feed(masked_hello) == [(TEXT, b"Hello")]
    assert build_close(1000, "bye") == b"\x88\x05\x03\xe8bye"
    assert len(build_close(1000, "é" * 100)) == 2 + 2 + 122


def test_fragments_with_a_ping_between() -> None:
    reader = MessageReader(100)
    stream = (
        from_client(TEXT, b"one ", final=False)
        + from_client(PING, b"?")
        + from_client(0, b"two ", final=False)
        + from_client(0, b"three")
        + from_client(TEXT, b"next")
    )
    assert reader.feed(stream) == [(PING, b"?"), (TEXT, b"one two three"), (TEXT, b"next")]


@pytest.mark.parametrize(
    ("stream", "close_code"),
    [
        (build_frame(TEXT, b"unmasked"), 1002),
        (b"\xc1" + from_client(TEXT, b"x")[1:], 1002),
        (from_client(0x3, b"x"), 1002),
        (from_client(PING, bytes(126)), 1002),
        (from_client(CLOSE, b"", final=False), 1002),
        (from_client(0, b"no begin"), 1002),
        (from_client(TEXT, b"a", final=False) + from_client(TEXT, b"b"), 1002),
        (from_client(TEXT, b"a", final=False) + from_client(TEXT, b"b", final=False), 1002),
        (from_client(TEXT, bytes(101)), 1009),
        (from_client(TEXT, bytes(60), final=False) + from_client(0, bytes(60)), 1009),
        (b"\x81\xff" + b"\xff" * 8 + MASK, 1009),
    ],
)
def test_what_breaks_the_protocol(stream: bytes, close_code: int) -> None:
    with pytest.raises(FrameError) as caught:
        MessageReader(100).feed(stream)
    assert caught.value.close_code == close_code


@given(st.lists(st.binary(max_size=100), max_size=10))
def test_any_bytes_are_messages_or_a_frame_error(pieces: list[bytes]) -> None:
    reader = MessageReader(1000)
    with suppress(FrameError):
        for piece in pieces:
            assert all(len(payload) <= 1000 for _, payload in reader.feed(piece))
