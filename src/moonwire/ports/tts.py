"""What the agent asks of a text-to-speech vendor: one voice per call, one utterance per reply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from moonwire.errors import VendorError
from moonwire.spec.components import Synthesizer


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """One word's place in an utterance's audio, in seconds from the utterance's first sample."""

    text: str
    start_s: float
    end_s: float


class TtsListener(Protocol):
    """Takes one utterance's audio, on the event loop; silent after `cancel`."""

    def on_tts_audio(self, audio: bytes) -> None:
        """Take mu-law 8 kHz audio of any length."""
        ...

    def on_tts_words(self, words: Sequence[SpokenWord]) -> None:
        """Take word positions, where the vendor has them; before or after the audio they describe."""
        ...

    def on_tts_done(self) -> None:
        """Hear that all audio has been given; exactly once unless cancelled or failed."""
        ...

    def on_tts_failed(self, error: VendorError) -> None:
        """Hear that this utterance cannot be completed; nothing follows."""
        ...


class Utterance(Protocol):
    """One reply being synthesised."""

    def send_text(self, text: str) -> None:
        """Add text to speak, spaces and punctuation included."""
        ...

    def finish(self) -> None:
        """Say that no more text follows."""
        ...

    def cancel(self) -> None:
        """Stop at once; the listener hears nothing more."""
        ...


class Voice(Protocol):
    """One call's synthesis."""

    def speak(self, listener: TtsListener) -> Utterance:
        """Begin an utterance; returns at once, also while the connection is still being made."""
        ...

    async def close(self) -> None:
        """End the synthesis; bounded."""
        ...


class TextToSpeech(Protocol):
    """One vendor account."""

    def open(self, synthesizer: Synthesizer) -> Voice:
        """Start to connect in the background and return at once; failures reach the utterances."""
        ...
