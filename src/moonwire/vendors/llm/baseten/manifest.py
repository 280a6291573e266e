"""Baseten's form and models as data.

Source: Baseten's model API documentation, @jambonz/llm 0.6.3 (fields, ids), read 2026-11-22.
"""

from __future__ import annotations

from moonwire.vendors.chat_manifest import RETIRED_MODELS, KnownModel, Manifest, base_url_field, key_field

URL = "https://inference.baseten.co/v1"

_K = 262_144

MANIFEST = Manifest(
    "baseten",
    "Baseten",
    (
        key_field(),
        base_url_field(URL, "Model APIs; a dedicated deployment has an address of its own."),
        RETIRED_MODELS,
    ),
    (
        KnownModel("moonshotai/Kimi-K2.6", _K, "switchable"),
        KnownModel("moonshotai/Kimi-K2.5", _K, "switchable"),
        KnownModel("zai-org/GLM-4.7", 204_800, "switchable", vision=False),
        KnownModel("deepseek-ai/DeepSeek-V3.1", 163_840, "switchable", vision=False),
        KnownModel("openai/gpt-oss-120b", 131_072, "always", vision=False, note="thinks briefly before it speaks"),
    ),
    docs_url="https://docs.baseten.co",
)
