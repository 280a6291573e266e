"""States what the portal, REST and the documentation need to know about Deepgram Flux."""

from __future__ import annotations

from typing import Any, Final

from moonwire.vendors.deepgram_access import BASE_URL

VENDOR: Final = "deepgramflux"
DEFAULT_BASE_URL: Final = BASE_URL
DEFAULT_MODEL: Final = "flux-general-en"
MULTILINGUAL_MODEL: Final = "flux-general-multi"

MANIFEST: Final[dict[str, Any]] = {
    "vendor": VENDOR,
    "label": "Deepgram Flux",
    "kind": "stt",
    "docs_url": "https://developers.deepgram.com/docs/flux/quickstart",
    "fields": [
        {"name": "api_key", "label": "API key", "required": True, "secret": True},
        {
            "name": "base_url",
            "label": "Base URL",
            "required": False,
            "secret": False,
            "default": DEFAULT_BASE_URL,
            "help": "Regional or on-premise endpoint; scheme, host, optional port and prefix.",
        },
        {"name": "model_id", "label": "Model", "required": False, "secret": False, "default": DEFAULT_MODEL},
    ],
    "models": [DEFAULT_MODEL, MULTILINGUAL_MODEL],
    "native_turn_taking": True,
}
"""One entry of the speech vendors' list. Source: developers.deepgram.com, Flux, read 2026-11-22."""
