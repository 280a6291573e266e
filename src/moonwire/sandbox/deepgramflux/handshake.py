"""Judges a request to the Flux simulator as Deepgram would: credentials, model, parameters and their ranges; pure.

Source: developers.deepgram.com, API reference "Listen v2 (Flux)", read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from moonwire.sandbox.deepgram.handshake import DECODED_ENCODINGS, Refusal

MODELS: Final = ("flux-general-en", "flux-general-multi")
LANGUAGES: Final = frozenset(["en", "es", "fr", "de", "hi", "ru", "pt", "ja", "it", "nl"])
_SWITCHES: Final = frozenset(["numerals", "profanity_filter", "mip_opt_out"])
_OTHERS: Final = frozenset(
    [
        "model",
        "encoding",
        "sample_rate",
        "eot_threshold",
        "eager_eot_threshold",
        "eot_timeout_ms",
        "keyterm",
        "language_hint",
        "tag",
        "redact",
    ]
)


@dataclass(frozen=True, slots=True)
class FluxOptions:
    """What one connection asked for; Configure changes it."""

    model: str
    encoding: str = "linear16"
    sample_rate_hz: int = 16000
    eot_threshold: float = 0.7
    eager_eot_threshold: float | None = None
    eot_timeout_ms: int = 5000
    keyterms: Sequence[str] = field(default=())
    language_hints: Sequence[str] = field(default=())

    @property
    def multilingual(self) -> bool:
        """Whether languages are detected."""
        return self.model.endswith("-multi")


def judge(
    query: Sequence[tuple[str, str]], key: str | None, keys: Collection[str] | None, *, strict: bool
) -> FluxOptions | Refusal:
    """Return what the connection asked for, or why it is refused.

    Args:
        query: decoded name and value pairs, in order.
        key: the credential that was presented.
        keys: the credentials that are good; None accepts any.
        strict: refuse parameters that the vendor does not document.
    """
    if not key or (keys is not None and key not in keys):
        return Refusal(401, "INVALID_AUTH", "Invalid credentials.")
    for name, value in query:
        if strict and name not in _SWITCHES | _OTHERS:
            return _bad(f"Unknown query parameter: {name}")
        if name in _SWITCHES and value not in {"true", "false"}:
            return _bad(f"{name} must be true or false")
    values = dict(query)
    if values.get("model") not in MODELS:
        return Refusal(400, "Bad Request", "Bad Request: No such model/language/tier combination found.")
    return _options(values, query)


def _options(values: Mapping[str, str], query: Sequence[tuple[str, str]]) -> FluxOptions | Refusal:
    rate = values.get("sample_rate", "")
    if values.get("encoding", "linear16") not in DECODED_ENCODINGS:
        return _bad(f"Unsupported encoding: {values.get('encoding')}")
    if "encoding" in values and not rate.isdecimal():
        return _bad("sample_rate is required with encoding")
    try:
        options = FluxOptions(
            model=values["model"],
            encoding=values.get("encoding", "linear16"),
            sample_rate_hz=int(rate or 16000),
            eot_threshold=float(values.get("eot_threshold", 0.7)),
            eager_eot_threshold=float(values["eager_eot_threshold"]) if "eager_eot_threshold" in values else None,
            eot_timeout_ms=int(values.get("eot_timeout_ms", 5000)),
            keyterms=[value for name, value in query if name == "keyterm"],
            language_hints=[value for name, value in query if name == "language_hint"],
        )
    except ValueError:
        return _bad("thresholds must be numbers")
    complaint = out_of_range(options)
    return _bad(complaint) if complaint else options


def out_of_range(options: FluxOptions) -> str | None:
    """Return what is wrong with thresholds and hints."""
    if not 0.5 <= options.eot_threshold <= 1.0:
        return "eot_threshold must be between 0.5 and 1.0"
    eager = options.eager_eot_threshold
    if eager is not None and not 0.3 <= eager <= 0.9:
        return "eager_eot_threshold must be between 0.3 and 0.9"
    if eager is not None and eager > options.eot_threshold:
        return "eager_eot_threshold must not exceed eot_threshold"
    if not 500 <= options.eot_timeout_ms <= 60_000:
        return "eot_timeout_ms must be between 500 and 60000"
    if options.language_hints and not options.multilingual:
        return "language_hint is only supported with flux-general-multi"
    unknown = [hint for hint in options.language_hints if hint not in LANGUAGES]
    return f"language_hint {unknown[0]} is not supported" if unknown else None


def texts(value: object) -> list[str]:
    """Return the texts of a JSON list, or nothing."""
    return [str(item) for item in cast("list[Any]", value)] if isinstance(value, list) else []


def _bad(text: str) -> Refusal:
    return Refusal(400, "INVALID_QUERY_PARAMETER", text)
