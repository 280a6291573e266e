"""Decides address, voice and query of Deepgram's speak socket from a credential and a `synthesizer`; pure.

Source: jambonz `synthesizer` (@jambonz/schema 0.4.15); developers.deepgram.com, "Speak (streaming)", read 2026-11-22.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from urllib.parse import urlencode

from moonwire.errors import ConfigError, RequestRejectedError
from moonwire.ports.directory import VendorCredential
from moonwire.spec.components import Synthesizer
from moonwire.vendors.deepgram_access import socket_url
from moonwire.vendors.tts.deepgram.manifest import DEFAULT_VOICES, VENDOR

_SPEED = (0.7, 1.5)


def speak_url(credential: VendorCredential) -> str:
    """Return the speak v1 address of an account, without a query.

    Raises:
        ConfigError: the base URL is unusable.
    """
    try:
        return socket_url(credential.fields.get("deepgram_tts_uri") or credential.base_url, "/v1/speak")
    except ValueError as error:
        raise ConfigError(f"Deepgram base_url cannot be used: {error}") from None


def speak_query(synthesizer: Synthesizer, credential: VendorCredential) -> str:
    """Return the query for mu-law 8 kHz.

    Raises:
        RequestRejectedError: the voice is no Aura voice.
    """
    pairs = {"model": _voice(synthesizer, credential), "encoding": "mulaw", "sample_rate": "8000"}
    speed = synthesizer.options.get("speed")
    if isinstance(speed, int | float) and not isinstance(speed, bool) and math.isfinite(speed):
        pairs["speed"] = f"{min(_SPEED[1], max(_SPEED[0], speed)):g}"
    if isinstance(synthesizer.options.get("mip_opt_out"), bool):
        pairs["mip_opt_out"] = str(synthesizer.options["mip_opt_out"]).lower()
    return urlencode(pairs)


def _voice(synthesizer: Synthesizer, credential: VendorCredential) -> str:
    voice = synthesizer.voice
    if isinstance(voice, Mapping):
        voice = voice.get("model") or voice.get("id")
    options = synthesizer.options
    asked = str(voice or options.get("model") or options.get("model_id") or "").strip()
    stored = credential.fields.get("model_id") or ""
    if not asked and stored.startswith("aura-"):
        asked = stored  # an account's model_id may also be its recogniser's
    if not asked:
        language = re.split(r"[-_]", (synthesizer.language or "en").lower(), maxsplit=1)[0]
        return DEFAULT_VOICES.get(language, DEFAULT_VOICES["en"])
    if not re.fullmatch(r"aura-[A-Za-z0-9-]{1,60}", asked):
        raise RequestRejectedError(
            f"synthesizer.voice: '{asked[:64]}' is no Deepgram Aura voice",
            vendor=VENDOR,
            remedy="Put an Aura voice such as aura-2-thalia-en into synthesizer.voice.",
        )
    return asked
