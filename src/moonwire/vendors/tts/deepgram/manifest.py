"""What Moonwire knows about Deepgram Aura without asking it: form fields, voices, limits; data only.

Source: https://developers.deepgram.com/docs/tts-websocket, read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from moonwire.vendors.chat_manifest import base_url_field, key_field
from moonwire.vendors.deepgram_access import BASE_URL
from moonwire.vendors.speech_manifest import SpeechManifest

VENDOR: Final = "deepgram"
DEFAULT_BASE_URL: Final = BASE_URL
DEFAULT_VOICES: Final[Mapping[str, str]] = {
    "en": "aura-2-thalia-en",
    "es": "aura-2-celeste-es",
    "de": "aura-2-viktoria-de",
    "fr": "aura-2-agathe-fr",
    "it": "aura-2-livia-it",
    "nl": "aura-2-rhea-nl",
    "ja": "aura-2-izanami-ja",
}
"""By language, when an application names no voice."""

MAX_FLUSHES: Final = 20
FLUSH_WINDOW_S: Final = 60.0
"""More flushes than this in the window are ignored by the vendor."""
MAX_SPEAK_CHARS: Final = 1800
"""Below the vendor's 2000 for one message."""

MANIFEST: Final = SpeechManifest(
    VENDOR,
    "Deepgram Aura",
    "tts",
    (
        key_field(),
        base_url_field(DEFAULT_BASE_URL, "Regional or on-premise endpoint; ws, wss, http and https are accepted."),
    ),
    tuple((voice, voice) for voice in DEFAULT_VOICES.values()),
    "https://developers.deepgram.com/docs/tts-websocket",
)
