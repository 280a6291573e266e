"""Groq's form and models as data.

Source: Groq's models and deprecations pages, @jambonz/llm 0.6.3 (fields, ids), read 2026-11-22.
"""

from __future__ import annotations

from moonwire.vendors.chat_manifest import RETIRED_MODELS, KnownModel, Manifest, base_url_field, key_field

URL = "https://api.groq.com/openai/v1"

_NOW = "llama-3.1-8b-instant"
_K = 131_072

MANIFEST = Manifest(
    "groq",
    "Groq",
    (key_field("Begins with gsk_."), base_url_field(URL), RETIRED_MODELS),
    (
        KnownModel("llama-3.3-70b-versatile", _K, vision=False),
        KnownModel(_NOW, _K, vision=False),
        KnownModel("openai/gpt-oss-20b", _K, "always", vision=False, note="thinks briefly before it speaks"),
        KnownModel("openai/gpt-oss-120b", _K, "always", vision=False, note="thinks briefly before it speaks"),
        KnownModel("gemma2-9b-it", 8_192, "no", "2025-10-08", _NOW, vision=False),
    ),
    docs_url="https://console.groq.com/docs",
)
