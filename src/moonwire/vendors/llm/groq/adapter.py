"""Groq: quick open models; some think and take an effort, a failed tool call is an error of its own.

Source: Groq's API reference, reasoning and errors pages, read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Mapping

from moonwire.errors import RequestRejectedError, VendorOverloadedError
from moonwire.vendors.chat_errors import ErrorRow
from moonwire.vendors.chat_family import FamilyAccount, Traits
from moonwire.vendors.llm.groq.manifest import MANIFEST, URL


def _quiet(model: str) -> Mapping[str, object]:
    if "gpt-oss" in model:
        return {"reasoning_effort": "low"}
    return {"reasoning_effort": "none"} if "qwen3" in model else {}


class Groq(FamilyAccount):
    """One Groq account."""

    traits = Traits(
        MANIFEST,
        URL,
        default_path="/openai/v1",
        cap=lambda model: "max_completion_tokens",
        thinks=lambda model: "gpt-oss" in model,
        quiet=_quiet,
        takes_effort=lambda model: "gpt-oss" in model,
        withheld=frozenset({"logprobs", "top_logprobs", "logit_bias"}),
        rows=(
            ErrorRow(
                VendorOverloadedError,
                "overloaded",
                "it has no capacity at the moment",
                "Nothing is wrong with the account; configure a fallback model for such hours.",
                (498,),
            ),
            ErrorRow(
                RequestRejectedError,
                "tool-call-failed",
                "the model wrote a tool call that cannot be read",
                "Simplify the tool's parameters, or choose a larger model.",
                (400,),
                ("tool_use_failed",),
            ),
        ),
        request_ids=("x-request-id", "x-groq-id"),
    )
