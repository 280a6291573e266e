"""Reads and builds the messages of Deepgram's listen v2 socket; unknown types and fields are ignored.

Source: developers.deepgram.com, API reference "Listen v2 (Flux)", read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

FORCE_END = '{"type":"ForceEndTurn"}'
CLOSE_STREAM = '{"type":"CloseStream"}'
"""Control messages; there is neither KeepAlive nor Finalize on this socket."""


class Word(msgspec.Struct):
    """One recognised word."""

    confidence: float | None = None


class TurnInfo(msgspec.Struct, tag_field="type", tag="TurnInfo"):
    """A step of a turn, with the whole turn's words so far."""

    event: str = ""
    turn_index: int | None = None
    transcript: str | None = None
    words: list[Word] | None = None
    end_of_turn_confidence: float | None = None
    languages: list[str] | None = None
    """Most spoken first; multilingual model only."""

    @property
    def text(self) -> str:
        """The turn's words, spaces tidied."""
        return " ".join((self.transcript or "").split())

    @property
    def confidence(self) -> float:
        """The mean of the words' confidences, as jambonz reports it."""
        known = [word.confidence for word in self.words or () if word.confidence is not None]
        return min(1.0, max(0.0, sum(known) / len(known))) if known else 1.0


class Connected(msgspec.Struct, tag_field="type", tag="Connected"):
    """The socket takes audio."""

    request_id: str | None = None


class ConfigureSuccess(msgspec.Struct, tag_field="type", tag="ConfigureSuccess"):
    """A change was taken."""


class ConfigureFailure(msgspec.Struct, tag_field="type", tag="ConfigureFailure"):
    """A change was refused."""

    code: str | None = None
    error_code: str | None = None


class Warned(msgspec.Struct, tag_field="type", tag="Warning"):
    """Something is odd, but goes on."""

    code: str | None = None


class Failed(msgspec.Struct, tag_field="type", tag="Error"):
    """The vendor gives up; it closes afterwards."""

    code: str | None = None
    error_code: str | None = None


ServerMessage = TurnInfo | Connected | ConfigureSuccess | ConfigureFailure | Warned | Failed

_DECODER = msgspec.json.Decoder(
    TurnInfo | Connected | ConfigureSuccess | ConfigureFailure | Warned | Failed, strict=False
)


def parse(text: str | bytes) -> ServerMessage | None:
    """Return the message, or None for an unknown type or text that cannot be read."""
    try:
        return _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        return None


def language_hints(languages: Sequence[str]) -> str:
    """Build the change of the expected languages."""
    return msgspec.json.encode({"type": "Configure", "language_hints": list(languages)}).decode()
