"""Names Moonshot's failures: status, `error.type` and text to one error of our tree, with what to do about it.

Source: Moonshot's error page (2026-04 to 2026-08), help centre (2026-07) and live texts, read 2026-11-22.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from moonwire.dialects.openai_chat import WireError, read_error
from moonwire.errors import (
    ContentFilteredError,
    ContextTooLongError,
    CredentialError,
    ModelUnavailableError,
    QuotaError,
    RateLimitError,
    RequestRejectedError,
    VendorError,
    VendorOverloadedError,
    VendorUnavailableError,
)
from moonwire.vendors.chat_exchange import request_id
from moonwire.vendors.chat_vendor import HttpFailure, Repair
from moonwire.vendors.llm.moonshot.manifest import CODING_HOST, VENDOR

_SECRETS = re.compile(r"<?\b(sk|org|ak|proj|uid)-[A-Za-z0-9_*.-]{4,}>?")
_WAIT = re.compile(r"after (\d+(?:\.\d+)?) ?(?:seconds|second|s)\b", re.IGNORECASE)
_MOST_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of the table; the first that matches wins. Empty conditions match everything."""

    error: type[VendorError]
    says: str
    remedy: str
    statuses: tuple[int, ...] = ()
    types: tuple[str, ...] = ()
    text: str = ""

    def matches(self, status: int, found: WireError) -> bool:
        return (
            (not self.statuses or status in self.statuses)
            and (not self.types or found.type in self.types)
            and (not self.text or re.search(self.text, found.message, re.IGNORECASE) is not None)
        )


_QUOTA_TEXT = r"exceeded your current|account balance|insufficient balance|recharge|in arrears|suspended"
_REGION = (
    "Check that the key is complete and belongs to the platform of the Base URL: keys of platform.kimi.ai work only at "
    "https://api.moonshot.ai/v1, keys of platform.kimi.com only at https://api.moonshot.cn/v1."
)
_TOP_UP = "Add money to the Moonshot account or renew the voucher; calls fail until then."
_TIER = "Wait, lower the number of simultaneous calls, or raise the account's tier by topping up."

_NO_MODEL = "the model is retired, misspelt, or not available to this account"
_LIVE_LIST = "Choose a model from the live list of this key."
_NO_CAPACITY = "Moonshot has no capacity at the moment"
_BUSY_HOURS = "Nothing is wrong with the account; configure a fallback model for such hours."
_FAILED = "Moonshot failed"
_PASSES = "Nothing is wrong with the account; it usually passes."

_TABLE: tuple[_Row, ...] = (
    _Row(QuotaError, "the account has no balance left", _TOP_UP, types=("exceeded_current_quota_error",)),
    _Row(QuotaError, "the account has no balance left", _TOP_UP, (402, 403, 429), text=_QUOTA_TEXT),
    _Row(CredentialError, "the key was refused", _REGION, (401,)),
    _Row(
        CredentialError,
        "the key may not do this",
        "Check the organisation's IP allow-list and whether the API is open to this account.",
        (403,),
    ),
    _Row(ModelUnavailableError, _NO_MODEL, _LIVE_LIST, (404,), ("resource_not_found_error",)),
    _Row(ModelUnavailableError, _NO_MODEL, _LIVE_LIST, (400, 404), text=r"model.{0,80}(not exist|not found)"),
    _Row(ModelUnavailableError, _NO_MODEL, _LIVE_LIST, (400, 404), text=r"not found the model"),
    _Row(
        RequestRejectedError,
        "there is no such path",
        "Check the Base URL: it ends with /v1, without /chat/completions.",
        (404, 405),
    ),
    _Row(VendorOverloadedError, _NO_CAPACITY, _BUSY_HOURS, types=("engine_overloaded_error",)),
    _Row(VendorOverloadedError, _NO_CAPACITY, _BUSY_HOURS, (429, 503, 529), text="overloaded"),
    _Row(RateLimitError, "the account's rate limit is reached", _TIER, (429,)),
    _Row(ContentFilteredError, "moderation refused the text", "Rephrase the prompt.", types=("content_filter",)),
    _Row(ContentFilteredError, "moderation refused the text", "Rephrase the prompt.", text="considered high risk"),
    _Row(
        ContextTooLongError,
        "the conversation is longer than the model's context",
        "Shorten the prompt or lower llmOptions.maxTokens.",
        (400, 413),
        text=r"token length too long|exceeded model token limit|context length",
    ),
    _Row(ContextTooLongError, "the request is too large", "Shorten the prompt.", (413,)),
    _Row(
        RequestRejectedError,
        "a parameter was refused",
        "Remove the named parameter from llmOptions or vendorParams.",
        (200, 400, 422),
        ("invalid_request_error",),
    ),
    _Row(RequestRejectedError, "the request was refused", "Check llmOptions and vendorParams.", (400, 409, 415, 422)),
    _Row(VendorUnavailableError, _FAILED, _PASSES, (408, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529)),
    _Row(VendorUnavailableError, _FAILED, _PASSES, types=("server_error", "unexpected_output", "server_unavailable")),
    _Row(
        VendorUnavailableError,
        "it leads elsewhere (redirect)",
        "Enter the final address as Base URL.",
        (301, 302, 303, 307, 308),
    ),
    # From here on: errors inside a stream, which have a type but no status of their own.
    _Row(RateLimitError, "the account's rate limit is reached", _TIER, types=("rate_limit_reached_error",)),
    _Row(
        CredentialError,
        "the key was refused",
        _REGION,
        types=("invalid_authentication_error", "incorrect_api_key_error"),
    ),
)

_FALLBACK = _Row(VendorUnavailableError, "unexpected answer", "Check that the Base URL leads to Moonshot's API.")
_NOT_JSON = _Row(
    VendorUnavailableError, "the answer is no API answer", "Check the Base URL; a proxy or a web page answered."
)


def classify(failure: HttpFailure, host: str) -> VendorError:
    """Translate a failure; the text is safe to show: no key, no account id, no prompt."""
    found = read_error(failure.body)
    status = failure.status
    if found is None or not (found.message or found.type):
        row = next((row for row in _TABLE if status != 200 and row.matches(status, WireError())), _NOT_JSON)
        found = WireError()
    else:
        row = next((row for row in _TABLE if row.matches(status, found)), _FALLBACK)
    remedy = row.remedy
    if row.error is CredentialError and host == CODING_HOST:
        remedy = "A Kimi Code key works only with Kimi Code; create a key on platform.kimi.ai or platform.kimi.com."
    label = f" {failure.model!r}" if row.error is ModelUnavailableError and failure.model else ""
    vendor_text = redact(f"{found.type}: {found.message}" if found.type else found.message)
    detail = f"{status} {vendor_text}".strip() if vendor_text else str(status)
    return row.error(
        f"{VENDOR}: {row.says}{label} ({detail})",
        vendor=VENDOR,
        remedy=remedy,
        status=status,
        request_id=request_id(failure.headers),
        retry_after_s=_retry_after_s(failure, found) if row.error in {RateLimitError, VendorOverloadedError} else None,
    )


def redact(text: str) -> str:
    """Mask keys and account ids that the vendor quotes, and bound the length."""
    masked = _SECRETS.sub(lambda match: f"{match.group(1)}-***", text)
    return masked if len(masked) <= _MOST_CHARACTERS else masked[:_MOST_CHARACTERS] + "..."


def _retry_after_s(failure: HttpFailure, found: WireError) -> float | None:
    header = next((value for key, value in failure.headers.items() if key.lower() == "retry-after"), "")
    if header.strip().isdigit():
        return float(header)
    match = _WAIT.search(found.message)
    return float(match.group(1)) if match else None


_REPAIRS: tuple[tuple[str, Repair], ...] = (
    (r"invalid (temperature|top_p|presence_penalty|frequency_penalty|n\b)|temperature", "drop-sampling"),
    (r"reasoning_content is missing", "fill-reasoning"),
    (r"cannot specify both 'thinking' and 'reasoning_effort'", "drop-effort"),
    (r"tool_choice .*incompatible with thinking", "drop-tool-choice"),
    (r"reasoning_effort", "drop-effort"),
    (r"thinking", "drop-thinking"),
)


def repair_for(error: VendorError) -> Repair | None:
    """Return the one change that a refusal asks for by name, if any."""
    if isinstance(error, ContextTooLongError):
        return "trim-history"
    if not isinstance(error, RequestRejectedError) or error.status not in {400, 422}:
        return None
    text = str(error)
    return next((repair for pattern, repair in _REPAIRS if re.search(pattern, text, re.IGNORECASE)), None)
