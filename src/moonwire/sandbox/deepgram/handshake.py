"""Judges a request to the listen v1 simulator as Deepgram would: path, credentials, parameters; pure.

Source: developers.deepgram.com, API reference "Listen (streaming)" and "Errors", read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_SWITCHES: Final = frozenset(
    [
        "interim_results",
        "vad_events",
        "smart_format",
        "no_delay",
        "punctuate",
        "numerals",
        "filler_words",
        "profanity_filter",
        "dictation",
        "multichannel",
        "diarize",
        "detect_entities",
        "mip_opt_out",
    ]
)
_OTHERS: Final = frozenset(
    [
        "model",
        "version",
        "language",
        "language_hint",
        "encoding",
        "sample_rate",
        "channels",
        "endpointing",
        "utterance_end_ms",
        "keyterm",
        "keywords",
        "replace",
        "search",
        "redact",
        "diarize_model",
        "tag",
        "extra",
        "callback",
        "callback_method",
    ]
)
_ENCODINGS: Final = frozenset(
    [
        "linear16",
        "linear32",
        "flac",
        "alaw",
        "mulaw",
        "amr-nb",
        "amr-wb",
        "opus",
        "ogg-opus",
        "speex",
        "g729",
    ]
)
_MODELS: Final = ("nova-3", "nova-2", "nova", "enhanced", "base")
_MAX_KEYTERM_TOKENS: Final = 500

DECODED_ENCODINGS: Final = frozenset(("mulaw", "alaw", "linear16"))
"""The encodings in which the simulator can hear."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer other than 101."""

    status: int
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class ListenOptions:
    """What one connection asked for."""

    model: str = "nova-3"
    encoding: str = "linear16"
    sample_rate_hz: int = 16000
    interim_results: bool = False
    vad_events: bool = False
    endpointing_ms: int | None = 10
    """None: `speech_final` is never sent."""
    utterance_end_ms: int | None = None
    detects_language: bool = False


def key_of(headers: Mapping[str, str]) -> str | None:
    """Return the credential of a request: `Token`, `Bearer`, or the browser's subprotocol form."""
    scheme, _, key = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() in {"token", "bearer"}:
        return key.strip()
    scheme, _, key = headers.get("sec-websocket-protocol", "").partition(",")
    return key.strip() if scheme.strip().lower() in {"token", "bearer"} else None


def judge(
    query: Sequence[tuple[str, str]], key: str | None, keys: Collection[str] | None, *, strict: bool
) -> ListenOptions | Refusal:
    """Return what the connection asked for, or why it is refused.

    Args:
        query: decoded name and value pairs, in order.
        key: the credential that was presented.
        keys: the credentials that are good; None accepts any.
        strict: refuse parameters that the vendor does not document.
    """
    if not key or (keys is not None and key not in keys):
        return Refusal(401, "INVALID_AUTH", "Invalid credentials.")
    known = _SWITCHES | _OTHERS
    for name, value in query:
        if strict and name not in known:
            return Refusal(400, "INVALID_QUERY_PARAMETER", f"Unknown query parameter: {name}")
        if name in _SWITCHES and value not in {"true", "false"}:
            return Refusal(400, "INVALID_QUERY_PARAMETER", f"{name} must be true or false")
    values = dict(query)
    return _wrong_model_or_vocabulary(values, query) or _options(values)


def _wrong_model_or_vocabulary(values: Mapping[str, str], query: Sequence[tuple[str, str]]) -> Refusal | None:
    model = values.get("model", "nova-3")
    if not model.startswith(_MODELS) and not _is_uuid(model):
        return Refusal(400, "Bad Request", "Bad Request: No such model/language/tier combination found.")
    nova3 = model.startswith("nova-3")
    if "keyterm" in values and not nova3:
        return Refusal(400, "INVALID_QUERY_PARAMETER", "Keyterm prompting is only supported with Nova-3 models")
    if "keywords" in values and nova3:
        return Refusal(400, "INVALID_QUERY_PARAMETER", "Keywords are not supported with Nova-3; use keyterm instead")
    if keyterm_tokens([value for name, value in query if name == "keyterm"]) > _MAX_KEYTERM_TOKENS:
        return Refusal(400, "Bad Request", "Keyterm limit exceeded. The maximum number of tokens is 500.")
    return None


def _options(values: Mapping[str, str]) -> ListenOptions | Refusal:
    encoding = values.get("encoding", "linear16")
    if encoding not in _ENCODINGS:
        return Refusal(400, "INVALID_QUERY_PARAMETER", f"Unsupported encoding: {encoding}")
    rate = values.get("sample_rate", "")
    if "encoding" in values and not (rate.isdecimal() and 8000 <= int(rate) <= 48000):
        return Refusal(400, "INVALID_QUERY_PARAMETER", "sample_rate is required with encoding")
    endpointing = values.get("endpointing", "10")
    if endpointing not in {"true", "false"} and not endpointing.isdecimal():
        return Refusal(400, "INVALID_QUERY_PARAMETER", "endpointing must be an integer or false")
    interim = values.get("interim_results") == "true"
    utterance_end = values.get("utterance_end_ms")
    if utterance_end is not None and not (utterance_end.isdecimal() and interim):
        return Refusal(400, "INVALID_QUERY_PARAMETER", "utterance_end_ms requires interim_results=true")
    return ListenOptions(
        model=values.get("model", "nova-3"),
        encoding=encoding,
        sample_rate_hz=int(rate) if rate.isdecimal() else 16000,
        interim_results=interim,
        vad_events=values.get("vad_events") == "true",
        endpointing_ms=None if endpointing == "false" else 10 if endpointing == "true" else int(endpointing),
        utterance_end_ms=int(utterance_end) if utterance_end else None,
        detects_language=values.get("language") == "multi",
    )


def keyterm_tokens(terms: Sequence[str]) -> int:
    """Return an estimate of the tokens of a key term list, four letters each."""
    return sum(max(len(term.split()), (len(term) + 3) // 4) for term in terms)


def _is_uuid(text: str) -> bool:
    return len(text) == 36 and text.count("-") == 4
