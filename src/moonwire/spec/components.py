"""Parts that several verbs share: recognizer, synthesizer; jambonz names on the wire, snake_case inside.

Source: @jambonz/schema 0.4.15, components/recognizer and components/synthesizer. Unknown members are kept and ignored.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
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
