"""Translates between bytes and WebSocket messages (RFC 6455 section 5), server side, without extensions.

A reader of our own, because a call needs 50 messages a second and nothing but text, binary and the control frames.
"""

from __future__ import annotations

from typing import Literal

from moonwire.errors import RemoteProtocolError

TEXT = 0x1
BINARY = 0x2
CLOSE = 0x8
PING = 0x9
PONG = 0xA
_CONTINUATION = 0x0

CloseCode = Literal[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011]

Message = tuple[int, bytes]
"""Opcode and payload of one whole message."""


class FrameError(RemoteProtocolError):
    """The peer broke RFC 6455; `close_code` is what to close with."""

    code = "websocket-frame"

    def __init__(self, message: str, close_code: CloseCode) -> None:
        super().__init__(message)
        self.close_code: CloseCode = close_code


class MessageReader:
    """Collects one connection's incoming bytes into messages."""

    __slots__ = ("_fragments", "_fragments_bytes", "_kind", "_max_bytes", "_rest")

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._rest = b""
        self._fragments: list[bytes] = []
        self._fragments_bytes = 0
        self._kind = 0

    def feed(self, data: bytes) -> list[Message]:
        """Take bytes as they come; return the messages that are complete now.

        Raises:
            FrameError: after this the connection must be closed.
        """
        if self._rest:
            data = self._rest + data
        messages: list[Message] = []
        position = 0
        while (start := self._payload_start(data, position)) > 0:
            first = data[position]
            size = self._payload_size(data, position)
            end = start + size
            if end > len(data):
                break
            payload = _unmask(data[start:end], data[start - 4 : start])
            position = end
            if first & 0x80 and first & 0x0F != _CONTINUATION:
                if self._kind and first & 0x08 == 0:
                    raise FrameError("new message inside a fragmented one", 1002)
                messages.append((first & 0x0F, payload))
            else:
                self._take_fragment(first, payload, messages)
        self._rest = data[position:]
        return messages

    def _payload_start(self, data: bytes, position: int) -> int:
        """Return where the frame's payload begins, 0 when the head is not complete yet."""
        if len(data) < position + 2:
            return 0
        first, second = data[position], data[position + 1]
        if first & 0x70:
            raise FrameError("reserved bits are set", 1002)
        if not second & 0x80:
            raise FrameError("frame is not masked", 1002)
        opcode, short = first & 0x0F, second & 0x7F
        if opcode not in (_CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG):
            raise FrameError("unknown opcode", 1002)
        if opcode >= CLOSE and (short > 125 or not first & 0x80):
            raise FrameError("control frame is too long or fragmented", 1002)
        start = position + 6 + (2 if short == 126 else 8 if short == 127 else 0)
        return start if len(data) >= start else 0

    def _payload_size(self, data: bytes, position: int) -> int:
        size = data[position + 1] & 0x7F
        if size == 126:
            size = int.from_bytes(data[position + 2 : position + 4])
        elif size == 127:
            size = int.from_bytes(data[position + 2 : position + 10])
        if size > self._max_bytes:
            raise FrameError("message is too big", 1009)
        return size

    def _take_fragment(self, first: int, payload: bytes, messages: list[Message]) -> None:
        opcode = first & 0x0F
        if (opcode == _CONTINUATION) != bool(self._kind):
            raise FrameError("fragments are out of order", 1002)
        self._kind = self._kind or opcode
        self._fragments.append(payload)
        self._fragments_bytes += len(payload) + 1
        if self._fragments_bytes > self._max_bytes:
            raise FrameError("message is too big", 1009)
        if first & 0x80:
            messages.append((self._kind, b"".join(self._fragments)))
            self._fragments = []
            self._fragments_bytes = 0
            self._kind = 0


def _unmask(payload: bytes, mask: bytes) -> bytes:
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(key, "little")).to_bytes(size, "little")


def frame_head(opcode: int, size: int) -> bytes:
    """Return the head of an unmasked, unfragmented frame with a payload of `size` bytes."""
    if size < 126:
        return bytes((0x80 | opcode, size))
    if size < 65536:
        return bytes((0x80 | opcode, 126)) + size.to_bytes(2)
    return bytes((0x80 | opcode, 127)) + size.to_bytes(8)


def build_frame(opcode: int, payload: bytes) -> bytes:
    """Return a whole unmasked frame."""
    return frame_head(opcode, len(payload)) + payload


def build_close(code: CloseCode, reason: str) -> bytes:
    """Return a close frame; the reason is cut to what fits (123 bytes)."""
    text = reason.encode()[:123].decode(errors="ignore").encode()
    return build_frame(CLOSE, code.to_bytes(2) + text)
