"""Translates between our utterances and Cartesia's socket messages; pure, no I/O and no decisions about time.

Source: https://docs.cartesia.ai/api-reference/tts/websocket, version 2026-03-01, read 2026-11-22.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from moonwire.ports.tts import SpokenWord

OUTPUT_FORMAT = {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000}


class WordTimestamps(msgspec.Struct, gc=False):
    """Parallel lists; seconds from the start of the context's audio."""

    words: list[str] = []
    start: list[float] = []
    end: list[float] = []


class ServerMessage(msgspec.Struct, gc=False):
    """Any message of Cartesia; members that a type lacks keep their defaults, unknown ones are ignored."""

    type: str = ""
    context_id: str | None = None
    status_code: int | None = None
    data: bytes | None = None
    """Audio; base64 on the wire."""
    word_timestamps: WordTimestamps | None = None
    error_code: str | None = None
    title: str | None = None
    message: str | None = None
    error: str | None = None
    """The whole error text in versions before 2026-03-01."""
    request_id: str | None = None


_decoder = msgspec.json.Decoder(ServerMessage)
_encoder = msgspec.json.Encoder()


def parse_message(raw: bytes | str) -> ServerMessage | None:
    """Read one server message; None when it is no JSON object at all.

    Members of an unexpected type are dropped one by one rather than losing the message.
    """
    try:
        return _decoder.decode(raw)
    except msgspec.ValidationError:
        return _parse_leniently(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _parse_leniently(raw: bytes | str) -> ServerMessage | None:
    try:
        loose: object = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(loose, dict):
        return None
    members = cast(dict[str, Any], loose)

    def text(name: str) -> str | None:
        value = members.get(name)
        return value if isinstance(value, str) else None

    status = members.get("status_code")
    return ServerMessage(
        type=text("type") or "",
        context_id=text("context_id"),
        status_code=status if isinstance(status, int) else None,
        data=_decode_audio(members.get("data")),
        word_timestamps=_convert_words(members.get("word_timestamps")),
        error_code=text("error_code"),
        title=text("title"),
        message=text("message"),
        error=text("error"),
        request_id=text("request_id"),
    )


def _decode_audio(value: object) -> bytes | None:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else None
    except ValueError:
        return None


def _convert_words(value: object) -> WordTimestamps | None:
    try:
        return msgspec.convert(value, WordTimestamps)
    except msgspec.ValidationError:
        return None


@dataclass(frozen=True, slots=True)
class ContextRecipe:
    """The fields that every message of one context repeats identically."""

    voice_id: str
    model_id: str
    language: str
    max_buffer_delay_ms: int = 0
    """0 because whole clauses are sent: the vendor's default of 3 s makes a short last clause wait."""
    extras: Mapping[str, Any] | None = None
    """`generation_config`, `speed`, `pronunciation_dict_id`, where the application set them."""

    def text_message(self, context_id: str, text: str) -> bytes:
        """Build a piece of input."""
        return self._message(context_id, text, more=True)

    def end_message(self, context_id: str) -> bytes:
        """Build the end of input."""
        return self._message(context_id, "", more=False)

    def _message(self, context_id: str, text: str, *, more: bool) -> bytes:
        fields: dict[str, Any] = {
            "context_id": context_id,
            "model_id": self.model_id,
            "transcript": text,
            "voice": {"mode": "id", "id": self.voice_id},
            "output_format": OUTPUT_FORMAT,
            "language": self.language,
            "continue": more,
            "max_buffer_delay_ms": self.max_buffer_delay_ms,
            "add_timestamps": True,
            "use_normalized_timestamps": False,
        }
        if self.extras:
            fields.update(self.extras)
        return _encoder.encode(fields)


def cancel_message(context_id: str) -> bytes:
    """Build a cancel; it stops only what has not been started, so stray messages still follow."""
    return _encoder.encode({"context_id": context_id, "cancel": True})


class WordReader:
    """Turns a context's timestamp messages into words of the utterance: shifted, in order, without inline tags.

    Tags such as `<break time="1s"/>` leak into the vendor's word lists, also split over several entries.
    """

    __slots__ = ("_in_tag", "_newest_s", "_offset_s")

    def __init__(self, offset_s: float) -> None:
        self._offset_s = offset_s
        self._newest_s = offset_s
        self._in_tag = False

    def read(self, stamps: WordTimestamps) -> Sequence[SpokenWord]:
        """Return the words of one message, times never going back."""
        words: list[SpokenWord] = []
        for raw, start, end in zip(stamps.words, stamps.start, stamps.end, strict=False):
            text = self._without_tags(raw)
            if not text:
                continue
            start_s = max(self._newest_s, start + self._offset_s)
            end_s = max(start_s, end + self._offset_s)
            self._newest_s = start_s
            words.append(SpokenWord(text, start_s, end_s))
        return words

    def _without_tags(self, raw: str) -> str:
        if not self._in_tag and "<" not in raw:
            return raw.strip()
        kept: list[str] = []
        for char in raw:
            if self._in_tag:
                self._in_tag = char != ">"
            elif char == "<":
                self._in_tag = True
            else:
                kept.append(char)
        return "".join(kept).strip()
