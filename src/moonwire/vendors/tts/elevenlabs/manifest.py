"""What Moonwire knows about ElevenLabs without asking it: form fields, models, limits; data only.

Source: https://elevenlabs.io/docs/api-reference/text-to-speech, read 2026-11-22.
"""

from __future__ import annotations

from typing import Final

from moonwire.vendors.chat_manifest import FormField, base_url_field, key_field
from moonwire.vendors.speech_manifest import SpeechManifest

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

MANIFEST: Final = SpeechManifest(
    VENDOR,
    "ElevenLabs",
    "tts",
    (
        key_field(),
        base_url_field(DEFAULT_BASE_URL, "A residency endpoint or proxy; ws, wss, http and https are accepted."),
        FormField("modelId", "Model", default=DEFAULT_MODEL),
        FormField(
            "voiceId", "Default voice", default=DEFAULT_VOICE_ID, help="Used when an application names no voice."
        ),
    ),
    (
        ("eleven_flash_v2_5", "Flash v2.5"),
        ("eleven_turbo_v2_5", "Turbo v2.5"),
        ("eleven_multilingual_v2", "Multilingual v2"),
    ),
    "https://elevenlabs.io/docs/api-reference/text-to-speech/v-1-text-to-speech-voice-id-multi-stream-input",
)
