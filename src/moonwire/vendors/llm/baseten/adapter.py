"""Baseten: open weights behind vLLM-like hosts, where thinking is switched in the chat template.

Source: Baseten's reasoning page and the models' cards, read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Mapping

from moonwire.vendors.chat_family import FamilyAccount, Traits
from moonwire.vendors.llm.baseten.manifest import MANIFEST, URL


def _quiet(model: str) -> Mapping[str, object]:
    name = model.lower()
    if "kimi-k2" in name or "deepseek" in name:
        return {"chat_template_args": {"thinking": False}}
    if "glm" in name or "qwen3" in name:
        return {"chat_template_args": {"enable_thinking": False}}
    return {"reasoning_effort": "low"} if "gpt-oss" in name else {}


class Baseten(FamilyAccount):
    """One Baseten account."""

    traits = Traits(
        MANIFEST, URL, default_path="/v1", thinks=lambda model: "gpt-oss" in model, quiet=_quiet, reasoning="tool-calls"
    )
