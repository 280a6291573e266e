"""xAI: refuses penalties and stop words, takes an effort on few models, and calls a wrong key a bad request.

Source: xAI's chat reference and reasoning page; integrators' live reports (2025-04 to 2026-09), read 2026-11-22.
"""

from __future__ import annotations

from moonwire.vendors.chat_family import FamilyAccount, Traits
from moonwire.vendors.llm.xai.manifest import MANIFEST, URL

_EFFORT = ("grok-4.3", "grok-3-mini", "grok-4.20-multi-agent")


def _thinks(model: str) -> bool:
    return model.startswith("grok-4") and "non-reasoning" not in model


class XAi(FamilyAccount):
    """One xAI account."""

    traits = Traits(
        MANIFEST,
        URL,
        default_path="/v1",
        thinks=_thinks,
        takes_effort=lambda model: model.startswith(_EFFORT),
        withheld=frozenset({"presence_penalty", "frequency_penalty", "stop"}),
    )
