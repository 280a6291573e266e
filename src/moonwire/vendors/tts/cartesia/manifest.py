"""What Moonwire knows about Cartesia without asking it: form fields, models, limits; data only.

Source: https://docs.cartesia.ai, API version 2026-03-01, read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from moonwire.vendors.chat_manifest import FormField, base_url_field, key_field
from moonwire.vendors.speech_manifest import SpeechManifest

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

MANIFEST: Final = SpeechManifest(
    VENDOR,
    "Cartesia",
    "tts",
    (
        key_field(),
        base_url_field(DEFAULT_BASE_URL, "Your own endpoint or proxy; ws, wss, http and https are accepted."),
        FormField("modelId", "Model", default=DEFAULT_MODEL),
        FormField(
            "voiceId",
            "Default voice",
            default=DEFAULT_VOICE_ID,
            help="Used when an application names no voice, or a model instead of a voice.",
        ),
        FormField("voiceAliases", "Voice names", help="Names for voice ids: reception=<uuid>, night=<uuid>"),
    ),
    (
        ("sonic-3.5", "Sonic 3.5"),
        ("sonic-3", "Sonic 3"),
        ("sonic-2", "Sonic 2"),
        ("sonic-turbo", "Sonic Turbo"),
    ),
    "https://docs.cartesia.ai/api-reference/tts/websocket",
)
