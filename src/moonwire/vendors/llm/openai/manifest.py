"""OpenAI's form and models as data.

Source: OpenAI's models and deprecations pages, @jambonz/llm 0.6.3 (fields and ids), read 2026-11-22.
"""

from __future__ import annotations

from moonwire.vendors.chat_manifest import RETIRED_MODELS, KnownModel, Manifest, base_url_field, key_field

URL = "https://api.openai.com/v1"

_K = 128_000
_THINKS = "thinks before it speaks"

MANIFEST = Manifest(
    "openai",
    "OpenAI",
    (key_field("Begins with sk-."), base_url_field(URL, "OpenAI's own address, or a proxy's."), RETIRED_MODELS),
    (
        KnownModel("gpt-4o-mini", _K),
        KnownModel("gpt-4.1-mini", 1_047_576),
        KnownModel("gpt-4o", _K),
        KnownModel("gpt-4.1", 1_047_576),
        KnownModel("gpt-5-mini", 400_000, "always", note=_THINKS),
        KnownModel("gpt-5-nano", 400_000, "always", note=_THINKS),
        KnownModel("gpt-5", 400_000, "always", note=_THINKS),
        KnownModel("gpt-4-turbo", _K),
        KnownModel("gpt-3.5-turbo", 16_385, vision=False),
        KnownModel("o1-mini", _K, "always", "2025-10-27", vision=False, tools=False),
        KnownModel("o1-preview", _K, "always", "2025-07-28", vision=False, tools=False),
    ),
    docs_url="https://platform.openai.com/docs",
)
