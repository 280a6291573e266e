"""States what the portal, REST and the documentation need to know about Deepgram speech-to-text."""

from __future__ import annotations

from typing import Final

from moonwire.vendors.chat_manifest import FormField, base_url_field, key_field
from moonwire.vendors.deepgram_access import BASE_URL
from moonwire.vendors.speech_manifest import SpeechManifest

VENDOR: Final = "deepgram"
DEFAULT_BASE_URL: Final = BASE_URL
DEFAULT_MODEL: Final = "nova-3"

MANIFEST: Final = SpeechManifest(
    VENDOR,
    "Deepgram",
    "stt",
    (
        key_field(),
        base_url_field(DEFAULT_BASE_URL, "Regional or on-premise endpoint; scheme, host, optional port and prefix."),
        FormField("modelId", "Model", default=DEFAULT_MODEL, help="The model that listens."),
    ),
    tuple((model, model) for model in ("nova-3", "nova-3-medical", "nova-2", "nova-2-phonecall")),
    "https://developers.deepgram.com/docs/live-streaming-audio",
)
"""Source: developers.deepgram.com, models overview, read 2026-11-22."""
