"""DeepSeek's form and models as data.

Source: DeepSeek's API documentation (models, thinking mode), @jambonz/llm 0.6.3 (fields, ids), read 2026-11-22.
"""

from __future__ import annotations

from moonwire.vendors.chat_manifest import RETIRED_MODELS, KnownModel, Manifest, base_url_field, key_field

URL = "https://api.deepseek.com/v1"

_NOW = "deepseek-v4-flash"
_M = 1_048_576

MANIFEST = Manifest(
    "deepseek",
    "DeepSeek",
    (key_field("Begins with sk-."), base_url_field(URL), RETIRED_MODELS),
    (
        KnownModel(_NOW, _M, "switchable", vision=False),
        KnownModel("deepseek-v4-pro", _M, "switchable", successor=_NOW, vision=False),
        KnownModel("deepseek-chat", 131_072, successor=_NOW, vision=False, note="an older name"),
        KnownModel("deepseek-reasoner", 131_072, "always", successor=_NOW, vision=False, tools=False),
    ),
    docs_url="https://api-docs.deepseek.com",
)
