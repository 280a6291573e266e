"""States what the portal, REST and the documentation need to know about Deepgram speech-to-text."""

from __future__ import annotations

from typing import Any, Final

from moonwire.vendors.deepgram_access import BASE_URL

VENDOR: Final = "deepgram"
DEFAULT_BASE_URL: Final = BASE_URL
DEFAULT_MODEL: Final = "nova-3"

MANIFEST: Final[dict[str, Any]] = {
    "vendor": VENDOR,
    "label": "Deepgram",
    "kind": "stt",
    "docs_url": "https://developers.deepgram.com/docs/live-streaming-audio",
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
    "models": ["nova-3", "nova-3-medical", "nova-2", "nova-2-phonecall"],
    "native_turn_taking": False,
}
"""One entry of the speech vendors' list. Source: developers.deepgram.com, models overview, read 2026-11-22."""
