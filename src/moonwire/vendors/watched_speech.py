"""Lets somebody hear how a speech vendor's account does in calls: the first words or sound, and what failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from moonwire.errors import VendorError
from moonwire.ports.stt import SpeechToText, SttListener, SttStream
from moonwire.ports.tts import SpokenWord, TextToSpeech, TtsListener, Utterance, Voice
from moonwire.spec.components import Recognizer, Synthesizer

Note = Callable[[VendorError | None], None]
"""Told None for a success, else why not."""


@dataclass(frozen=True, slots=True)
class WatchedSpeechToText:
    """Implements ports.stt.SpeechToText around an account."""

    account: SpeechToText
    note: Note

    def open(self, recognizer: Recognizer, listener: SttListener) -> SttStream:
        """Start to connect; as the account does."""
        return self.account.open(recognizer, _Ear(listener, self.note))


@dataclass(slots=True)
class _Ear:
    """Passes everything on; implements SttListener."""

    listener: SttListener
    note: Note
    heard: bool = False

    def on_stt_speech_started(self) -> None:
        self.listener.on_stt_speech_started()

    def on_stt_interim(self, text: str) -> None:
        self.listener.on_stt_interim(text)

    def on_stt_final(self, text: str, confidence: float) -> None:
        if not self.heard:
            self.heard = True
            self.note(None)
        self.listener.on_stt_final(text, confidence)

    def on_stt_end_of_turn(self) -> None:
        self.listener.on_stt_end_of_turn()

    def on_stt_early_end_of_turn(self, text: str) -> None:
        self.listener.on_stt_early_end_of_turn(text)

    def on_stt_turn_resumed(self) -> None:
        self.listener.on_stt_turn_resumed()

    def on_stt_language(self, language: str) -> None:
        self.listener.on_stt_language(language)

    def on_stt_failed(self, error: VendorError) -> None:
        self.note(error)
        self.listener.on_stt_failed(error)


@dataclass(frozen=True, slots=True)
class WatchedTextToSpeech:
    """Implements ports.tts.TextToSpeech around an account."""

    account: TextToSpeech
    note: Note

    def open(self, synthesizer: Synthesizer) -> Voice:
        """Start to connect; as the account does."""
        return _WatchedVoice(self.account.open(synthesizer), self.note)


@dataclass(frozen=True, slots=True)
class _WatchedVoice:
    """Implements Voice."""

    voice: Voice
    note: Note

    def speak(self, listener: TtsListener) -> Utterance:
        return self.voice.speak(_Mouth(listener, self.note))

    async def close(self) -> None:
        await self.voice.close()


@dataclass(slots=True)
class _Mouth:
    """Passes everything on; implements TtsListener."""

    listener: TtsListener
    note: Note
    spoke: bool = False

    def on_tts_audio(self, audio: bytes) -> None:
        if not self.spoke:
            self.spoke = True
            self.note(None)
        self.listener.on_tts_audio(audio)

    def on_tts_words(self, words: Sequence[SpokenWord]) -> None:
        self.listener.on_tts_words(words)

    def on_tts_done(self) -> None:
        self.listener.on_tts_done()

    def on_tts_failed(self, error: VendorError) -> None:
        self.note(error)
        self.listener.on_tts_failed(error)
