"""Translates between our utterances and ElevenLabs' multi-context socket; pure, no decisions about time.

Source: https://elevenlabs.io/docs/api-reference/text-to-speech (multi-stream-input), read 2026-11-22.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from moonwire.core.dialog.letters import is_ideograph
from moonwire.ports.tts import SpokenWord

_encoder = msgspec.json.Encoder()

CLOSE_SOCKET = b'{"close_socket":true}'
KEEP_SOCKET = b'{"text":""}'


def opening_message(context_id: str, settings: Mapping[str, Any]) -> bytes:
    """Build a context's first message: exactly one space, and the settings."""
    return _encoder.encode({"text": " ", "context_id": context_id, **settings})


def text_message(context_id: str, text: str) -> bytes:
    """Build a piece of input; it must end with a space."""
    return _encoder.encode({"text": text if text.endswith(" ") else f"{text} ", "context_id": context_id})


def flush_message(context_id: str) -> bytes:
    """Have everything spoken that is still waiting."""
    return _encoder.encode({"text": "", "context_id": context_id, "flush": True})


def keep_message(context_id: str) -> bytes:
    """Keep an open context alive."""
    return _encoder.encode({"text": "", "context_id": context_id})


def close_message(context_id: str) -> bytes:
    """End a context, after its flushed text or at once."""
    return _encoder.encode({"context_id": context_id, "close_context": True})


@dataclass(frozen=True, slots=True)
class Alignment:
    """Places of characters inside one chunk, in milliseconds."""

    chars: Sequence[str]
    starts_ms: Sequence[float]
    lasts_ms: Sequence[float]


@dataclass(frozen=True, slots=True)
class ServerMessage:
    """What one message says; everything is optional."""

    context_id: str | None = None
    audio: bytes = b""
    alignment: Alignment | None = None
    final: bool = False
    error: str = ""
    """The vendor's words."""


def parse_message(raw: bytes | str) -> ServerMessage | None:
    """Read one server message, in either spelling; None when it is no JSON object."""
    try:
        loose: object = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(loose, dict):
        return None
    members = cast("dict[str, Any]", loose)
    context_id = members.get("contextId", members.get("context_id"))
    final = members.get("isFinal", members.get("is_final"))
    error = members.get("error")
    words = " ".join(str(part) for part in (error, members.get("message")) if part) if error else ""
    return ServerMessage(
        context_id=context_id if isinstance(context_id, str) else None,
        audio=_decode_audio(members.get("audio")),
        alignment=_alignment(members.get("alignment")) or _alignment(members.get("normalizedAlignment")),
        final=final is True,
        error=words,
    )


def _decode_audio(value: object) -> bytes:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (ValueError, binascii.Error):
        return b""


def _alignment(value: object) -> Alignment | None:
    if not isinstance(value, dict):
        return None
    members = cast("dict[str, Any]", value)

    def numbers(*names: str) -> list[float]:
        found: object = next((members[name] for name in names if name in members), None)
        items = cast("list[object]", found) if isinstance(found, list) else []
        return [float(item) if isinstance(item, int | float) else 0.0 for item in items]

    chars = members.get("chars")
    texts = [str(char) for char in cast("list[object]", chars)] if isinstance(chars, list) else []
    starts = numbers("charStartTimesMs", "charsStartTimesMs", "char_start_times_ms")
    lasts = numbers("charDurationsMs", "charsDurationsMs", "char_durations_ms")
    return Alignment(texts, starts, lasts) if texts and starts and lasts else None


class WordReader:
    """Turns chunk-relative character times into words of the utterance, in order; a word cut by a chunk is joined.

    A chunk may begin with a real space, which ends the word before it.
    """

    __slots__ = ("_begun_s", "_letters", "_newest_s", "_until_s")

    def __init__(self) -> None:
        self._letters = ""
        self._begun_s = 0.0
        self._until_s = 0.0
        self._newest_s = 0.0

    def read(self, alignment: Alignment, offset_s: float) -> list[SpokenWord]:
        """Return the words that are complete.

        Args:
            alignment: of one chunk.
            offset_s: place of the chunk's first sample in the utterance.
        """
        words: list[SpokenWord] = []
        for char, start_ms, last_ms in zip(alignment.chars, alignment.starts_ms, alignment.lasts_ms, strict=False):
            if char.isspace():
                words += self.rest()
                continue
            if self._letters and (is_ideograph(char) or (char.isalnum() and is_ideograph(self._letters[0]))):
                words += self.rest()  # Chinese and Japanese have no spaces: each character is a word
            start_s = max(self._newest_s, offset_s + start_ms / 1000)
            if not self._letters:
                self._begun_s = start_s
            self._letters += char
            self._newest_s = start_s
            self._until_s = max(start_s, offset_s + (start_ms + last_ms) / 1000)
        return words

    def rest(self) -> list[SpokenWord]:
        """Return the word that is still open, as complete."""
        if not self._letters:
            return []
        word = SpokenWord(self._letters, self._begun_s, self._until_s)
        self._letters = ""
        return [word]
