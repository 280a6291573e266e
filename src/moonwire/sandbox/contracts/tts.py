"""What every text-to-speech adapter must do, as checks against its stand-in; shipped for adapters of third parties.

Each check takes a `SpeakingVendor` and raises AssertionError with the broken promise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from moonwire.errors import CredentialError, VendorError
from moonwire.ports.tts import SpokenWord, TextToSpeech
from moonwire.spec.components import Synthesizer

DEAD_VENDOR_LIMIT_S = 4.0
"""By then the call must know that nobody will speak."""
_PATIENCE_S = 10.0


class RecordingListener:
    """Implements ports.tts.TtsListener: keeps everything, notices calls that break the protocol."""

    def __init__(self) -> None:
        self.audio = b""
        self.chunks = 0
        self.words: list[SpokenWord] = []
        self.failure: VendorError | None = None
        self.done = 0
        self.calls_after_end = 0
        self._first_audio = asyncio.Event()
        self._over = asyncio.Event()

    def on_tts_audio(self, audio: bytes) -> None:
        """Take audio."""
        self._count_late()
        self.audio += audio
        self.chunks += 1
        self._first_audio.set()

    def on_tts_words(self, words: Sequence[SpokenWord]) -> None:
        """Take word positions."""
        self._count_late()
        self.words += words

    def on_tts_done(self) -> None:
        """Hear the end."""
        self._count_late()
        self.done += 1
        self._over.set()

    def on_tts_failed(self, error: VendorError) -> None:
        """Hear the failure."""
        self._count_late()
        self.failure = error
        self._over.set()

    @property
    def said(self) -> list[str]:
        """The words so far."""
        return [word.text for word in self.words]

    async def first_audio(self, limit_s: float = _PATIENCE_S) -> None:
        """Wait for audio.

        Raises:
            TimeoutError: none within the limit.
        """
        async with asyncio.timeout(limit_s):
            await self._first_audio.wait()

    async def over(self, limit_s: float = _PATIENCE_S) -> None:
        """Wait for done or failed.

        Raises:
            TimeoutError: neither within the limit.
        """
        async with asyncio.timeout(limit_s):
            await self._over.wait()

    def _count_late(self) -> None:
        self.calls_after_end += self._over.is_set()


@dataclass(frozen=True, slots=True)
class SpeakingVendor:
    """An adapter before its stand-in in four states."""

    synthesizer: Synthesizer
    healthy: TextToSpeech
    wrong_key: TextToSpeech
    unreachable: TextToSpeech
    silent: TextToSpeech
    """It connects, takes text and never answers."""


async def check_text_becomes_audio(vendor: SpeakingVendor) -> None:
    """Pieces of text become one utterance with audio, words in order inside it, and one end."""
    ear = await _speak(vendor.healthy, vendor.synthesizer, "Good morning, ", "how are you?")
    _expect(ear.failure is None, f"speaking failed: {ear.failure}")
    _expect(ear.done == 1, "on_tts_done must come exactly once")
    _expect(len(ear.audio) > 1600, "a sentence must give more than 0.2 s of audio")
    starts = [word.start_s for word in ear.words]
    _expect(starts == sorted(starts), "word times must not go back")
    _expect(all(word.end_s <= len(ear.audio) / 8000 + 0.5 for word in ear.words), "words must lie inside the audio")


async def check_utterances_do_not_mix(vendor: SpeakingVendor) -> None:
    """A second utterance on the same voice is as good as the first."""
    voice = vendor.healthy.open(vendor.synthesizer)
    lengths: list[int] = []
    for _ in range(2):
        ear = RecordingListener()
        utterance = voice.speak(ear)
        utterance.send_text("One, two, three.")
        utterance.finish()
        await ear.over()
        _expect(ear.failure is None, f"speaking failed: {ear.failure}")
        lengths.append(len(ear.audio))
    await voice.close()
    _expect(abs(lengths[0] - lengths[1]) <= max(lengths) // 5, "the same text must sound about the same")


async def check_cancel_is_silent(vendor: SpeakingVendor) -> None:
    """After cancel the listener hears nothing, and the next utterance only its own audio."""
    voice = vendor.healthy.open(vendor.synthesizer)
    first, second = RecordingListener(), RecordingListener()
    utterance = voice.speak(first)
    utterance.send_text("This is a rather long sentence that will be interrupted by the caller soon.")
    await first.first_audio()
    utterance.cancel()
    heard = first.chunks
    following = voice.speak(second)
    following.send_text("Yes?")
    following.finish()
    await second.over()
    await voice.close()
    _expect(first.chunks == heard and first.done == 0 and first.failure is None, "a cancelled utterance must be silent")
    _expect(second.done == 1 and len(second.audio) < 16000, "the next utterance must hold its own audio only")


async def check_nothing_to_say_ends(vendor: SpeakingVendor) -> None:
    """An utterance without words ends by itself, without audio."""
    ear = await _speak(vendor.healthy, vendor.synthesizer, "", "  ")
    _expect(ear.done == 1 and not ear.audio, "an empty utterance must just be done")


async def check_wrong_key_is_named(vendor: SpeakingVendor) -> None:
    """A refused key reaches the listener as CredentialError with a remedy."""
    ear = await _speak(vendor.wrong_key, vendor.synthesizer, "Hello.", limit_s=DEAD_VENDOR_LIMIT_S)
    _expect(isinstance(ear.failure, CredentialError), f"a wrong key must be a CredentialError, not {ear.failure!r}")
    _expect(bool(ear.failure and ear.failure.remedy), "the operator must be told a remedy")


async def check_unreachable_is_told(vendor: SpeakingVendor) -> None:
    """A vendor that cannot be reached is reported in time."""
    ear = await _speak(vendor.unreachable, vendor.synthesizer, "Hello.", limit_s=DEAD_VENDOR_LIMIT_S)
    _expect(ear.failure is not None, "an unreachable vendor must be reported")


async def check_silence_is_told(vendor: SpeakingVendor) -> None:
    """A vendor that takes text and says nothing is reported in time."""
    ear = await _speak(vendor.silent, vendor.synthesizer, "Hello.", limit_s=DEAD_VENDOR_LIMIT_S)
    _expect(ear.failure is not None, "a silent vendor must be reported")


async def check_nothing_is_left(vendor: SpeakingVendor) -> None:
    """Closing a voice ends its tasks, also in the middle of an utterance."""
    before = asyncio.all_tasks()
    voice = vendor.healthy.open(vendor.synthesizer)
    ear = RecordingListener()
    voice.speak(ear).send_text("This is a rather long sentence that nobody will hear the end of.")
    await ear.first_audio()
    await voice.close()
    left = {task.get_name() for task in asyncio.all_tasks() - before if not task.done()}
    _expect(not any("voice" in name or "writer" in name for name in left), f"tasks are left after close: {left}")


CHECKS: Sequence[Callable[[SpeakingVendor], Awaitable[None]]] = (
    check_text_becomes_audio,
    check_utterances_do_not_mix,
    check_cancel_is_silent,
    check_nothing_to_say_ends,
    check_wrong_key_is_named,
    check_unreachable_is_told,
    check_silence_is_told,
    check_nothing_is_left,
)


async def _speak(
    vendor: TextToSpeech, synthesizer: Synthesizer, *pieces: str, limit_s: float = _PATIENCE_S
) -> RecordingListener:
    voice = vendor.open(synthesizer)
    ear = RecordingListener()
    utterance = voice.speak(ear)
    for piece in pieces:
        utterance.send_text(piece)
    utterance.finish()
    try:
        await ear.over(limit_s)
    except TimeoutError:
        raise AssertionError(f"neither audio's end nor a failure within {limit_s:g} s") from None
    finally:
        await voice.close()
    _expect(ear.calls_after_end == 0, "nothing may follow the end of an utterance")
    return ear


def _expect(kept: bool, promise: str) -> None:
    if not kept:
        raise AssertionError(promise)
