"""Builds the messages of Deepgram's listen v1, pure.

Source: developers.deepgram.com, API reference "Listen (streaming)" and "Configure", read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, cast

from moonwire.sandbox.deepgram.handshake import keyterm_tokens
from moonwire.sandbox.deepgram.hearing import HeardWord

Message = dict[str, Any]

_MAX_KEYTERM_TOKENS: Final = 500


def results(
    words: Sequence[HeardWord],
    span_s: tuple[float, float],
    words_base_s: float,
    *,
    confidence: float,
    flags: tuple[bool, bool, bool],
    source: tuple[str, str],
    languages: Sequence[str] = (),
) -> Message:
    """Return a Results message.

    Args:
        words: with places relative to `words_base_s`.
        span_s: start and end of the audio it is about.
        words_base_s: seconds of audio on the connection.
        confidence: of every word.
        flags: is_final, speech_final, from_finalize.
        source: request id and model.
        languages: that were heard, where the connection asked for all of them.
    """
    is_final, speech_final, from_finalize = flags
    return {
        "type": "Results",
        "channel_index": [0, 1],
        "duration": round(span_s[1] - span_s[0], 3),
        "start": round(span_s[0], 3),
        "is_final": is_final,
        "speech_final": speech_final,
        "from_finalize": from_finalize,
        "channel": {"alternatives": [_alternative(words, words_base_s, confidence, languages)]},
        "metadata": _source(*source),
    }


def speech_started(at_s: float) -> Message:
    """Return the onset message."""
    return {"type": "SpeechStarted", "channel": [0, 1], "timestamp": round(at_s, 3)}


def utterance_end(last_word_end_s: float) -> Message:
    """Return the word-gap boundary."""
    return {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": round(last_word_end_s, 3)}


def metadata(request_id: str, duration_s: float) -> Message:
    """Return the summary that follows CloseStream."""
    return {
        "type": "Metadata",
        "transaction_key": "deprecated",
        "request_id": request_id,
        "sha256": "0" * 64,
        "created": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "duration": round(duration_s, 3),
        "channels": 1,
    }


def schema_error(description: str, text: str) -> Message:
    """Return the answer to text that cannot be read."""
    return {"type": "Error", "variant": "SchemaError", "description": description, "message": text, "code": ""}


def configured(message: Message, request_id: str, model: str) -> Message:
    """Return the one answer to a Configure message."""
    keyterms = message.get("keyterms")
    terms = [str(term) for term in cast("list[object]", keyterms)] if isinstance(keyterms, list) else []
    if terms and not model.startswith("nova-3"):
        code = "CONFIGURE_KEYTERMS_NOT_SUPPORTED"
    elif keyterm_tokens(terms) > _MAX_KEYTERM_TOKENS:
        code = "CONFIGURE_KEYTERM_LIMIT_EXCEEDED"
    else:
        return {"type": "ConfigureSuccess", "request_id": request_id, "keyterms": terms}
    description = code.removeprefix("CONFIGURE_").replace("_", " ").lower()
    return {"type": "ConfigureFailure", "request_id": request_id, "code": code, "description": description}


def _source(request_id: str, model: str) -> Message:
    info = {"name": f"general-{model}", "version": "sandbox", "arch": model}
    return {"request_id": request_id, "model_uuid": "00000000-0000-4000-8000-000000000000", "model_info": info}


def _alternative(words: Sequence[HeardWord], base_s: float, confidence: float, languages: Sequence[str]) -> Message:
    heard: Message = {
        "transcript": " ".join(word.text for word in words),
        "confidence": confidence if words else 0.0,
        "words": [_word(word, base_s, confidence) for word in words],
    }
    return heard | ({"languages": list(languages)} if languages and words else {})


def _word(word: HeardWord, base_s: float, confidence: float) -> Message:
    return {
        "word": word.text.strip(".,!?;:").lower(),
        "start": round(base_s + word.start_s, 3),
        "end": round(base_s + word.end_s, 3),
        "confidence": confidence,
        "punctuated_word": word.text,
    }
