"""What Moonwire knows about ElevenLabs without asking it: form fields, models, limits; data only.

Source: https://elevenlabs.io/docs/api-reference/text-to-speech, read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

VENDOR: Final = "elevenlabs"
DEFAULT_BASE_URL: Final = "wss://api.elevenlabs.io"
DEFAULT_MODEL: Final = "eleven_flash_v2_5"
DEFAULT_VOICE_ID: Final = "21m00Tcm4TlvDq8ikWAM"
LANGUAGE_MODELS: Final = frozenset({"eleven_flash_v2_5", "eleven_turbo_v2_5"})
"""Models that take `language_code`; others find the language in the text."""

MAX_CONTEXTS: Final = 5
"""Open contexts on one socket; one more ends the socket with 1008."""
INACTIVITY_S: Final = 180
"""The longest the vendor allows for a context without input."""

MANIFEST: Final[Mapping[str, Any]] = {
    "vendor": VENDOR,
    "displayName": "ElevenLabs",
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
                    "help": "A residency endpoint or proxy; ws, wss, http and https are accepted.",
                },
                {"name": "modelId", "label": "Model", "type": "text", "required": False, "default": DEFAULT_MODEL},
                {
                    "name": "voiceId",
                    "label": "Default voice",
                    "type": "text",
                    "required": False,
                    "default": DEFAULT_VOICE_ID,
                    "help": "Used when an application names no voice.",
                },
            ],
        }
    ],
    "knownModels": [
        {"id": "eleven_flash_v2_5", "displayName": "Flash v2.5"},
        {"id": "eleven_turbo_v2_5", "displayName": "Turbo v2.5"},
        {"id": "eleven_multilingual_v2", "displayName": "Multilingual v2"},
    ],
    "supportsModelListing": False,
    "docsUrl": "https://elevenlabs.io/docs/api-reference/text-to-speech/v-1-text-to-speech-voice-id-multi-stream-input",
}
