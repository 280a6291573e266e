"""Runs `say`: speaks a text with the session's or its own synthesiser."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

from moonwire.call.context import Call
from moonwire.call.egress import Segment
from moonwire.call.verbs.config import merged_synthesizer
from moonwire.errors import CredentialError, VendorError
from moonwire.ports.tts import SpokenWord
from moonwire.spec.components import Synthesizer
from moonwire.spec.verbs import Say


class SpokenSegment:
    """Implements ports.tts.TtsListener: one text on its way to the caller."""

    def __init__(self, call: Call) -> None:
        self.finished = asyncio.Event()
        self.error: VendorError | None = None
        self._call = call
        self.segment = Segment(lambda: None, self.finished.set)
        call.egress.play(self.segment)

    def on_tts_audio(self, audio: bytes) -> None:
        """Queue audio."""
        self._call.egress.append(self.segment, audio)

    def on_tts_words(self, words: Sequence[SpokenWord]) -> None:
        """Word positions are not needed here."""

    def on_tts_done(self) -> None:
        """Close the segment."""
        self._call.egress.complete(self.segment)

    def on_tts_failed(self, error: VendorError) -> None:
        """Stop waiting."""
        self.error = error
        self.finished.set()


async def run_say(call: Call, verb: Say) -> None:
    """Speak one of the texts, `loop` times.

    Raises:
        VendorError: synthesis failed, also with the fallback vendor; the call goes on with the next verb.
    """
    await call.ensure_answered()
    if not verb.texts:
        return
    text = random.choice(verb.texts)
    synthesizer = chosen_synthesizer(call, verb.synthesizer)
    rounds = 0
    while verb.loop == 0 or rounds < verb.loop:
        await _speak(call, text, synthesizer)
        rounds += 1


def chosen_synthesizer(call: Call, own: Synthesizer | None) -> Synthesizer:
    """Return the verb's synthesiser, filled up from or replaced by the session's.

    Raises:
        CredentialError: neither the verb nor the application names one.
    """
    if own is not None:
        return merged_synthesizer(own, call.defaults.synthesizer)
    if call.defaults.synthesizer is None:
        raise CredentialError(
            "no text-to-speech vendor chosen",
            vendor="tts",
            remedy="Name one in the verb, or set the application's default synthesizer.",
        )
    return call.defaults.synthesizer


async def _speak(call: Call, text: str, synthesizer: Synthesizer) -> None:
    voice = call.voice(synthesizer)
    spoken = SpokenSegment(call)
    utterance = voice.speak(spoken)
    try:
        utterance.send_text(text)
        utterance.finish()
        await call.play_to_end(spoken.segment, spoken.finished)
    finally:
        if not spoken.finished.is_set():
            utterance.cancel()
    if spoken.error is not None:
        raise spoken.error
