from __future__ import annotations

import pytest

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
from moonwire.vendors.deepgram_refusal import refusal


@pytest.mark.parametrize(
    ("status", "said", "error", "retryable"),
    [
        (400, "No such model/language/tier combination found.", ModelUnavailableError, False),
        (400, "Keyterm limit exceeded.", RequestRejectedError, False),
        (401, "Invalid credentials.", CredentialError, False),
        (402, "Project does not have enough credits", QuotaError, False),
        (403, "Project does not have access to the requested model.", ModelUnavailableError, False),
        (403, "Insufficient permissions.", CredentialError, False),
        (404, "", RequestRejectedError, False),
        (408, "", VendorTimeoutError, True),
        (418, "", RequestRejectedError, False),
        (429, "Too many requests", RateLimitError, True),
        (500, "", VendorUnavailableError, True),
        (503, "", VendorUnavailableError, True),
    ],
)
def test_meaning(status: int, said: str, error: type[VendorError], retryable: bool) -> None:
    made = refusal(status, {"dg-error": said, "dg-request-id": "r1"}, "key")
    assert type(made) is error
    assert made.retryable is retryable
    assert said in str(made)
    assert (made.vendor, made.status, made.request_id) == ("deepgram", status, "r1")
    assert made.remedy


def test_a_key_in_the_vendors_text_is_cut_out() -> None:
    made = refusal(401, {"dg-error": "key sk-12345 is unknown " + "x" * 1000}, "sk-12345")
    assert "sk-12345" not in str(made)
    assert len(str(made)) < 400


def test_retry_after() -> None:
    assert refusal(429, {"retry-after": "7"}, "").retry_after_s == 7
    assert refusal(429, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, "").retry_after_s is None
