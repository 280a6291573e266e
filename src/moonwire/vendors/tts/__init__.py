"""Which text-to-speech vendors exist, and how one is opened; an explicit table, loaded on first use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Final

import aiohttp

from moonwire.errors import ConfigError
from moonwire.ports.directory import VendorCredential
from moonwire.ports.tts import TextToSpeech
from moonwire.vendors.speech_manifest import SpeechManifest

_VENDORS: Final[Mapping[str, tuple[str, str]]] = {
    "cartesia": ("moonwire.vendors.tts.cartesia", "CartesiaTextToSpeech"),
    "deepgram": ("moonwire.vendors.tts.deepgram", "AuraTextToSpeech"),
    "elevenlabs": ("moonwire.vendors.tts.elevenlabs", "ElevenLabsTextToSpeech"),
}


def tts_vendors() -> tuple[str, ...]:
    """Return the vendors' names, as `synthesizer.vendor` spells them."""
    return tuple(_VENDORS)


def tts_manifests() -> list[SpeechManifest]:
    """Return each vendor's manifest."""
    return [import_module(f"{package}.manifest").MANIFEST for package, _ in _VENDORS.values()]


def tts_base_url(vendor: str) -> str:
    """Return the vendor's own endpoint.

    Raises:
        ConfigError: there is no such vendor.
    """
    package, _ = _lookup(vendor)
    return import_module(f"{package}.manifest").DEFAULT_BASE_URL


def open_tts(credential: VendorCredential, http: aiohttp.ClientSession) -> TextToSpeech:
    """Open a vendor account.

    Args:
        credential: the account; `credential.vendor` chooses the adapter.
        http: the process's session; its connector must not limit connections, every call holds one.

    Raises:
        ConfigError: there is no such vendor, or its base URL is unusable.
    """
    package, name = _lookup(credential.vendor)
    adapter: Callable[[VendorCredential, aiohttp.ClientSession], TextToSpeech]
    adapter = getattr(import_module(f"{package}.adapter"), name)
    return adapter(credential, http)


def _lookup(vendor: str) -> tuple[str, str]:
    try:
        return _VENDORS[vendor]
    except KeyError:
        known = ", ".join(_VENDORS)
        raise ConfigError(f"no text-to-speech vendor '{vendor}'; there are: {known}") from None
