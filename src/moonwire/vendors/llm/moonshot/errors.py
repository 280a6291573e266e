"""What Moonshot's failures mean beyond the generic table: its regions, its coding product, its tiers.

Source: Moonshot's error page (2026-04 to 2026-08), help centre (2026-07) and live texts, read 2026-11-22.
"""

from __future__ import annotations

from moonwire.errors import CredentialError, QuotaError, RateLimitError, RequestRejectedError, VendorError
from moonwire.vendors import chat_errors
from moonwire.vendors.chat_errors import ErrorRow
from moonwire.vendors.chat_vendor import HttpFailure
from moonwire.vendors.llm.moonshot.manifest import CODING_HOST, VENDOR

_QUOTA_TEXT = r"exceeded your current|account balance|insufficient balance|recharge|in arrears|suspended"
_REGION = (
    "Check that the key is complete and belongs to the platform of the Base URL: keys of platform.kimi.ai work only at "
    "https://api.moonshot.ai/v1, keys of platform.kimi.com only at https://api.moonshot.cn/v1."
)
CODING_KEY = "A Kimi Code key works only with Kimi Code; create a key on platform.kimi.ai or platform.kimi.com."
_TOP_UP = "Add money to the Moonshot account or renew the voucher; calls fail until then."
_TIER = "Wait, lower the number of simultaneous calls, or raise the account's tier by topping up."
_TIER_0 = (
    "An account of tier 0 cannot hold a conversation: it allows one answer at a time and three a minute. Top it up."
)
_REFUSED_TYPES = ("invalid_authentication_error", "incorrect_api_key_error")

_ROWS: tuple[ErrorRow, ...] = (
    ErrorRow(QuotaError, "quota", "the account has no balance left", _TOP_UP, types=("exceeded_current_quota_error",)),
    ErrorRow(QuotaError, "quota", "the account has no balance left", _TOP_UP, (402, 403, 429), text=_QUOTA_TEXT),
    ErrorRow(CredentialError, "key", "the key was refused", _REGION, (401,)),
    ErrorRow(CredentialError, "key", "the key was refused", _REGION, types=_REFUSED_TYPES),
    ErrorRow(
        CredentialError, "ip-not-allowed", "the key may not be used from this server's address",
        "Add this server's public address to the organisation's IP allow-list in Moonshot's console.", (403,),
        text=r"\bIP\b",
    ),
    ErrorRow(
        RateLimitError, "concurrency", "too many answers at the same time for this account", f"{_TIER} {_TIER_0}",
        (429,), ("rate_limit_reached_error",), r"concurrency: 1\b",
    ),
    ErrorRow(
        RateLimitError, "rate-limit", "the account's rate limit is reached", f"{_TIER} {_TIER_0}", (429,),
        ("rate_limit_reached_error",), r"RPM: 3\b",
    ),
)  # fmt: skip
_TOKENS = ErrorRow(
    RateLimitError,
    "rate-limit",
    "the account's limit of tokens per minute is reached",
    f"{_TIER} Moonshot counts the prompt and the asked-for maximum, so a smaller llmOptions.maxTokens helps.",
    (429,),
    ("rate_limit_reached_error",),
    r"\bTPM\b",
)
_NOT_FOUND = ErrorRow(
    RequestRejectedError,
    "wrong-path",
    "there is no such path",
    "Check the Base URL: it ends with /v1, without /chat/completions.",
    (404, 405),
    text=r"^(?!.*model).*$",
)


def classify(failure: HttpFailure, host: str) -> VendorError:
    """Translate a failure; the text is safe to show: no key, no account id, no prompt."""
    error = chat_errors.classify(failure, VENDOR, (*_ROWS, _TOKENS, _NOT_FOUND))
    if isinstance(error, CredentialError) and host == CODING_HOST:
        error.remedy = CODING_KEY
    return error
