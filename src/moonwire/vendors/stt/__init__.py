"""Lists the speech-to-text vendors and opens one by name."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final

import aiohttp

from moonwire.errors import ConfigError
from moonwire.ports.directory import VendorCredential
from moonwire.ports.stt import SpeechToText
from moonwire.vendors.speech_manifest import SpeechManifest

_VENDORS: Final = {
    "deepgram": ("moonwire.vendors.stt.deepgram", "DeepgramSpeechToText"),
    "deepgramflux": ("moonwire.vendors.stt.deepgramflux", "FluxSpeechToText"),
}
"""Vendor name as in `recognizer.vendor`: package and adapter class; loaded on first use."""


def vendor_names() -> tuple[str, ...]:
    """Return the names that `open_stt` knows."""
    return tuple(_VENDORS)


def stt_manifests() -> list[SpeechManifest]:
    """Return each vendor's manifest."""
    return [import_module(f"{package}.manifest").MANIFEST for package, _ in _VENDORS.values()]


def stt_base_url(vendor: str) -> str:
    """Return the vendor's own endpoint.

    Raises:
        ConfigError: the vendor is unknown.
    """
    return import_module(f"{_lookup(vendor)[0]}.manifest").DEFAULT_BASE_URL


def open_stt(
    credential: VendorCredential,
    http: aiohttp.ClientSession,
    *,
    may_dial: Callable[[str], bool] = lambda host: False,
) -> SpeechToText:
    """Return a vendor account ready to open recognitions; nothing is sent before.

    Args:
        credential: its `vendor` chooses the adapter.
        http: the session that carries the sockets, one connection per call: its connector must not limit them.
        may_dial: whether an application may name this host itself (for example `deepgramOptions.deepgramSttUri`).

    Raises:
        ConfigError: the vendor is unknown.
    """
    package, adapter = _lookup(credential.vendor)
    return getattr(import_module(f"{package}.adapter"), adapter)(credential, http, may_dial=may_dial)


def _lookup(vendor: str) -> tuple[str, str]:
    try:
        return _VENDORS[vendor]
    except KeyError:
        known = ", ".join(_VENDORS)
        raise ConfigError(f"Speech-to-text vendor {vendor!r} is unknown; use one of: {known}") from None
