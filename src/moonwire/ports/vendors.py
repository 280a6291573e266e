"""How a call reaches vendors: by account and wire choice; credentials and addresses stay behind this port."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from moonwire.errors import VendorError
from moonwire.ports.directory import LlmChoice
from moonwire.ports.llm import LanguageModel
from moonwire.ports.stt import SpeechToText
from moonwire.ports.tts import TextToSpeech
from moonwire.spec.components import Recognizer, Synthesizer

PromptName = Literal["hold_on", "goodbye", "say_again"]
"""Recorded sentences for the moments in which nothing else can speak."""


@dataclass(frozen=True, slots=True)
class LlmSelection:
    """A verb's choice of language model, with what it brought along."""

    choice: LlmChoice
    auth: Mapping[str, Any] | None = field(default=None, repr=False)
    """Credential inside the verb; replaces the stored one, and is sent only where the verb says."""
    connect_options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    fallback: Sequence[LlmChoice] = ()


@dataclass(frozen=True, slots=True)
class VendorSwitch:
    """A speech vendor was left for its fallback, once per stream or voice."""

    kind: Literal["stt", "tts"]
    asked: str
    used: str
    error: VendorError
    """Why."""


class Vendors(Protocol):
    """All vendor accounts of the process."""

    def speech_to_text(
        self, account_sid: str, recognizer: Recognizer, on_switch: Callable[[VendorSwitch], None] | None = None
    ) -> SpeechToText:
        """Return the recogniser's account, with its fallback behind it.

        Raises:
            CredentialError: no such vendor, or no credential for it.
        """
        ...

    def text_to_speech(
        self, account_sid: str, synthesizer: Synthesizer, on_switch: Callable[[VendorSwitch], None] | None = None
    ) -> TextToSpeech:
        """Return the synthesiser's account, with its fallback behind it.

        Raises:
            CredentialError: no such vendor, or no credential for it.
        """
        ...

    def language_model(self, account_sid: str, selection: LlmSelection) -> LanguageModel:
        """Return the model's account, with its fallbacks behind it.

        Raises:
            CredentialError: no such vendor, or no credential for it.
        """
        ...

    def prompt(self, name: PromptName, language: str | None) -> tuple[str, bytes]:
        """Return a recorded sentence: its text and its audio (mu-law 8 kHz)."""
        ...
