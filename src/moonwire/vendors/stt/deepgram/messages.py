"""Decodes what Deepgram's listen v1 socket sends; unknown types and fields are ignored, missing fields tolerated.

Source: developers.deepgram.com, API reference "Listen (streaming)", read 2026-11-22.
"""

from __future__ import annotations

import msgspec

KEEP_ALIVE = '{"type":"KeepAlive"}'
FINALIZE = '{"type":"Finalize"}'
CLOSE_STREAM = '{"type":"CloseStream"}'
"""Control messages; they must travel as text frames, a binary one would be taken for audio."""


class Word(msgspec.Struct):
    """One recognised word; only its end matters here."""

    end: float | None = None


class Alternative(msgspec.Struct):
    """One reading of a span of audio."""

    transcript: str | None = None
    confidence: float | None = None
    words: list[Word] | None = None
    languages: list[str] | None = None
    """Most spoken first; only with `language=multi`, and not always then."""


class Channel(msgspec.Struct):
    """The readings of one audio channel, best first."""

    alternatives: list[Alternative] | None = None


class ResultsMetadata(msgspec.Struct):
    """Where a result comes from."""

    request_id: str | None = None


class Results(msgspec.Struct, tag_field="type", tag="Results"):
    """Words for a span of audio; `start` and `duration` are seconds of audio sent on this connection."""

    start: float | None = None
    duration: float | None = None
    is_final: bool | None = None
    speech_final: bool | None = None
    from_finalize: bool | None = None
    channel: Channel | None = None
    metadata: ResultsMetadata | None = None

    @property
    def best(self) -> Alternative:
        """The first reading, or an empty one."""
        alternatives = self.channel.alternatives if self.channel else None
        return alternatives[0] if alternatives else _NOTHING

    @property
    def text(self) -> str:
        """The first reading's words, spaces tidied."""
        return " ".join((self.best.transcript or "").split())

    @property
    def language(self) -> str | None:
        """The language that a settled piece is mostly spoken in, where the model tells."""
        return self.best.languages[0] if self.is_final and self.text and self.best.languages else None

    @property
    def last_word_end(self) -> float | None:
        """End of the last word in seconds of this connection, when words came with the text."""
        words = self.best.words
        return words[-1].end if words else None


class SpeechStarted(msgspec.Struct, tag_field="type", tag="SpeechStarted"):
    """The vendor's voice detector heard an onset."""

    timestamp: float | None = None


class UtteranceEnd(msgspec.Struct, tag_field="type", tag="UtteranceEnd"):
    """No new word for `utterance_end_ms`; `last_word_end` can be -1."""

    last_word_end: float | None = None


class Metadata(msgspec.Struct, tag_field="type", tag="Metadata"):
    """Summary after CloseStream."""

    request_id: str | None = None


class ErrorMessage(msgspec.Struct, tag_field="type", tag="Error"):
    """The vendor could not read something we sent."""

    variant: str | None = None
    description: str | None = None
    code: str | None = None


ServerMessage = Results | SpeechStarted | UtteranceEnd | Metadata | ErrorMessage

_NOTHING = Alternative()
_DECODER = msgspec.json.Decoder(Results | SpeechStarted | UtteranceEnd | Metadata | ErrorMessage, strict=False)


def parse(text: str | bytes) -> ServerMessage | None:
    """Return the message, or None for an unknown type or text that cannot be read."""
    try:
        return _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        return None
