"""OpenAI: reasoning models take another token cap, no temperature, and an effort.

Source: OpenAI's chat completions reference and reasoning guide; @jambonz/llm 0.6.3 (which models get which cap, and
that the o1 and o3 families get no tools), read 2026-11-22.
"""

from __future__ import annotations

import re

from moonwire.vendors.chat_family import Cap, FamilyAccount, Traits
from moonwire.vendors.llm.openai.manifest import MANIFEST, URL

_REASONING = re.compile(r"(o\d|gpt-5)")
_NO_TOOLS = re.compile(r"o[13](-|$)")


def _reasons(model: str) -> bool:
    return _REASONING.match(model) is not None


def _cap(model: str) -> Cap:
    return "max_completion_tokens" if _reasons(model) else "max_tokens"


class OpenAi(FamilyAccount):
    """One OpenAI account, or a host that speaks exactly its dialect."""

    traits = Traits(
        MANIFEST,
        URL,
        default_path="/v1",
        cap=_cap,
        thinks=_reasons,
        takes_effort=_reasons,
        fixed_sampling=_reasons,
        no_tools=lambda model: _NO_TOOLS.match(model) is not None,
        request_ids=("x-request-id",),
    )
