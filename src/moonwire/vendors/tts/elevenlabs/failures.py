"""Decides which error of our tree an ElevenLabs failure is, with a remedy and without key or spoken text; pure.

Source: https://elevenlabs.io/docs/api-reference, errors of the sockets, read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Iterable

from moonwire.errors import (
    CredentialError,
    ModelUnavailableError,
    QuotaError,
    RateLimitError,
    RequestRejectedError,
    VendorError,
    VendorTimeoutError,
    VendorUnavailableError,
)
from moonwire.vendors.tts.elevenlabs.manifest import VENDOR

_LONGEST_TEXT = 200
_REMEDIES: dict[type[VendorError], str] = {
    CredentialError: "Check the API key of the ElevenLabs speech service and its permission for text to speech.",
    QuotaError: "Add credits to the ElevenLabs account or raise its plan.",
    RateLimitError: "The plan's limit of speech at once is reached: raise the plan or add a second speech service.",
    ModelUnavailableError: "Choose a live model, e.g. eleven_flash_v2_5, in the application's tts.options.model_id.",
    RequestRejectedError: "Check voice, language and options of the application's tts.",
    VendorUnavailableError: "Check base_url and network; see status.elevenlabs.io.",
    VendorTimeoutError: "Check base_url and network; see status.elevenlabs.io.",
}
_SIGNS: tuple[tuple[type[VendorError], tuple[str, ...]], ...] = (
    (CredentialError, ("api_key", "api key", "unauthorized", "permission", "unusual_activity")),
    (QuotaError, ("quota", "credit", "payment", "subscription")),
    (RateLimitError, ("max_active_conversations", "too_many_concurrent", "concurrent", "rate_limit", "busy")),
    (ModelUnavailableError, ("model_not_found", "unsupported_model", "model_id", "model does not")),
    (RequestRejectedError, ("voice", "language", "format", "invalid", "policy violation")),
)
"""Words of the vendor's own texts, most telling first."""


def failure_of_words(words: str, *, hide: Iterable[str] = ()) -> VendorError:
    """Return the error of an `error` message or of a close reason."""
    kind = _kind_of_words(words.lower()) or VendorUnavailableError
    return _made(kind, f"ElevenLabs reported {_redact(words, hide) or 'an error'}", None, None)


def failure_of_close(code: int | None, reason: str, *, hide: Iterable[str] = ()) -> VendorError:
    """Return the error of a closed connection; only reasons that name a lasting fault are not retryable."""
    kind = _kind_of_words(reason.lower()) if code in {1008, 3000, 3003} else None
    if kind is None or kind is RequestRejectedError:
        # A plain policy violation can be one misstep on one context: a fresh socket may well work.
        kind = VendorUnavailableError if kind is None or "voice" not in reason.lower() else kind
    said = _redact(reason, hide)
    return _made(kind, f"ElevenLabs closed the connection ({code})" + (f": {said}" if said else ""), None, None)


def failure_of_refusal(status: int, why: str, request_id: str | None) -> VendorError:
    """Return the error of a refused connection (HTTP status instead of 101)."""
    match status:
        case 401 | 403:
            kind = CredentialError
        case 402:
            kind = QuotaError
        case 404 | 400 | 405 | 422:
            kind = RequestRejectedError
        case 429:
            kind = RateLimitError
        case _:
            kind = VendorUnavailableError
    return _made(kind, f"ElevenLabs answered {status}: {why}", status, request_id)


def unreachable(why: str) -> VendorUnavailableError:
    """Return the error of a connection that could not be made or was lost."""
    return VendorUnavailableError(f"ElevenLabs {why}", vendor=VENDOR, remedy=_REMEDIES[VendorUnavailableError])


def stalled(limit_s: float) -> VendorTimeoutError:
    """Return the error of a vendor that stays silent although it owes audio."""
    return VendorTimeoutError(
        f"ElevenLabs sent no audio for {limit_s:g} s", vendor=VENDOR, remedy=_REMEDIES[VendorTimeoutError]
    )


def _kind_of_words(words: str) -> type[VendorError] | None:
    return next((kind for kind, signs in _SIGNS if any(sign in words for sign in signs)), None)


def _made(kind: type[VendorError], text: str, status: int | None, request_id: str | None) -> VendorError:
    return kind(text, vendor=VENDOR, remedy=_REMEDIES[kind], status=status, request_id=request_id)


def _redact(words: str, hide: Iterable[str]) -> str:
    for secret in hide:
        if len(secret.strip()) >= 4:
            words = words.replace(secret, "…").replace(secret.strip(), "…")
    return words[:_LONGEST_TEXT]
