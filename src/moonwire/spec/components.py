"""Parts that several verbs share: recognizer, synthesizer; jambonz names on the wire, snake_case inside.

Source: @jambonz/schema 0.4.15, components/recognizer and components/synthesizer. Unknown members are kept and ignored.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel


class WireModel(BaseModel):
    """Base of everything that comes from an application: camelCase names, unknown members tolerated."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow", frozen=True)


class VerbModel(WireModel):
    """What every verb may carry."""

    id: str | None = None
    """The application's own name for this verb; comes back as `verb_id` and in `verb:status`."""


NATIVE_TURN_TAKERS: Final = frozenset({"deepgramflux", "assemblyai", "speechmatics"})
"""Recogniser vendors that end turns by themselves, whatever `turnDetection` says.

Source: jambonz documentation of the agent verb, turnDetection, read 2026-11-22.
"""


class Recognizer(WireModel):
    """Speech-to-text choice of a verb or an application."""

    vendor: str
    label: str | None = None
    language: str | None = None
    model: str | None = None
    hints: list[str | dict[str, Any]] = Field(default_factory=list[str | dict[str, Any]])
    hints_boost: float | None = Field(default=None, allow_inf_nan=False)
    """Weight of the hints that have none of their own."""
    alt_languages: list[str] = Field(default_factory=list[str])
    fallback_vendor: str | None = None
    fallback_label: str | None = None
    fallback_language: str | None = None
    punctuation: bool | None = None
    interim: bool | None = None
    min_confidence: float | None = None
    profanity_filter: bool | None = None
    asr_timeout: float | None = None
    deepgram_options: dict[str, Any] = Field(default_factory=dict[str, Any])
    """Deepgram and Flux options by jambonz names."""


class Synthesizer(WireModel):
    """Text-to-speech choice of a verb or an application."""

    vendor: str
    label: str | None = None
    language: str | None = None
    voice: str | dict[str, Any] | None = None
    engine: str | None = None
    options: dict[str, Any] = Field(default_factory=dict[str, Any])
    fallback_vendor: str | None = None
    fallback_label: str | None = None
    fallback_language: str | None = None
    fallback_voice: str | dict[str, Any] | None = None


_NOISE_STATUS: Final = {"enable": True, "on": True, "disable": False, "off": False}


class NoiseIsolation(WireModel):
    """Noise suppression for one direction of a call; an engine's name may stand alone as a string.

    Three spellings exist: the agent verb's `mode`, the config verb's `enable` and `vendor`, and the command's
    `noise_isolation_status` beside `vendor` or, over REST, `noise_isolation_vendor`; jambonz's Python SDK writes
    `noiseIsolation_status` with "on" and "off".
    """

    enable: bool = True
    mode: str | None = Field(default=None, min_length=1)
    """`krisp`, `rnnoise`, `webrtc`; None = as before, at first `krisp`."""
    level: float = Field(default=100, ge=0, le=100, allow_inf_nan=False)
    direction: Literal["read", "write"] = "read"
    """`read`: what the caller says; `write`: what the caller hears."""
    model: str | None = None
    auth: dict[str, Any] | None = Field(default=None, repr=False)
    """Of engines that this server does not have."""

    @model_validator(mode="before")
    @classmethod
    def _one_spelling(cls, value: object) -> object:
        if isinstance(value, str):
            return {"enable": False} if value in _NOISE_STATUS and not _NOISE_STATUS[value] else {"mode": value}
        if not isinstance(value, dict):
            return value
        members = {_plain_name(name): item for name, item in cast("dict[str, object]", value).items()}
        if "vendor" in members:
            members.setdefault("mode", members["vendor"])
        if "status" in members:
            members["enable"] = _NOISE_STATUS.get(str(members["status"]), members["status"])
        return members


def _plain_name(name: str) -> str:
    return name.removeprefix("noise_isolation_").removeprefix("noiseIsolation_")


def as_list(value: object) -> object:
    """Read one object where an array of objects is meant."""
    return [cast("object", value)] if isinstance(value, dict) else value


def _repetitions(value: object) -> object:
    """Read `loop`: a number, a numeric string, or "forever"; 0 means forever too."""
    if isinstance(value, str) and value.strip().lower() == "forever":
        return 0
    return value


Repetitions = Annotated[int, BeforeValidator(_repetitions), Field(ge=0)]
"""How often something is played; 0 = until stopped. Source: @jambonz/schema 0.4.15, verbs/say and verbs/play."""


def _text_headers(value: object) -> object:
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        return {
            name: str(item) if isinstance(item, int | float) and not isinstance(item, bool) else item
            for name, item in members.items()
        }
    return value


SipHeaders = Annotated[dict[str, str], BeforeValidator(_text_headers)]
"""Headers to put into a SIP message; numbers become text."""
