"""States what the portal, REST and the documentation need to know about Deepgram Flux."""

from __future__ import annotations

from typing import Final

from moonwire.vendors.chat_manifest import FormField, base_url_field, key_field
from moonwire.vendors.deepgram_access import BASE_URL
from moonwire.vendors.speech_manifest import SpeechManifest

VENDOR: Final = "deepgramflux"
DEFAULT_BASE_URL: Final = BASE_URL
DEFAULT_MODEL: Final = "flux-general-en"
MULTILINGUAL_MODEL: Final = "flux-general-multi"

MANIFEST: Final = SpeechManifest(
    VENDOR,
    "Deepgram Flux",
    "stt",
    (
        key_field(),
        base_url_field(DEFAULT_BASE_URL, "Regional or on-premise endpoint; scheme, host, optional port and prefix."),
        FormField("modelId", "Model", default=DEFAULT_MODEL, help="The model that listens and ends turns."),
    ),
    ((DEFAULT_MODEL, "English"), (MULTILINGUAL_MODEL, "Multilingual")),
    "https://developers.deepgram.com/docs/flux/quickstart",
)
"""Source: developers.deepgram.com, Flux, read 2026-11-22."""
