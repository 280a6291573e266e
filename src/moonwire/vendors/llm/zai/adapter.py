"""Z.ai: no model list, no stream options, errors by number, thinking off where it can be switched.

Source: Z.ai's chat completion reference and error code page; integrators' reports (2026-08), read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Mapping

from moonwire.errors import (
    ContentFilteredError,
    ContextTooLongError,
    CredentialError,
    ModelUnavailableError,
    QuotaError,
    RateLimitError,
    VendorOverloadedError,
)
from moonwire.vendors.chat_errors import ErrorRow
from moonwire.vendors.chat_family import FamilyAccount, Traits
from moonwire.vendors.llm.zai.manifest import MANIFEST, URL

_ALWAYS = "glm-5.3"


def _quiet(model: str) -> Mapping[str, object]:
    return {"reasoning_effort": "low"} if model.startswith(_ALWAYS) else {"thinking": {"type": "disabled"}}


_ROWS = (
    ErrorRow(
        QuotaError, "quota", "the account has no balance left",
        "Add money, or set the Base URL to the coding plan's when the key belongs to one.",
        types=("1113", "1309", "1310"),
    ),
    ErrorRow(
        CredentialError, "key", "the key was refused", "Check that the key is complete and not revoked.",
        types=("1000", "1001", "1002", "1003", "1004"),
    ),
    ErrorRow(
        ModelUnavailableError, "model-unavailable", "there is no such model for this account",
        "Choose another model.", types=("1211", "1220"),
    ),
    ErrorRow(
        RateLimitError, "concurrency", "too many answers at the same time for this account",
        "Lower the number of simultaneous calls, or raise the account's limit.", types=("1302",),
    ),
    ErrorRow(
        RateLimitError, "rate-limit", "the account's rate limit is reached", "Wait, or raise the account's limit.",
        types=("1303", "1304", "1308"),
    ),
    ErrorRow(
        VendorOverloadedError, "overloaded", "it has no capacity at the moment",
        "Nothing is wrong with the account; configure a fallback model for such hours.", types=("1305", "1312"),
    ),
    ErrorRow(
        ContentFilteredError, "content-filtered", "moderation refused the text", "Rephrase the prompt.",
        types=("1301",),
    ),
    ErrorRow(
        ContextTooLongError, "context-too-long", "the conversation is longer than the model's context",
        "Shorten the prompt.", types=("1261",),
    ),
)  # fmt: skip


class ZAi(FamilyAccount):
    """One Z.ai account."""

    traits = Traits(
        MANIFEST,
        URL,
        thinks=lambda model: model.startswith(_ALWAYS),
        quiet=_quiet,
        stream_options=False,
        forces_tools=False,
        extra={"tool_stream": True},
        withheld=frozenset({"presence_penalty", "frequency_penalty", "stream_options"}),
        rows=_ROWS,
    )
