"""Decides what a refused Deepgram handshake means, who must act, and whether another try can help.

Source: developers.deepgram.com, "Errors", read 2026-11-22; refusals carry `dg-error` and `dg-request-id` headers.
"""

from __future__ import annotations

from collections.abc import Mapping

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

_MAX_TEXT = 300


def refusal(status: int, headers: Mapping[str, str], secret: str, vendor: str = "deepgram") -> VendorError:
    """Return the error for a handshake answered with `status` instead of 101; `retryable` tells about another try.

    Args:
        status: HTTP status.
        headers: the response's headers, case-insensitive.
        secret: the key that was sent; it is cut out of the vendor's text.
        vendor: which of the company's products, by its jambonz name.
    """
    said = headers.get("dg-error", "").strip()[:_MAX_TEXT]
    if secret:
        said = said.replace(secret, "***")
    error, remedy = _meaning(status, said.lower())
    return error(
        f"Deepgram refused the connection with {status}" + (f": {said}" if said else ""),
        vendor=vendor,
        remedy=remedy,
        status=status,
        request_id=headers.get("dg-request-id"),
        retry_after_s=_seconds(headers.get("retry-after")),
    )


def _meaning(status: int, said: str) -> tuple[type[VendorError], str]:
    match status:
        case 401:
            return CredentialError, "Check the Deepgram API key of the speech service."
        case 402:
            return QuotaError, "Add credit to the Deepgram project."
        case 403 if "model" in said:
            return ModelUnavailableError, "Choose a model that the Deepgram project may use."
        case 403:
            return CredentialError, "Give the Deepgram API key the right to transcribe and speak, or use another key."
        case 400 if "model" in said:
            return ModelUnavailableError, "Choose a model and language that Deepgram offers together."
        case 408 | 425:
            return VendorTimeoutError, "Try again; if it persists see status.deepgram.com."
        case 429:
            return RateLimitError, "Raise the Deepgram project's concurrency limit or place fewer calls at once."
        case 404 | 405:
            return RequestRejectedError, "Check the Base URL of the speech service: scheme, host and prefix only."
        case _ if status >= 500:
            return VendorUnavailableError, "See status.deepgram.com; configure a fallback vendor."
        case _:
            return (
                RequestRejectedError,
                "Check the application's options (model, voice, language, hints).",
            )


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdecimal() else None
