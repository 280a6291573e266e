"""What the agent asks of a speech-to-text vendor: audio in by plain calls, events out by plain calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from moonwire.errors import VendorError
from moonwire.spec.components import Recognizer


class SttListener(Protocol):
    """Takes a recogniser's events, on the event loop."""

    def on_stt_speech_started(self) -> None:
        """Hear the vendor's own speech onset (not every vendor has one)."""
        ...

    def on_stt_interim(self, text: str) -> None:
        """Take the words of the current utterance so far, all pieces joined."""
        ...

    def on_stt_final(self, text: str, confidence: float) -> None:
        """Take a settled, non-empty piece; each piece is given once."""
        ...

    def on_stt_end_of_turn(self) -> None:
        """Hear the vendor's end of utterance, after its last piece and at most once per utterance."""
        ...

    def on_stt_early_end_of_turn(self, text: str) -> None:
        """Hear that the caller has probably finished with these words; an end of turn or `resumed` follows."""
        ...

    def on_stt_turn_resumed(self) -> None:
        """Hear that the caller goes on after all."""
        ...

    def on_stt_language(self, language: str) -> None:
        """Hear which language a turn is spoken in, before its last words; only from recognisers that detect it."""
        ...

    def on_stt_failed(self, error: VendorError) -> None:
        """Hear that the recogniser is lost for good: refused, or reconnecting did not help."""
        ...


class SttStream(Protocol):
    """One call's recognition."""

    def send_audio(self, frame: bytes) -> None:
        """Take 20 ms of mu-law; never blocks. While reconnecting at most the last 3 s are kept."""
        ...

    def finalize(self) -> None:
        """Ask for the pending words now."""
        ...

    async def close(self) -> None:
        """End the recognition; bounded."""
        ...


@runtime_checkable
class LanguageHinted(Protocol):
    """A stream that can be told in mid-call which languages to expect."""

    def expect_languages(self, languages: Sequence[str]) -> None:
        """Expect these from now on, most likely first."""
        ...


class SpeechToText(Protocol):
    """One vendor account."""

    def open(self, recognizer: Recognizer, listener: SttListener) -> SttStream:
        """Start to connect in the background and return at once; failures reach the listener."""
        ...
