"""What every speech-to-text adapter must do, as checks against its stand-in; shipped for adapters of third parties.

Each check takes a `ListeningVendor` and raises AssertionError with the broken promise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from moonwire.core.audio.frames import FRAME_BYTES, FRAME_S, SILENCE_FRAME
from moonwire.errors import CredentialError, VendorError
from moonwire.ports.stt import SpeechToText, SttStream
from moonwire.spec.components import Recognizer

DEAD_VENDOR_LIMIT_S = 4.0
"""By then the call must know that nobody listens."""
_PATIENCE_S = 10.0
_CLOSE_LIMIT_S = 2.0


class RecordingListener:
    """Implements ports.stt.SttListener: keeps everything."""

    def __init__(self) -> None:
        self.interims: list[str] = []
        self.finals: list[str] = []
        self.turns: list[str] = []
        """The final pieces of each utterance, joined."""
        self.early: list[str] = []
        """Words of the early ends of turns."""
        self.resumed = 0
        self.failures: list[VendorError] = []
        self.events = 0
        self._pieces: list[str] = []
        self._changed = asyncio.Event()

    def on_stt_speech_started(self) -> None:
        """Hear an onset."""
        self._note()

    def on_stt_interim(self, text: str) -> None:
        """Take words that may change."""
        self.interims.append(text)
        self._note()

    def on_stt_final(self, text: str, confidence: float) -> None:
        """Take a settled piece."""
        _expect(bool(text.strip()), "a final piece must not be empty")
        _expect(0.0 <= confidence <= 1.0, "confidence lies in 0..1")
        self.finals.append(text)
        self._pieces.append(text)
        self._note()

    def on_stt_end_of_turn(self) -> None:
        """Hear the end of an utterance."""
        _expect(bool(self._pieces), "an utterance that ends must have text")
        self.turns.append(" ".join(self._pieces))
        self._pieces.clear()
        self._note()

    def on_stt_early_end_of_turn(self, text: str) -> None:
        """Hear an early end."""
        _expect(bool(text.strip()), "a turn that ends early must have text")
        self.early.append(text)
        self._note()

    def on_stt_turn_resumed(self) -> None:
        """Hear that it was none."""
        self.resumed += 1
        _expect(self.resumed <= len(self.early), "only a turn that ended early can be resumed")
        self._note()

    def on_stt_language(self, language: str) -> None:
        """Hear a language."""
        _expect(bool(language), "a language must have a name")
        self._note()

    def on_stt_failed(self, error: VendorError) -> None:
        """Hear the failure."""
        self.failures.append(error)
        self._note()

    async def until(self, predicate: Callable[[], object], limit_s: float = _PATIENCE_S) -> None:
        """Wait until something holds.

        Raises:
            TimeoutError: it did not within the limit.
        """
        async with asyncio.timeout(limit_s):
            while not predicate():
                self._changed.clear()
                await self._changed.wait()

    def _note(self) -> None:
        self.events += 1
        self._changed.set()


@dataclass(frozen=True, slots=True)
class ListeningVendor:
    """An adapter before its stand-in in three states, and something to say to it."""

    recognizer: Recognizer
    healthy: SpeechToText
    wrong_key: SpeechToText
    unreachable: SpeechToText
    speech: bytes
    """Mu-law 8 kHz: one utterance without longer pauses."""
    words: str
    """What the stand-in hears in it, each time."""
    drop: Callable[[], None]
    """Cuts the stand-in's connections without a word; new ones are accepted."""


async def check_speech_becomes_words(vendor: ListeningVendor) -> None:
    """Speech and silence give interims, the words once, and one end of the utterance; twice the same."""
    ear = RecordingListener()
    stream = vendor.healthy.open(vendor.recognizer, ear)
    for turn in (1, 2):
        _speak(stream, vendor.speech, silence_s=1.5)
        await ear.until(lambda turn=turn: len(ear.turns) >= turn or ear.failures)
    await stream.close()
    _expect(not ear.failures, f"recognition failed: {ear.failures}")
    _expect(ear.turns == [vendor.words] * 2, f"heard {ear.turns} instead of twice {vendor.words!r}")
    _expect(bool(ear.interims), "words must be visible before they are settled")


async def check_audio_before_the_connection_counts(vendor: ListeningVendor) -> None:
    """What is said while the connection is being made is heard."""
    ear = RecordingListener()
    stream = vendor.healthy.open(vendor.recognizer, ear)
    _speak(stream, vendor.speech, silence_s=1.0)
    await ear.until(lambda: ear.turns or ear.failures)
    await stream.close()
    _expect(ear.turns == [vendor.words], f"heard {ear.turns}")


async def check_finalize_gives_the_pending_words(vendor: ListeningVendor) -> None:
    """After finalize the words come at once, and are not repeated later."""
    ear = RecordingListener()
    stream = vendor.healthy.open(vendor.recognizer, ear)
    _speak(stream, vendor.speech, silence_s=0.2)
    await ear.until(lambda: ear.interims or ear.failures)
    stream.finalize()
    await ear.until(lambda: ear.finals or ear.failures)
    _speak(stream, vendor.speech, silence_s=1.5)
    await ear.until(lambda: len(ear.turns) > 1 or ear.failures)
    await stream.close()
    _expect(" ".join(ear.finals) == f"{vendor.words} {vendor.words}", f"heard {ear.finals}")


async def check_a_cut_connection_is_replaced(vendor: ListeningVendor) -> None:
    """A connection that is lost is made again, and the recognition goes on."""
    ear = RecordingListener()
    stream = vendor.healthy.open(vendor.recognizer, ear)
    _speak(stream, vendor.speech, silence_s=1.5)
    await ear.until(lambda: ear.turns or ear.failures)
    vendor.drop()
    _speak(stream, vendor.speech, silence_s=1.5)
    await ear.until(lambda: len(ear.turns) > 1 or ear.failures)
    await stream.close()
    _expect(ear.turns == [vendor.words] * 2, f"heard {ear.turns}")


async def check_wrong_key_is_named(vendor: ListeningVendor) -> None:
    """A refused key reaches the listener as CredentialError with a remedy."""
    error = await _failure(vendor.wrong_key, vendor)
    _expect(isinstance(error, CredentialError), f"a wrong key must be a CredentialError, not {error!r}")
    _expect(bool(error.remedy), "the operator must be told a remedy")


async def check_unreachable_is_told(vendor: ListeningVendor) -> None:
    """A vendor that cannot be reached is reported in time, once."""
    error = await _failure(vendor.unreachable, vendor)
    _expect(error.retryable, "an unreachable vendor may come back")


async def check_close_is_quick_silent_and_complete(vendor: ListeningVendor) -> None:
    """Closing in mid-speech ends the stream's tasks in bounded time; nothing is heard afterwards."""
    before = asyncio.all_tasks()
    ear = RecordingListener()
    stream = vendor.healthy.open(vendor.recognizer, ear)
    own = asyncio.all_tasks() - before
    _speak(stream, vendor.speech)
    await ear.until(lambda: ear.events)
    heard = ear.events
    async with asyncio.timeout(_CLOSE_LIMIT_S):
        await stream.close()
        await stream.close()
    stream.send_audio(SILENCE_FRAME)
    stream.finalize()
    _expect(ear.events == heard, "a closed stream must be silent")
    _expect(all(task.done() for task in own), "tasks are left after close")


CHECKS: Sequence[Callable[[ListeningVendor], Awaitable[None]]] = (
    check_speech_becomes_words,
    check_audio_before_the_connection_counts,
    check_finalize_gives_the_pending_words,
    check_a_cut_connection_is_replaced,
    check_wrong_key_is_named,
    check_unreachable_is_told,
    check_close_is_quick_silent_and_complete,
)


def _speak(stream: SttStream, speech: bytes, *, silence_s: float = 0.0) -> None:
    for at in range(0, len(speech) - FRAME_BYTES + 1, FRAME_BYTES):
        stream.send_audio(speech[at : at + FRAME_BYTES])
    for _ in range(round(silence_s / FRAME_S)):
        stream.send_audio(SILENCE_FRAME)


async def _failure(account: SpeechToText, vendor: ListeningVendor) -> VendorError:
    ear = RecordingListener()
    stream = account.open(vendor.recognizer, ear)
    try:
        await ear.until(lambda: ear.failures, DEAD_VENDOR_LIMIT_S)
    except TimeoutError:
        raise AssertionError(f"no failure was reported within {DEAD_VENDOR_LIMIT_S:g} s") from None
    finally:
        await stream.close()
    _expect(len(ear.failures) == 1, "a failure is reported once")
    return ear.failures[0]


def _expect(kept: bool, promise: str) -> None:
    if not kept:
        raise AssertionError(promise)
