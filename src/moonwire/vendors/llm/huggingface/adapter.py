"""Hugging Face: a router in front of many hosts; `model:provider` picks one, errors are often a bare string.

Source: Hugging Face's inference providers documentation, read 2026-11-22.
"""

from __future__ import annotations

from moonwire.vendors.chat_family import FamilyAccount, Traits
from moonwire.vendors.llm.huggingface.manifest import MANIFEST, URL


class HuggingFace(FamilyAccount):
    """One Hugging Face account."""

    traits = Traits(MANIFEST, URL, default_path="/v1", request_ids=("x-request-id", "x-amz-cf-id"))
