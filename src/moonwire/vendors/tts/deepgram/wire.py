"""Reads and builds the messages of Deepgram's speak v1 socket; audio comes in binary messages of their own; pure.

Source: https://developers.deepgram.com/docs/tts-websocket, read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from moonwire.errors import RequestRejectedError, VendorError, VendorTimeoutError, VendorUnavailableError
from moonwire.vendors.tts.deepgram.manifest import MAX_SPEAK_CHARS, VENDOR

FLUSH = b'{"type":"Flush"}'
CLEAR = b'{"type":"Clear"}'
CLOSE = b'{"type":"Close"}'

_encoder = msgspec.json.Encoder()


class ServerMessage(msgspec.Struct):
    """Any text message; members that a type lacks keep their defaults."""

    type: str = ""
    request_id: str | None = None
    code: str | None = None
    warn_code: str | None = None
    err_code: str | None = None

    @property
    def any_code(self) -> str:
        """The code in whichever spelling it came."""
        return self.code or self.err_code or self.warn_code or ""


_decoder = msgspec.json.Decoder(ServerMessage, strict=False)


def parse_message(raw: bytes | str) -> ServerMessage | None:
    """Read one text message; None when it cannot be read."""
    try:
        return _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def speak_messages(text: str) -> Iterator[bytes]:
    """Build the input for a text, in pieces below the vendor's limit.

    Each ends with a space: without one between sentences the vendor reads "dot" aloud.
    """
    while text.strip():
        cut = len(text) if len(text) <= MAX_SPEAK_CHARS else text.rfind(" ", 0, MAX_SPEAK_CHARS) + 1 or MAX_SPEAK_CHARS
        piece, text = text[:cut], text[cut:]
        yield _encoder.encode({"type": "Speak", "text": piece if piece.endswith(" ") else f"{piece} "})


def failure_of_message(message: ServerMessage) -> VendorError:
    """Return the error of an `Error` message."""
    said = f"Deepgram reported {message.any_code or 'an error'}"
    if message.any_code.startswith(("DATA", "BIG", "MESSAGE")):
        return RequestRejectedError(said, vendor=VENDOR, remedy="Check voice and text of the application's tts.")
    return VendorUnavailableError(said, vendor=VENDOR, remedy=_REMEDY, request_id=message.request_id)


def unreachable(why: str) -> VendorUnavailableError:
    """Return the error of a connection that could not be made or was lost."""
    return VendorUnavailableError(f"Deepgram {why}", vendor=VENDOR, remedy=_REMEDY)


def stalled(limit_s: float) -> VendorTimeoutError:
    """Return the error of a vendor that stays silent although it owes audio."""
    return VendorTimeoutError(f"Deepgram sent no audio for {limit_s:g} s", vendor=VENDOR, remedy=_REMEDY)


_REMEDY = "Check base_url and network; see status.deepgram.com."
