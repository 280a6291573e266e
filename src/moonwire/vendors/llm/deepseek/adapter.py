"""DeepSeek: thinks unless told not to, and wants its reasoning back on tool turns while it does.

Source: DeepSeek's thinking mode guide and error code page, read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Mapping

from moonwire.vendors.chat_family import FamilyAccount, Traits
from moonwire.vendors.llm.deepseek.manifest import MANIFEST, URL

_THINKER = "deepseek-reasoner"
_PLAIN = "deepseek-chat"


def _quiet(model: str) -> Mapping[str, object]:
    """The two older names say by themselves whether they think."""
    return {} if model in {_THINKER, _PLAIN} else {"thinking": {"type": "disabled"}}


class DeepSeek(FamilyAccount):
    """One DeepSeek account."""

    traits = Traits(
        MANIFEST,
        URL,
        default_path="/v1",
        thinks=lambda model: model == _THINKER,
        quiet=_quiet,
        takes_effort=lambda model: model not in {_THINKER, _PLAIN},
        no_tools=lambda model: model == _THINKER,
        reasoning="tool-calls",
    )
