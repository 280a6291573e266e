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
from moonwire.vendors.tts.cartesia.failures import failure_of_message, failure_of_refusal, stalled, unreachable
from moonwire.vendors.tts.cartesia.wire import ServerMessage


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (ServerMessage("error", status_code=401, title="Unauthorized"), CredentialError),
        (ServerMessage("error", status_code=403, title="Forbidden"), CredentialError),
        (ServerMessage("error", status_code=402, title="Payment required"), QuotaError),
        (ServerMessage("error", status_code=429, error_code="concurrency_limited"), RateLimitError),
        (ServerMessage("error", status_code=429, message="out of credits"), QuotaError),
        (ServerMessage("error", status_code=404, error_code="model_not_found"), ModelUnavailableError),
        (ServerMessage("error", status_code=400, error_code="model_not_found"), ModelUnavailableError),
        (ServerMessage("error", status_code=404, message="voice not found"), RequestRejectedError),
        (ServerMessage("error", status_code=422, message="language"), RequestRejectedError),
        (ServerMessage("error", status_code=408), VendorTimeoutError),
        (ServerMessage("error", status_code=500), VendorUnavailableError),
        (ServerMessage("error", status_code=503), VendorUnavailableError),
        (ServerMessage("error"), VendorUnavailableError),
    ],
)
def test_kind_and_remedy(message: ServerMessage, kind: type[VendorError]) -> None:
    failure = failure_of_message(message, hide=())
    assert type(failure) is kind
    assert failure.vendor == "cartesia"
    assert failure.remedy


def test_old_versions_put_everything_into_one_text() -> None:
    failure = failure_of_message(ServerMessage("error", status_code=400, error="Bad request: no such voice"), hide=())
    assert str(failure) == "Cartesia answered 400: Bad request no such voice"


def test_neither_key_nor_spoken_text_show() -> None:
    message = ServerMessage("error", status_code=400, message="key sk_car_1 may not say 'My number is 12 34'")
    shown = str(failure_of_message(message, hide=("sk_car_1", "My number is 12 34 ", "")))
    assert "sk_car_1" not in shown
    assert "12 34" not in shown


def test_request_id_travels() -> None:
    assert failure_of_message(ServerMessage("error", status_code=500, request_id="r-1"), hide=()).request_id == "r-1"
    assert failure_of_refusal(503, "refused", "r-2", hide=()).request_id == "r-2"


def test_own_findings() -> None:
    assert isinstance(stalled(3.0), VendorTimeoutError)
    assert "3 s" in str(stalled(3.0))
    assert unreachable("cannot be reached").retryable
