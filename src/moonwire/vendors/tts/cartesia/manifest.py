"""What Moonwire knows about Cartesia without asking it: form fields, models, limits; data only.

Source: https://docs.cartesia.ai, API version 2026-03-01, read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

VENDOR: Final = "cartesia"
DEFAULT_BASE_URL: Final = "wss://api.cartesia.ai"
SOCKET_PATH: Final = "/tts/websocket"
API_VERSION: Final = "2026-03-01"
"""Pinned: structured errors, `use_normalized_timestamps`, buffer delays to 5000 ms."""

DEFAULT_MODEL: Final = "sonic-3"
DEFAULT_VOICE_ID: Final = "f786b574-daa5-4673-aa0c-cbe3e8534c02"
VOICE_ALIASES: Final[Mapping[str, str]] = {"katie": DEFAULT_VOICE_ID}

CONTEXT_EXPIRY_S: Final = 1.0
"""A context dies this long after its last audio was sent out; later input on it is an error."""

MANIFEST: Final[Mapping[str, Any]] = {
    "vendor": VENDOR,
    "displayName": "Cartesia",
    "kind": "tts",
    "authKinds": [
        {
            "kind": "apiKey",
            "displayName": "API key",
            "fields": [
                {"name": "apiKey", "label": "API Key", "type": "password", "required": True},
                {
                    "name": "baseURL",
                    "label": "Base URL",
                    "type": "url",
                    "required": False,
                    "default": DEFAULT_BASE_URL,
                    "help": "Your own endpoint or proxy; ws, wss, http and https are accepted.",
                },
                {
                    "name": "modelId",
                    "label": "Model",
                    "type": "text",
                    "required": False,
                    "default": DEFAULT_MODEL,
                },
                {
                    "name": "voiceId",
                    "label": "Default voice",
                    "type": "text",
                    "required": False,
                    "default": DEFAULT_VOICE_ID,
                    "help": "Used when an application names no voice, or a model instead of a voice.",
                },
                {
                    "name": "voiceAliases",
                    "label": "Voice names",
                    "type": "text",
                    "required": False,
                    "help": "Names for voice ids: reception=<uuid>, night=<uuid>",
                },
            ],
        }
    ],
    "knownModels": [
        {"id": "sonic-3.5", "displayName": "Sonic 3.5"},
        {"id": "sonic-3", "displayName": "Sonic 3"},
        {"id": "sonic-2", "displayName": "Sonic 2"},
        {"id": "sonic-turbo", "displayName": "Sonic Turbo"},
    ],
    "supportsModelListing": False,
    "docsUrl": "https://docs.cartesia.ai/api-reference/tts/websocket",
}
