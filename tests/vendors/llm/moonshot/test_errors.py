from __future__ import annotations

import json

import pytest

from moonwire.errors import ContextTooLongError, VendorError
from moonwire.vendors.chat_errors import redact, repair_for
from moonwire.vendors.chat_vendor import HttpFailure
from moonwire.vendors.llm.moonshot.errors import classify

HOST = "api.moonshot.ai"


def found(status: int, type_: str = "", message: str = "", *, host: str = HOST, **headers: str) -> VendorError:
    body = json.dumps({"error": {"type": type_, "message": message}}).encode() if type_ or message else b"<html>"
    return classify(HttpFailure(status, headers, body, "kimi-k2.6"), host)


@pytest.mark.parametrize(
    ("status", "type_", "message", "code"),
    [
        (400, "invalid_request_error", "Invalid request: invalid temperature: only 1 is allowed", "request-rejected"),
        (400, "invalid_request_error", "Input token length too long", "context-too-long"),
        (400, "invalid_request_error", "Your request exceeded model token limit : 262144", "context-too-long"),
        (400, "content_filter", "The request was rejected because it was considered high risk", "content-filtered"),
        (401, "invalid_authentication_error", "Invalid Authentication", "credential"),
        (401, "incorrect_api_key_error", "Incorrect API key provided", "credential"),
        (403, "permission_denied_error", "The API you are accessing is not open", "credential"),
        (403, "", "Insufficient balance", "quota"),
        (404, "resource_not_found_error", "Not found the model x or Permission denied", "model-unavailable"),
        (404, "", "The model `x` does not exist", "model-unavailable"),
        (404, "", "url.not_found", "request-rejected"),
        (404, "", "", "request-rejected"),
        (413, "", "", "context-too-long"),
        (429, "engine_overloaded_error", "The engine is currently overloaded", "vendor-overloaded"),
        (429, "", "the engine is overloaded", "vendor-overloaded"),
        (429, "rate_limit_reached_error", "reached max RPM: 3, please try again after 5 seconds", "rate-limit"),
        (429, "exceeded_current_quota_error", "anything", "quota"),
        (429, "rate_limit_reached_error", "Your account is suspended, please recharge", "quota"),
        (499, "client_closed_request", "x", "vendor-unavailable"),
        (500, "server_error", "x", "vendor-unavailable"),
        (502, "", "", "vendor-unavailable"),
        (503, "server_unavailable", "x", "vendor-unavailable"),
        (529, "", "", "vendor-unavailable"),
        (200, "server_error", "x", "vendor-unavailable"),
        (200, "rate_limit_reached_error", "x", "rate-limit"),
        (200, "invalid_authentication_error", "x", "credential"),
        (200, "invalid_request_error", "x", "request-rejected"),
        (200, "", "", "vendor-unavailable"),
        (418, "teapot", "x", "vendor-unavailable"),
    ],
)
def test_table(status: int, type_: str, message: str, code: str) -> None:
    error = found(status, type_, message)
    assert error.code == code
    assert error.remedy
    assert error.status == status


def test_waits_are_read_from_header_or_text() -> None:
    limited = ("rate_limit_reached_error", "please try again after 1.5 seconds")
    assert found(429, *limited).retry_after_s == 1.5
    assert found(429, *limited, **{"Retry-After": "7"}).retry_after_s == 7
    assert found(429, *limited, **{"retry-after": "Sun, 22 Nov 2026 10:00:00 GMT"}).retry_after_s == 1.5
    assert (
        found(429, "rate_limit_reached_error", "request reached TPM rate limit, current:5, limit:4").retry_after_s
        is None
    )


@pytest.mark.parametrize(
    ("message", "overrun"),
    [
        ("Invalid request: Your request exceeded model token limit : 5000 (requested: 10000)", 2.0),
        (
            "This model's maximum context length is 8192 tokens. However, you requested 9216 tokens (8192 in the "
            "messages, 1024 in the completion).",
            1.125,
        ),
        ("Your request exceeded model token limit : 262144", 1.0),
        ("Input token length too long", 1.0),
    ],
)
def test_how_much_too_long_a_conversation_is(message: str, overrun: float) -> None:
    error = found(400, "invalid_request_error", message)
    assert isinstance(error, ContextTooLongError)
    assert error.overrun == overrun


def test_a_coding_key_is_explained() -> None:
    error = found(401, "invalid_authentication_error", "x", host="api.kimi.com")
    assert "Kimi Code" in error.remedy


def test_request_ids_are_kept() -> None:
    assert found(500, "server_error", "x", **{"x-msh-trace-id": "t"}).request_id == "t"


def test_secrets_are_masked_and_texts_bounded() -> None:
    assert redact("<org-0f3a9c1d><ak-e1b2c3d4> sk-abcdEFGH proj-12345") == "org-***ak-*** sk-*** proj-***"
    assert redact("x" * 1000) == "x" * 300 + "..."
    assert redact("disk-size, task-force") == "disk-size, task-force"


@pytest.mark.parametrize(
    ("message", "repair"),
    [
        ("invalid temperature: only 0.6 is allowed for this model", "drop-sampling"),
        (
            "thinking is enabled but reasoning_content is missing in assistant tool call message at index 3",
            "fill-reasoning",
        ),
        ("cannot specify both 'thinking' and 'reasoning_effort'", "drop-effort"),
        ("tool_choice 'required' is incompatible with thinking enabled", "drop-tool-choice"),
        ("unknown parameter 'thinking'", "drop-thinking"),
        ("Your request exceeded model token limit : 5", None),
        ("function name is invalid", None),
    ],
)
def test_refusals_that_name_their_repair(message: str, repair: str | None) -> None:
    assert repair_for(found(400, "invalid_request_error", message)) == repair


def test_only_refusals_are_repaired() -> None:
    assert repair_for(found(500, "server_error", "thinking")) is None
