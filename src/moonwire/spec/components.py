"""Parts that several verbs share: recognizer, synthesizer; jambonz names on the wire, snake_case inside.

Source: @jambonz/schema 0.4.15, components/recognizer and components/synthesizer. Unknown members are kept and ignored.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class WireModel(BaseModel):
    """Base of everything that comes from an application: camelCase names, unknown members tolerated."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow", frozen=True)


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
    """Deepgram and Flux options (contract: speech-vendors section 7)."""


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
