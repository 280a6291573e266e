"""Any host of OpenAI's dialect: nothing is assumed, and what it refuses by name is left out the next time."""

from __future__ import annotations

from moonwire.vendors.chat_family import FamilyAccount, Traits
from moonwire.vendors.llm.openai_compatible.manifest import MANIFEST


class OpenAiCompatible(FamilyAccount):
    """One host; the key is optional."""

    traits = Traits(MANIFEST, "", default_path="/v1")
