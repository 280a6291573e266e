"""xAI's form and models as data.

Source: xAI's models page, @jambonz/llm 0.6.3 (fields, ids), read 2026-11-22.
"""

from __future__ import annotations

from moonwire.vendors.chat_manifest import RETIRED_MODELS, KnownModel, Manifest, base_url_field, key_field

URL = "https://api.x.ai/v1"

MANIFEST = Manifest(
    "xai",
    "xAI (Grok)",
    (key_field("Begins with xai-."), base_url_field(URL), RETIRED_MODELS),
    (
        KnownModel("grok-4.20-0309-non-reasoning", 2_000_000),
        KnownModel("grok-4.3", 1_000_000, "always", note="thinks before it speaks"),
        KnownModel("grok-4.20-0309-reasoning", 2_000_000, "always", note="thinks before it speaks"),
    ),
    docs_url="https://docs.x.ai",
)
