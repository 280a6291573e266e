"""Cuts a TCP stream into SIP messages by Content-Length; a stream that lost its frame is given up.

Source: RFC 3261 section 18.3; RFC 5626 section 4.4.1 (keep-alives).
"""

from __future__ import annotations

import re

from moonwire.errors import RemoteProtocolError

MAX_HEAD_BYTES = 32768
MAX_BODY_BYTES = 32768
_LENGTH = re.compile(rb"^(?:content-length|l)[ \t]*:[ \t]*([^\r\n]*?)[ \t]*$", re.IGNORECASE | re.MULTILINE)


class StreamFramer:
    """One connection's framing."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self.keepalives = 0
        """Double-CRLF pings seen and not yet answered; the connection answers each with one CRLF."""

    @property
    def pending_bytes(self) -> int:
        """Bytes of an unfinished message; half a keep-alive is none."""
        return len(self._buffer.lstrip(b"\r\n")) and len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes as they came; return the messages they complete.

        Raises:
            RemoteProtocolError: too large or without a usable length; the connection must be closed.
        """
        self._buffer += data
        messages: list[bytes] = []
        while (message := self._next()) is not None:
            messages.append(message)
        return messages

    def _next(self) -> bytes | None:
        self._skip_keepalives()
        end = self._buffer.find(b"\r\n\r\n", self._searched)
        if end < 0:
            self._searched = max(0, len(self._buffer) - 3)
            if len(self._buffer) > MAX_HEAD_BYTES:
                raise RemoteProtocolError("message head too large", status=513)
            return None
        if end > MAX_HEAD_BYTES:
            raise RemoteProtocolError("message head too large", status=513)
        # The separator's first CRLF belongs to the last header line; `$` needs the line feeds alone.
        head = bytes(self._buffer[:end]).replace(b"\r\n", b"\n")
        total = end + 4 + _body_bytes(head)
        self._searched = end
        if len(self._buffer) < total:
            return None
        message = bytes(self._buffer[:total])
        del self._buffer[:total]
        self._searched = 0
        return message

    def _skip_keepalives(self) -> None:
        if self._searched or not self._buffer.startswith((b"\r", b"\n")):
            return
        blank = len(self._buffer) - len(self._buffer.lstrip(b"\r\n"))
        self.keepalives += blank // 4
        # An odd half of a ping may still be on its way.
        del self._buffer[: blank if len(self._buffer) > blank else blank - blank % 4]


def _body_bytes(head: bytes) -> int:
    lengths = {bytes(match) for match in _LENGTH.findall(head)}
    if not lengths:
        return 0
    text = lengths.pop()
    if lengths or not re.fullmatch(rb"[0-9]{1,6}", text):
        raise RemoteProtocolError("unusable Content-Length")
    if int(text) > MAX_BODY_BYTES:
        raise RemoteProtocolError("message body too large", status=513)
    return int(text)
