"""OpenRouter: a router in front of many hosts; one member keeps every model from thinking."""

from __future__ import annotations

from moonwire.vendors.chat_family import FamilyAccount, Traits
from moonwire.vendors.llm.openrouter.manifest import MANIFEST, URL


class OpenRouter(FamilyAccount):
    """One OpenRouter account."""

    traits = Traits(MANIFEST, URL, default_path="/api/v1", quiet=lambda model: {"reasoning": {"enabled": False}})
