"""OpenRouter's form and models as data."""

from __future__ import annotations

from moonwire.vendors.chat_manifest import KnownModel, Manifest, base_url_field, key_field

URL = "https://openrouter.ai/api/v1"

MANIFEST = Manifest(
    "openrouter",
    "OpenRouter",
    (key_field("Begins with sk-or-."), base_url_field(URL)),
    (KnownModel("openai/gpt-4o-mini", 128_000), KnownModel("meta-llama/llama-3.3-70b-instruct", 131_072)),
    docs_url="https://openrouter.ai/docs",
)
