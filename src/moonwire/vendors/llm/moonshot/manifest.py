"""Moonshot's form, models and addresses as data; the portal, REST and the adapter read the same.

Source: Moonshot's models overview and retirement notices, read 2026-11-22.
"""

from __future__ import annotations

from moonwire.vendors.chat_manifest import RETIRED_MODELS, KnownModel, Manifest, base_url_field, key_field

VENDOR = "moonshot"
GLOBAL_URL = "https://api.moonshot.ai/v1"
CHINA_URL = "https://api.moonshot.cn/v1"
CODING_HOST = "api.kimi.com"
"""Kimi Code: another product with its own keys."""

CODING_KEY_PREFIX = "sk-kimi-"

_NOW, _NEXT = "kimi-k2.6", "kimi-k3"
_K, _M = 262_144, 1_048_576

_MODELS: tuple[KnownModel, ...] = (
    KnownModel(_NOW, _K, "switchable", successor=_NEXT, note="answers without thinking: the model for live calls"),
    KnownModel(_NEXT, _M, "always", note="thinks before it speaks"),
    KnownModel("kimi-k3.1-pro", _M, "always", successor=_NEXT, note="thinks before it speaks"),
    KnownModel("kimi-k3.1-pro-highspeed", _M, "always", successor=_NEXT, note="thinks before it speaks"),
    KnownModel("kimi-k2.7-code", _K, "always", successor=_NEXT, note="for code; thinks before it speaks"),
    KnownModel("kimi-k2.7-code-highspeed", _K, "always", successor=_NEXT, note="for code; thinks before it speaks"),
    KnownModel("kimi-k2.5", _K, "switchable", "2026-08-31", _NOW),
    KnownModel("moonshot-v1-8k", 8_192, "no", "2026-08-31", _NOW, vision=False),
    KnownModel("moonshot-v1-32k", 32_768, "no", "2026-08-31", _NOW, vision=False),
    KnownModel("moonshot-v1-128k", 131_072, "no", "2026-08-31", _NOW, vision=False),
    KnownModel("moonshot-v1-auto", 131_072, "no", "2026-08-31", _NOW, vision=False),
    KnownModel("moonshot-v1-8k-vision-preview", 8_192, "no", "2026-08-31", _NOW),
    KnownModel("moonshot-v1-32k-vision-preview", 32_768, "no", "2026-08-31", _NOW),
    KnownModel("moonshot-v1-128k-vision-preview", 131_072, "no", "2026-08-31", _NOW),
    KnownModel("kimi-k2-0711-preview", 131_072, "no", "2026-05-25", _NOW, vision=False),
    KnownModel("kimi-k2-0905-preview", _K, "no", "2026-05-25", _NOW, vision=False),
    KnownModel("kimi-k2-turbo-preview", _K, "no", "2026-05-25", _NOW, vision=False),
    KnownModel("kimi-k2-thinking", _K, "always", "2026-05-25", _NOW, vision=False),
    KnownModel("kimi-k2-thinking-turbo", _K, "always", "2026-05-25", _NOW, vision=False),
    KnownModel("kimi-latest", 131_072, "no", "2026-01-28", _NOW),
    KnownModel("kimi-thinking-preview", 131_072, "always", "2026", _NOW, tools=False),
)

MANIFEST = Manifest(
    VENDOR,
    "Moonshot (Kimi)",
    (
        key_field("Begins with sk-. Keys of the global and the China platform are not interchangeable."),
        base_url_field(
            GLOBAL_URL,
            f"Global: {GLOBAL_URL}. China: {CHINA_URL}. Or your own proxy.",
            (("Global", GLOBAL_URL), ("China", CHINA_URL)),
        ),
        RETIRED_MODELS,
    ),
    _MODELS,
    docs_url="https://platform.kimi.ai/docs",
)
