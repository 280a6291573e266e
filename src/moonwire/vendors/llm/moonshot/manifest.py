"""Moonshot's form, models and addresses as data; the portal, REST and the adapter read the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

VENDOR = "moonshot"
DISPLAY_NAME = "Moonshot (Kimi)"
GLOBAL_URL = "https://api.moonshot.ai/v1"
CHINA_URL = "https://api.moonshot.cn/v1"
CODING_HOST = "api.kimi.com"
"""Kimi Code: another product with its own keys."""

DOCS_URL = "https://platform.kimi.ai/docs"


@dataclass(frozen=True, slots=True)
class KnownModel:
    """One model id that Moonshot has or had.

    Source: Moonshot's models overview and retirement notices, read 2026-11-22.
    """

    id: str
    context_tokens: int
    thinking: Literal["no", "switchable", "always"]
    retired_on: str | None = None
    """ISO date, or a month; None while it is available."""
    successor: str | None = None
    vision: bool = True
    note: str = ""

    @property
    def status(self) -> Literal["available", "retired"]:
        """Whether Moonshot's own platform serves it."""
        return "retired" if self.retired_on else "available"


_NOW, _NEXT = "kimi-k2.6", "kimi-k3"
_K, _M = 262_144, 1_048_576

KNOWN_MODELS: tuple[KnownModel, ...] = (
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
    KnownModel("kimi-thinking-preview", 131_072, "always", "2026", _NOW),
)

BY_ID: dict[str, KnownModel] = {model.id: model for model in KNOWN_MODELS}

AVAILABLE_IDS: tuple[str, ...] = tuple(model.id for model in KNOWN_MODELS if not model.retired_on)


def manifest() -> dict[str, object]:
    """Return the vendor's manifest in jambonz's shape, with our members beside (`status`, `retiredOn`, ...)."""
    return {
        "vendor": VENDOR,
        "displayName": DISPLAY_NAME,
        "authKinds": [{"kind": "apiKey", "displayName": "API key", "fields": _fields()}],
        "knownModels": [_model(model) for model in KNOWN_MODELS],
        "supportsModelListing": True,
        "docsUrl": DOCS_URL,
    }


def _fields() -> list[dict[str, object]]:
    return [
        {
            "name": "apiKey",
            "label": "API Key",
            "type": "password",
            "required": True,
            "help": "Begins with sk-. Keys of the global and the China platform are not interchangeable.",
        },
        {
            "name": "baseURL",
            "label": "Base URL",
            "type": "url",
            "required": False,
            "default": GLOBAL_URL,
            "help": f"Global: {GLOBAL_URL}. China: {CHINA_URL}. Or your own proxy.",
            "suggestions": [{"label": "Global", "value": GLOBAL_URL}, {"label": "China", "value": CHINA_URL}],
        },
        {
            "name": "retiredModels",
            "label": "Retired models",
            "type": "select",
            "required": False,
            "default": "substitute",
            "options": [
                {"label": "Go on with the successor and alert", "value": "substitute"},
                {"label": "Refuse", "value": "refuse"},
            ],
            "help": "What a call does when Moonshot no longer serves the model it asks for.",
        },
    ]


def _model(model: KnownModel) -> dict[str, object]:
    entry: dict[str, object] = {
        "id": model.id,
        "displayName": model.id,
        "capabilities": {
            "streaming": True,
            "tools": model.id != "kimi-thinking-preview",
            "vision": model.vision,
            "systemPrompt": True,
            "maxContextTokens": model.context_tokens,
        },
        "status": model.status,
        "thinking": model.thinking,
    }
    if model.note:
        entry["note"] = model.note
    if model.retired_on:
        entry |= {"deprecated": True, "retiredOn": model.retired_on, "successor": model.successor}
    return entry
