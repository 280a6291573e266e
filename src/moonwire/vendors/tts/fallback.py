"""Puts another synthesiser behind the first one: a reply that is not audible yet is spoken by the other.

The switch holds for the rest of the call. A reply that breaks off in the middle fails: nobody knows which word was the
last; the next one is spoken by the other vendor at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from moonwire.errors import VendorError, VendorTimeoutError
from moonwire.ports.tts import SpokenWord, TextToSpeech, TtsListener, Utterance, Voice
from moonwire.spec.components import Synthesizer

AUDIBLE_WITHIN_S = 2.0
"""From the first text to the first audio, while somebody else could speak."""

OnSwitch = Callable[[VendorError], None]
"""Hears why the first vendor was left, once per voice."""


class FallbackTextToSpeech:
    """Two synthesisers as one (ports/tts.py, TextToSpeech).

    Args:
        first: the synthesiser that was asked for, or why there is none.
        other: the one behind it; it connects only when it is needed.
        other_synthesizer: what it is asked for.
        on_switch: told when the other one takes over.
    """

    def __init__(
        self,
        first: TextToSpeech | VendorError,
        other: TextToSpeech,
        other_synthesizer: Synthesizer,
        on_switch: OnSwitch,
    ) -> None:
        self._first = first
        self._other = other
        self._other_synthesizer = other_synthesizer
        self._on_switch = on_switch

    def open(self, synthesizer: Synthesizer) -> Voice:
        """Start to connect in the background and return at once; failures reach the utterances."""
        first = self._first if isinstance(self._first, VendorError) else self._first.open(synthesizer)
        return FallbackVoice(first, lambda: self._other.open(self._other_synthesizer), self._on_switch)


class FallbackVoice:
    """One call's synthesis."""

    def __init__(self, first: Voice | VendorError, open_other: Callable[[], Voice], on_switch: OnSwitch) -> None:
        self._open_other = open_other
        self._on_switch = on_switch
        self._first: Voice | None = None
        self._other: Voice | None = None
        if isinstance(first, VendorError):
            self.switch(first)
        else:
            self._first = first

    def speak(self, listener: TtsListener) -> Utterance:
        """Begin an utterance; returns at once."""
        if self._first is None or self._other is not None:
            return self._other_voice().speak(listener)
        return _FallbackUtterance(self, self._first, listener)

    async def close(self) -> None:
        """End the synthesis; bounded."""
        voices = [voice.close() for voice in (self._first, self._other) if voice is not None]
        await asyncio.gather(*voices)

    def switch(self, error: VendorError) -> Voice:
        """Return the other voice, from now on the only one; what the first one is saying it may say to its end."""
        if self._other is None:
            self._on_switch(error)
        return self._other_voice()

    def _other_voice(self) -> Voice:
        self._other = self._other or self._open_other()
        return self._other


class _FallbackUtterance:
    """One reply (ports/tts.py, Utterance and TtsListener): keeps its text until it is audible."""

    def __init__(self, voice: FallbackVoice, first: Voice, listener: TtsListener) -> None:
        self._voice = voice
        self._listener = listener
        self._texts: list[str] | None = []
        """None once anything was audible."""
        self._words: list[SpokenWord] = []
        """Word positions that came before any audio."""
        self._finished = False
        self._over = False
        self._limit: asyncio.TimerHandle | None = None
        self._utterance: Utterance = first.speak(self)

    def send_text(self, text: str) -> None:
        """Add text to speak."""
        if self._texts is not None:
            self._texts.append(text)
            if self._limit is None and text.strip():
                self._limit = asyncio.get_running_loop().call_later(AUDIBLE_WITHIN_S, self._is_late)
        self._utterance.send_text(text)

    def finish(self) -> None:
        """Say that no more text follows."""
        self._finished = True
        self._utterance.finish()

    def cancel(self) -> None:
        """Stop at once; the listener hears nothing more."""
        self._end()
        self._utterance.cancel()

    def on_tts_audio(self, audio: bytes) -> None:
        """Pass on; from now on there is no way back."""
        self._texts = None
        self._stop_limit()
        self._listener.on_tts_audio(audio)
        if self._words:
            words, self._words = self._words, []
            self._listener.on_tts_words(words)

    def on_tts_words(self, words: Sequence[SpokenWord]) -> None:
        """Pass on, together with audio."""
        if self._texts is None:
            self._listener.on_tts_words(words)
        else:
            self._words += words

    def on_tts_done(self) -> None:
        """Pass on; text without any audio is a failure."""
        if self._texts and any(char.isalnum() for char in "".join(self._texts)):
            self.on_tts_failed(VendorTimeoutError("the synthesiser returned no audio", vendor="tts"))
            return
        self._end()
        self._listener.on_tts_done()

    def on_tts_failed(self, error: VendorError) -> None:
        """Let the other voice say it, if nothing of it was heard."""
        if self._over:
            return
        texts = self._texts
        self._end()
        other = self._voice.switch(error)
        if texts is None:
            self._listener.on_tts_failed(error)
            return
        self._utterance = other.speak(self._listener)
        for text in texts:
            self._utterance.send_text(text)
        if self._finished:
            self._utterance.finish()

    def _is_late(self) -> None:
        self._limit = None
        slow = VendorTimeoutError(f"the synthesiser was not audible within {AUDIBLE_WITHIN_S:g} s", vendor="tts")
        self._utterance.cancel()
        self.on_tts_failed(slow)

    def _end(self) -> None:
        self._over = True
        self._texts = None
        self._stop_limit()

    def _stop_limit(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None
