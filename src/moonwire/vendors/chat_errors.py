"""Names failures of chat-completions hosts: status, type, code and text to one error, with what to do about it.

A vendor's own rows come first, then these, which hold for everybody who speaks OpenAI's dialect. Texts are safe to
show: no key, no account id, no prompt.

Source: OpenAI's error code guide and those of DeepSeek, Groq, xAI, Z.ai, Azure and Hugging Face, read 2026-11-22.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain

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
    VendorWords,
)
from moonwire.vendors.chat_exchange import request_id
from moonwire.vendors.chat_tools import TOOL_NAME, TOOL_SCHEMA
from moonwire.vendors.chat_vendor import HttpFailure, Repair

_SECRETS = re.compile(r"<?\b(sk|org|ak|proj|uid|gsk|xai|hf)[-_][A-Za-z0-9_*.-]{4,}>?")
_WAIT = re.compile(r"(?:after|again in) (\d+(?:\.\d+)?) ?(milliseconds|ms|seconds|second|s)\b", re.IGNORECASE)
_MOST_CHARACTERS = 300
_CONTEXT = re.compile(
    r"(?:limit|maximum context length)\D{1,12}(\d{3,9})\b.{0,60}?requested\D{1,12}(\d{3,9})\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One line of a table; the first that matches wins. Empty conditions match everything."""

    error: type[VendorError]
    cause: str
    says: str
    remedy: str
    statuses: tuple[int, ...] = ()
    types: tuple[str, ...] = ()
    """Of the error object: its `type` or its `code`."""
    text: str = ""

    def matches(self, status: int, found: WireError) -> bool:
        """Whether a failure is this one."""
        return (
            (not self.statuses or status in self.statuses)
            and (not self.types or found.type in self.types or found.code in self.types)
            and (not self.text or re.search(self.text, found.message, re.IGNORECASE) is not None)
        )


_QUOTA_TEXT = (
    r"exceeded your (current|monthly)|account balance|insufficient balance|recharge|in arrears|suspended|"
    r"(any|out of|not enough) credits"
)
_TOP_UP = "Add money to the vendor's account; calls fail until then."
_KEY = "Check that the key is complete, not revoked, and made for the host of the Base URL."
_SLOWER = "Wait, lower the number of simultaneous calls, or raise the account's limit with the vendor."
_NO_MODEL = "retired, misspelt, or not available to this account: the model"
_LIVE_LIST = "Choose a model from the live list of this key."
_NO_CAPACITY = "it has no capacity at the moment"
_BUSY_HOURS = "Nothing is wrong with the account; configure a fallback model for such hours."
_FAILED = "it failed on its side"
_PASSES = "Nothing is wrong with the account; it usually passes."
_PROMPT = "Shorten the prompt or lower llmOptions.maxTokens."

GENERIC_ROWS: tuple[ErrorRow, ...] = (
    ErrorRow(
        QuotaError, "quota", "the account has no balance left", _TOP_UP,
        types=("exceeded_current_quota_error", "insufficient_quota", "billing_hard_limit_reached"),
    ),
    ErrorRow(QuotaError, "quota", "the account has no balance left", _TOP_UP, (402,)),
    ErrorRow(QuotaError, "quota", "the account has no balance left", _TOP_UP, (403, 429), text=_QUOTA_TEXT),
    ErrorRow(CredentialError, "key", "the key was refused", _KEY, (401,)),
    ErrorRow(CredentialError, "key", "the key was refused", _KEY, (400, 403), text=r"(incorrect|invalid) api key"),
    ErrorRow(
        CredentialError, "ip-not-allowed", "the key may not be used from this server's address",
        "Add this server's public address to the allow-list in the vendor's console.", (403,), text=r"\bIP\b",
    ),
    ErrorRow(
        CredentialError, "country", "it does not serve this server's country",
        "Use another vendor, or a Base URL that is open to this country.", (403,),
        ("unsupported_country_region_territory",),
    ),
    ErrorRow(
        CredentialError, "permission", "the key may not do this",
        "Check the key's permissions, the account's IP allow-list, and whether the API is open to the account.", (403,),
    ),
    ErrorRow(
        ModelUnavailableError, "model-unavailable", _NO_MODEL, _LIVE_LIST, (400, 403, 404),
        ("resource_not_found_error", "model_not_found", "model_decommissioned", "DeploymentNotFound"),
    ),
    ErrorRow(
        ModelUnavailableError, "model-unavailable", _NO_MODEL, _LIVE_LIST, (400, 404),
        text=r"(model|deployment).{0,80}(not exist|not found|decommissioned|no longer supported)|not found the model",
    ),
    ErrorRow(
        RequestRejectedError, "wrong-path", "there is no such path",
        "Check the Base URL: it ends before /chat/completions.", (404, 405),
    ),
    ErrorRow(
        VendorUnavailableError, "proxy-auth", "the proxy wants a user name and password",
        "Put them into HTTPS_PROXY, or except the vendor's host in NO_PROXY.", (407,),
    ),
    ErrorRow(VendorOverloadedError, "overloaded", _NO_CAPACITY, _BUSY_HOURS, types=("engine_overloaded_error",)),
    ErrorRow(VendorOverloadedError, "overloaded", _NO_CAPACITY, _BUSY_HOURS, (429, 503, 529), text="overloaded"),
    ErrorRow(
        RateLimitError, "concurrency", "too many answers at the same time for this account", _SLOWER, (429,),
        text="concurren",
    ),
    ErrorRow(
        RateLimitError, "daily-limit", "the account's limit for today is reached",
        "It opens again tomorrow; raise the account's limit with the vendor, or configure a fallback model.", (429,),
        text=r"\bTPD\b|\bRPD\b|per day|daily",
    ),
    ErrorRow(RateLimitError, "rate-limit", "the account's rate limit is reached", _SLOWER, (429,)),
    ErrorRow(
        ContentFilteredError, "content-filtered", "moderation refused the text", "Rephrase the prompt.",
        types=("content_filter", "content_policy_violation"),
    ),
    ErrorRow(
        ContentFilteredError, "content-filtered", "moderation refused the text", "Rephrase the prompt.",
        text="considered high risk",
    ),
    ErrorRow(
        ContextTooLongError, "context-too-long", "the conversation is longer than the model's context", _PROMPT,
        (400, 413), ("context_length_exceeded",),
    ),
    ErrorRow(
        ContextTooLongError, "context-too-long", "the conversation is longer than the model's context", _PROMPT,
        (400, 413, 422), text=r"token length too long|exceeded model token limit|context length|maximum context",
    ),
    ErrorRow(ContextTooLongError, "context-too-long", "the request is too large", "Shorten the prompt.", (413,)),
    ErrorRow(
        RequestRejectedError, TOOL_NAME, "a tool's name was refused", "Correct the tools' names.", (400, 422),
        text="function name is",
    ),
    ErrorRow(
        RequestRejectedError, TOOL_SCHEMA, "a tool was refused",
        "Correct the tools' names and parameters: JSON schema objects of simple types.", (400, 422),
        text=r"function\.parameters|flavored json schema|(invalid|unsupported).{0,20}schema|"
        r"schema for function|tools\[\d+\]|tools\.\d+\.",
    ),
    ErrorRow(
        RequestRejectedError, "temperature", "the temperature was refused",
        "Remove temperature from llmOptions: this model has a fixed one.", (400, 422), text="temperature",
    ),
    ErrorRow(
        RequestRejectedError, "parameter", "a parameter was refused",
        "Remove the named parameter from llmOptions or vendorParams.", (200, 400, 422), ("invalid_request_error",),
    ),
    ErrorRow(
        RequestRejectedError, "request", "the request was refused", "Check llmOptions and vendorParams.",
        (400, 415, 422),
    ),
    ErrorRow(
        VendorUnavailableError, "vendor-failed", _FAILED, _PASSES,
        (408, 409, 498, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529),
    ),
    ErrorRow(
        VendorUnavailableError, "vendor-failed", _FAILED, _PASSES,
        types=("server_error", "unexpected_output", "server_unavailable"),
    ),
    ErrorRow(
        VendorUnavailableError, "redirect", "it leads elsewhere (redirect); the key was not sent there",
        "Enter the final address as Base URL.", (301, 302, 303, 307, 308),
    ),
    # From here on: errors inside a stream, which have a type but no status of their own.
    ErrorRow(
        RateLimitError, "rate-limit", "the account's rate limit is reached", _SLOWER,
        types=("rate_limit_reached_error", "rate_limit_exceeded"),
    ),
    ErrorRow(
        CredentialError, "key", "the key was refused", _KEY,
        types=("invalid_authentication_error", "incorrect_api_key_error", "invalid_api_key"),
    ),
)  # fmt: skip

_FALLBACK = ErrorRow(
    VendorUnavailableError, "unexpected", "unexpected answer", "Check that the Base URL leads to this vendor's API."
)
_NOT_JSON = ErrorRow(
    VendorUnavailableError,
    "not-an-api",
    "the answer is no API answer",
    "Check the Base URL; a proxy or a web page answered.",
)


def classify(
    failure: HttpFailure, vendor: str, own_rows: Iterable[ErrorRow] = (), request_id_headers: tuple[str, ...] = ()
) -> VendorError:
    """Translate a failure by the vendor's rows and the generic ones."""
    found = read_error(failure.body)
    status = failure.status
    if found is None or not (found.message or found.type or found.code):
        found = WireError()
        row = _row(status, found, own_rows) if status != 200 else None
        row = row or _NOT_JSON
        if row.cause == "wrong-path" and _is_page(failure):
            row = replace(row, cause=_NOT_JSON.cause, says=_NOT_JSON.says, remedy=_NOT_JSON.remedy)
    else:
        row = _row(status, found, own_rows) or _FALLBACK
    label = f" {failure.model!r}" if row.error is ModelUnavailableError and failure.model else ""
    says = f"{row.says}{label}"
    words = VendorWords(row.cause, redact(found.type or found.code), redact(found.message), says)
    vendor_text = redact(f"{found.type}: {found.message}" if found.type else found.message)
    detail = f"{status} {vendor_text}".strip() if vendor_text else str(status)
    waits = row.error in {RateLimitError, VendorOverloadedError}
    own_id = next((failure.headers[name] for name in request_id_headers if name in failure.headers), None)
    error = row.error(
        f"{vendor}: {says} ({detail})",
        vendor=vendor,
        remedy=row.remedy,
        status=status,
        request_id=own_id or request_id(failure.headers),
        retry_after_s=_retry_after_s(failure, found) if waits else None,
        said=words,
    )
    if isinstance(error, ContextTooLongError) and (sizes := _CONTEXT.search(found.message)):
        error.overrun = max(1.0, int(sizes.group(2)) / int(sizes.group(1)))
    return error


def _row(status: int, found: WireError, own_rows: Iterable[ErrorRow]) -> ErrorRow | None:
    return next((row for row in chain(own_rows, GENERIC_ROWS) if row.matches(status, found)), None)


def _is_page(failure: HttpFailure) -> bool:
    return failure.body.lstrip()[:1] == b"<"


def redact(text: str) -> str:
    """Mask keys and account ids that the vendor quotes, and bound the length."""
    masked = _SECRETS.sub(lambda match: f"{match.group(1)}-***", text)
    return masked if len(masked) <= _MOST_CHARACTERS else masked[:_MOST_CHARACTERS] + "..."


def _retry_after_s(failure: HttpFailure, found: WireError) -> float | None:
    header = next((value for key, value in failure.headers.items() if key.lower() == "retry-after"), "")
    if header.strip().isdigit():
        return float(header)
    match = _WAIT.search(found.message)
    if match is None:
        return None
    return float(match.group(1)) / (1000 if match.group(2).lower().startswith("m") else 1)


_REPAIRS: tuple[tuple[str, Repair], ...] = (
    (r"max_tokens.{0,80}max_completion_tokens", "other-cap"),
    (r"max_completion_tokens", "other-cap"),
    (r"invalid (temperature|top_p|presence_penalty|frequency_penalty|n\b)|temperature", "drop-sampling"),
    (r"reasoning_content is missing", "fill-reasoning"),
    (r"cannot specify both 'thinking' and 'reasoning_effort'", "drop-effort"),
    (r"tool_choice .*incompatible with thinking", "drop-tool-choice"),
    (r"reasoning_effort", "drop-effort"),
    (r"thinking", "drop-thinking"),
    (r"stream_options", "drop-stream-options"),
)


def repair_for(error: VendorError) -> Repair | None:
    """Return the one change that a refusal asks for by name, if any."""
    if not isinstance(error, RequestRejectedError) or error.status not in {400, 422}:
        return None
    if error.said.cause == TOOL_SCHEMA:
        return "plain-schemas"
    text = str(error)
    return next((repair for pattern, repair in _REPAIRS if re.search(pattern, text, re.IGNORECASE)), None)
