"""Decides which error of our tree a Cartesia failure is, with a remedy and without key or spoken text; pure.

Source: https://docs.cartesia.ai/api-reference/errors, version 2026-03-01, read 2026-11-22.
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
from moonwire.vendors.tts.cartesia.manifest import VENDOR
from moonwire.vendors.tts.cartesia.wire import ServerMessage

_LONGEST_TEXT = 200

_REMEDIES: dict[type[VendorError], str] = {
    CredentialError: "Check the API key of the Cartesia speech service.",
    QuotaError: "Add credits to the Cartesia account or raise its plan.",
    RateLimitError: "The plan's limit of speech at once is reached: raise the plan or add a second speech service.",
    ModelUnavailableError: "Choose a live model, e.g. sonic-3, in the application's tts.options.model_id.",
    RequestRejectedError: "Check voice, language and options of the application's tts.",
    VendorUnavailableError: "Check base_url and network; see status.cartesia.ai.",
    VendorTimeoutError: "Check base_url and network; see status.cartesia.ai.",
}


def failure_of_message(message: ServerMessage, *, hide: Iterable[str]) -> VendorError:
    """Return the error of an `error` message, of any API version."""
    title, _, rest = (message.error or "").partition(": ")
    words = " ".join(filter(None, (message.title or title, message.error_code, message.message or rest)))
    return _failure(message.status_code or 0, words, message.request_id, hide)


def failure_of_refusal(status: int, reason: str, request_id: str | None, *, hide: Iterable[str]) -> VendorError:
    """Return the error of a refused connection (HTTP status instead of 101)."""
    return _failure(status, reason, request_id, hide)


def unreachable(why: str) -> VendorUnavailableError:
    """Return the error of a connection that could not be made or was lost."""
    return VendorUnavailableError(f"Cartesia {why}", vendor=VENDOR, remedy=_REMEDIES[VendorUnavailableError])


def stalled(limit_s: float) -> VendorTimeoutError:
    """Return the error of a vendor that stays silent although it owes audio."""
    return VendorTimeoutError(
        f"Cartesia sent no audio for {limit_s:g} s", vendor=VENDOR, remedy=_REMEDIES[VendorTimeoutError]
    )


def _failure(status: int, words: str, request_id: str | None, hide: Iterable[str]) -> VendorError:
    kind = _kind(status, words.lower())
    shown = _redact(words, hide)
    text = f"Cartesia answered {status or 'an error'}" + (f": {shown}" if shown else "")
    return kind(text, vendor=VENDOR, remedy=_REMEDIES[kind], status=status or None, request_id=request_id)


def _kind(status: int, words: str) -> type[VendorError]:
    if status in {401, 403}:
        return CredentialError
    if status == 402 or "quota" in words or "credit" in words:
        return QuotaError
    if status == 429 or "concurrency_limited" in words:
        return RateLimitError
    if "model_not_found" in words or (status in {404, 410} and "voice" not in words):
        return ModelUnavailableError
    if status == 408:
        return VendorTimeoutError
    if 400 <= status < 500:
        return RequestRejectedError
    return VendorUnavailableError


def _redact(words: str, hide: Iterable[str]) -> str:
    for secret in hide:
        if len(secret.strip()) >= 4:
            words = words.replace(secret, "…").replace(secret.strip(), "…")
    return words[:_LONGEST_TEXT]
