"""Splits the bytes of a server-sent event stream into the data of its events, whatever the segmentation."""

from __future__ import annotations

from moonwire.errors import RemoteProtocolError

MAX_EVENT_BYTES = 256 * 1024
"""An event larger than this is a fault of the peer, not an answer."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class SseParser:
    """Incremental parser: bytes in, complete event data out; comments and other fields are skipped.

    Source: WHATWG HTML, section 9.2.6 "Interpreting an event stream".
    """

    __slots__ = ("_after_cr", "_between", "_data", "_started", "_tail")

    def __init__(self) -> None:
        self._tail = b""
        self._data: bytes | None = None
        self._after_cr = False
        self._started = False
        self._between = False
        """Nothing waits: the next byte begins an event."""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes and return the data of every event they complete.

        Raises:
            RemoteProtocolError: one event exceeds MAX_EVENT_BYTES.
        """
        if self._between and _is_one_event(chunk):
            return [chunk[6:-2]]
        events = self._read(chunk)
        self._between = self._started and not (self._tail or self._after_cr) and self._data is None
        return events

    def _read(self, chunk: bytes) -> list[bytes]:
        if self._after_cr and chunk:
            self._after_cr = False
            if chunk[0] == 0x0A:
                chunk = chunk[1:]
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = (self._tail + chunk if self._tail else chunk).split(b"\n")
        self._tail = lines.pop()
        events: list[bytes] = []
        for line in lines:
            self._take(line, events)
        if len(self._tail) + len(self._data or b"") > MAX_EVENT_BYTES:
            raise RemoteProtocolError("event stream: one event is larger than 256 KiB")
        return events

    def finish(self) -> list[bytes]:
        """Return what the end of the stream completes: servers exist that omit the last empty line."""
        events: list[bytes] = []
        if self._tail:
            self._take(self._tail, events)
            self._tail = b""
        self._take(b"", events)
        return events

    def _take(self, line: bytes, events: list[bytes]) -> None:
        if not self._started:
            self._started = True
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if not line:
            if self._data is not None:
                events.append(self._data)
                self._data = None
        elif line.startswith(b"data:"):
            value = line[6:] if line[5:6] == b" " else line[5:]
            self._data = value if self._data is None else self._data + b"\n" + value


def _is_one_event(chunk: bytes) -> bool:
    """Recognise what nearly every chunk of an answer is: one whole event of one line."""
    return (
        chunk.startswith(b"data: ")
        and chunk.find(b"\n") == len(chunk) - 2
        and chunk.endswith(b"\n\n")
        and b"\r" not in chunk
        and len(chunk) <= MAX_EVENT_BYTES
    )
