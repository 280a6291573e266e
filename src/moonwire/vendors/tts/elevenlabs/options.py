"""Decides address, voice, model and settings from a credential and a `synthesizer`; pure.

Source: jambonz `synthesizer` (@jambonz/schema 0.4.15); https://elevenlabs.io/docs, read 2026-11-22.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from moonwire.errors import ConfigError, RequestRejectedError
from moonwire.ports.directory import VendorCredential
from moonwire.spec.components import Synthesizer
from moonwire.vendors.tts.elevenlabs.manifest import (
    DEFAULT_BASE_URL,
    DEFAULT_MODEL,
    DEFAULT_VOICE_ID,
    INACTIVITY_S,
    LANGUAGE_MODELS,
    VENDOR,
)

_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
_PATH: Final = "/v1/text-to-speech"
_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "stability": (0.0, 1.0),
    "similarity_boost": (0.0, 1.0),
    "style": (0.0, 1.0),
    "speed": (0.7, 1.2),
}


@dataclass(frozen=True, slots=True)
class VoiceChoice:
    """What will be asked of the vendor."""

    path_and_query: str
    """Below the base URL."""
    opening: Mapping[str, Any]
    """Settings of a context's first message."""


def base_address(base_url: str | None) -> str:
    """Return scheme, host and prefix; http/https and ws/wss are the same, a pasted full path is cut off.

    Raises:
        ConfigError: the base URL has no usable scheme or host.
    """
    text = (base_url or DEFAULT_BASE_URL).strip()
    try:
        parts = urlsplit(text if "://" in text else f"wss://{text}")
        scheme, host = _SCHEMES.get(parts.scheme), parts.hostname
    except ValueError:
        scheme = host = parts = None
    if parts is None or scheme is None or not host:
        raise ConfigError("ElevenLabs base_url must look like wss://host[:port][/prefix]")
    return f"{scheme}://{parts.netloc}{parts.path.partition(_PATH)[0].rstrip('/').removesuffix('/v1')}"


def choose_voice(synthesizer: Synthesizer, credential: VendorCredential) -> VoiceChoice:
    """Resolve what an application asked for.

    Raises:
        RequestRejectedError: the voice is no id.
    """
    options = {**_stored_options(credential.fields.get("options")), **synthesizer.options}
    voice_id = _voice_id(synthesizer, options) or credential.fields.get("voice_id") or DEFAULT_VOICE_ID
    model_id = str(options.get("model_id") or options.get("modelId") or "")
    model_id = model_id or credential.fields.get("model_id") or DEFAULT_MODEL
    query = {
        "model_id": model_id,
        "output_format": "ulaw_8000",
        # Whole clauses are sent, so the vendor need not wait for more text before it speaks.
        "auto_mode": "true",
        "sync_alignment": "true",
        "inactivity_timeout": str(INACTIVITY_S),
    }
    language = re.split(r"[-_]", (synthesizer.language or "").strip(), maxsplit=1)[0].lower()
    if language and model_id in LANGUAGE_MODELS:
        query["language_code"] = {"cmn": "zh", "yue": "zh"}.get(language, language)
    if options.get("apply_text_normalization") in {"auto", "on", "off"}:
        query["apply_text_normalization"] = options["apply_text_normalization"]
    path = f"{_PATH}/{quote(voice_id, safe='')}/multi-stream-input?{urlencode(query)}"
    return VoiceChoice(path, _opening(options))


def _voice_id(synthesizer: Synthesizer, options: Mapping[str, Any]) -> str:
    voice = synthesizer.voice
    if isinstance(voice, Mapping):
        voice = voice.get("voice_id") or voice.get("id")
    asked = str(voice or options.get("voice_id") or "").strip()
    if asked and not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", asked):
        raise RequestRejectedError(
            f"synthesizer.voice: '{asked[:64]}' is no ElevenLabs voice id",
            vendor=VENDOR,
            remedy="Put the voice's id from the ElevenLabs voice library into synthesizer.voice.",
        )
    return asked


def _stored_options(text: str | None) -> dict[str, Any]:
    try:
        stored: object = msgspec.json.decode(text) if text else {}
    except msgspec.DecodeError:
        return {}
    return cast("dict[str, Any]", stored) if isinstance(stored, dict) else {}


def _opening(options: Mapping[str, Any]) -> dict[str, Any]:
    opening: dict[str, Any] = {}
    asked: object = options.get("voice_settings")
    settings: dict[str, Any] = {}
    for name, value in cast("dict[str, Any]", asked).items() if isinstance(asked, dict) else ():
        if name in _RANGES and (number := _number(value)) is not None:
            low, high = _RANGES[name]
            settings[name] = min(high, max(low, number))
        elif name == "use_speaker_boost" and isinstance(value, bool):
            settings[name] = value
    if settings:
        opening["voice_settings"] = settings
    locators = options.get("pronunciation_dictionary_locators")
    if isinstance(locators, list) and locators:
        opening["pronunciation_dictionary_locators"] = locators
    return opening


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
