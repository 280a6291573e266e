"""Decides endpoint, voice, model and extras from a credential and a `synthesizer`; pure.

Source: jambonz `synthesizer` (@jambonz/schema 0.4.15); https://docs.cartesia.ai, read 2026-11-22.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from moonwire.errors import ConfigError, RequestRejectedError
from moonwire.ports.directory import VendorCredential
from moonwire.spec.components import Synthesizer
from moonwire.vendors.tts.cartesia.manifest import (
    DEFAULT_BASE_URL,
    DEFAULT_MODEL,
    DEFAULT_VOICE_ID,
    SOCKET_PATH,
    VENDOR,
    VOICE_ALIASES,
)
from moonwire.vendors.tts.cartesia.wire import ContextRecipe

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_LIMITS: Final[Mapping[str, tuple[float, float]]] = {"speed": (0.6, 1.5), "volume": (0.5, 2.0)}
_SPEED_WORDS: Final[Mapping[str, float]] = {"slow": 0.8, "normal": 1.0, "fast": 1.2}
_OLD_FAMILIES: Final = ("sonic-2", "sonic-turbo", "sonic-english", "sonic-multilingual")
"""Models before sonic-3: speed is a word beside the voice, there is no generation_config."""


@dataclass(frozen=True, slots=True)
class VoiceChoice:
    """What will be asked of the vendor, and what had to be bent for it."""

    recipe: ContextRecipe
    substituted: str | None = None
    """The voice that was asked for, when it is a model's name and the default voice speaks instead."""
    clamped: tuple[str, ...] = ()
    """Options that were outside the vendor's range and have been moved to its edge."""


def socket_url(base_url: str | None) -> str:
    """Return the address to connect to; http/https and ws/wss are the same, a pasted full path is not doubled.

    Raises:
        ConfigError: the base URL has no usable scheme or host.
    """
    text = (base_url or DEFAULT_BASE_URL).strip()
    parts = urlsplit(text if "://" in text else f"wss://{text}")
    scheme = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}.get(parts.scheme)
    if scheme is None or not parts.hostname:
        raise ConfigError("Cartesia base_url must look like wss://host[:port][/prefix]")
    path = parts.path.rstrip("/").removesuffix(SOCKET_PATH)
    return urlunsplit((scheme, parts.netloc, path + SOCKET_PATH, parts.query, ""))


def choose_voice(synthesizer: Synthesizer, credential: VendorCredential) -> VoiceChoice:
    """Resolve what an application asked for.

    Raises:
        RequestRejectedError: the voice is neither an id, nor a configured name, nor a model's name.
    """
    options = synthesizer.options
    fields = credential.fields
    asked = _asked_voice(synthesizer)
    default_voice = fields.get("voice_id") or DEFAULT_VOICE_ID
    default_model = fields.get("model_id") or DEFAULT_MODEL
    substituted = None
    if not asked:
        voice_id = default_voice
    elif _UUID.fullmatch(asked):
        voice_id = asked
    elif alias := voice_aliases(fields).get(asked.lower()):
        voice_id = alias
    elif asked.lower().startswith("sonic"):
        voice_id, substituted = default_voice, asked
    else:
        raise RequestRejectedError(
            f"synthesizer.voice: '{asked[:64]}' is no Cartesia voice id (a UUID) and no configured voice name",
            vendor=VENDOR,
            remedy="Put the voice's UUID from play.cartesia.ai into synthesizer.voice, "
            "or give it a name in the speech service's voice_aliases.",
        )
    model_id = str(options.get("model_id") or options.get("modelId") or default_model)
    extras, clamped = _extras(options, model_id)
    recipe = ContextRecipe(
        voice_id=voice_id,
        model_id=model_id,
        language=_two_letter(synthesizer.language or str(options.get("language") or "")),
        max_buffer_delay_ms=_buffer_delay_ms(options.get("max_buffer_delay_ms")),
        extras=extras,
    )
    return VoiceChoice(recipe, substituted, clamped)


def voice_aliases(fields: Mapping[str, str]) -> dict[str, str]:
    """Return name -> voice id: the built-in ones and `voice_aliases` ("name=<uuid>, name=<uuid>")."""
    aliases = dict(VOICE_ALIASES)
    for pair in fields.get("voice_aliases", "").split(","):
        name, _, voice_id = pair.partition("=")
        if name.strip() and voice_id.strip():
            aliases[name.strip().lower()] = voice_id.strip()
    return aliases


def _asked_voice(synthesizer: Synthesizer) -> str:
    voice = synthesizer.voice
    if isinstance(voice, Mapping):
        voice = voice.get("id") or voice.get("voice_id")
    voice = voice or synthesizer.options.get("voice_id")
    return str(voice).strip() if voice else ""


def _two_letter(language: str) -> str:
    primary = re.split(r"[-_]", language.strip(), maxsplit=1)[0].lower()
    return {"cmn": "zh", "yue": "zh"}.get(primary, primary[:2]) or "en"


def _buffer_delay_ms(value: object) -> int:
    return max(0, min(5000, int(value))) if isinstance(value, int | float) and math.isfinite(value) else 0


def _extras(options: Mapping[str, Any], model_id: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    extras: dict[str, Any] = {}
    config: dict[str, Any] = {}
    clamped: list[str] = []
    speed = options.get("speed")
    if _is_old_model(model_id):
        if speed in _SPEED_WORDS:
            extras["speed"] = speed
    else:
        for name, (low, high) in _LIMITS.items():
            value = _SPEED_WORDS.get(speed, speed) if name == "speed" and isinstance(speed, str) else options.get(name)
            number = _number(value)
            if number is None:
                continue
            config[name] = min(high, max(low, number))
            if config[name] != number:
                clamped.append(name)
        if isinstance(options.get("emotion"), str):
            config["emotion"] = options["emotion"]
    if config:
        extras["generation_config"] = config
    if isinstance(options.get("pronunciation_dict_id"), str):
        extras["pronunciation_dict_id"] = options["pronunciation_dict_id"]
    return extras, tuple(clamped)


def _is_old_model(model_id: str) -> bool:
    return model_id == "sonic" or model_id.startswith(_OLD_FAMILIES)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
