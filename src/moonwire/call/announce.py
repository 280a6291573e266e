"""Speaks and plays to one leg of a call, the caller's or one that we called, and waits until it has been heard."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Sequence
from typing import Any

import structlog

from moonwire.call.context import Call
from moonwire.call.egress import Egress, Segment
from moonwire.call.speech_choices import chosen_synthesizer
from moonwire.errors import HookError, VendorError
from moonwire.ports.tts import SpokenWord
from moonwire.spec.components import Synthesizer
from moonwire.spec.verbs import Hangup, Pause, Play, Say, Verb

log = structlog.get_logger()


class SpokenSegment:
    """Implements ports.tts.TtsListener: one text on its way to a leg."""

    def __init__(self, egress: Egress) -> None:
        self.finished = asyncio.Event()
        self.error: VendorError | None = None
        self._egress = egress
        self.segment = Segment(lambda: None, self.finished.set)
        egress.play(self.segment)

    def on_tts_audio(self, audio: bytes) -> None:
        """Queue audio."""
        self._egress.append(self.segment, audio)

    def on_tts_words(self, words: Sequence[SpokenWord]) -> None:
        """Word positions are not needed here."""

    def on_tts_done(self) -> None:
        """Close the segment."""
        self._egress.complete(self.segment)

    def on_tts_failed(self, error: VendorError) -> None:
        """Stop waiting."""
        self.error = error
        self.finished.set()


async def speak(call: Call, egress: Egress, text: str, synthesizer: Synthesizer) -> None:
    """Say a text; when the wait is cancelled the audio stops at once.

    Raises:
        VendorError: synthesis failed, also with the fallback vendor.
    """
    voice = call.voice(synthesizer)
    spoken = SpokenSegment(egress)
    utterance = voice.speak(spoken)
    try:
        utterance.send_text(text)
        utterance.finish()
        await spoken.finished.wait()
    finally:
        egress.clear(spoken.segment)
        if not spoken.finished.is_set():
            utterance.cancel()
    if spoken.error is not None:
        raise spoken.error


async def play(egress: Egress, audio: bytes) -> None:
    """Play mu-law audio; when the wait is cancelled it stops at once."""
    finished = asyncio.Event()
    segment = Segment(lambda: None, finished.set)
    egress.play(segment)
    egress.append(segment, audio)
    egress.complete(segment)
    try:
        await finished.wait()
    finally:
        egress.clear(segment)


async def loop_audio(egress: Egress, audio: bytes) -> None:
    """Play mu-law audio again and again until cancelled."""
    while True:
        await play(egress, audio)
        await asyncio.sleep(0.02)  # empty audio must not starve the process


async def announce(call: Call, egress: Egress, verbs: Sequence[Verb], *, forever: bool = False) -> bool:
    """Run the verbs that a leg may hear beside the call's script: say, play, pause; False when one is `hangup`.

    What fails is left out. `forever`: again and again, until cancelled or a `hangup`.
    """
    while True:
        for verb in verbs:
            try:
                if not await _announce(call, egress, verb):
                    return False
            except (VendorError, HookError) as error:
                alert = "tts-failure" if isinstance(error, VendorError) else "webhook-failure"
                call.report(error, verb=verb.verb, verb_id=verb.id, alert=alert)
        if not forever:
            return True
        await asyncio.sleep(0.02)  # verbs without sound must not starve the process


async def _announce(call: Call, egress: Egress, verb: Verb) -> bool:
    match verb:
        case Say() if verb.texts:
            await speak(call, egress, random.choice(verb.texts), chosen_synthesizer(call, verb.synthesizer))
        case Play():
            for url in verb.urls:
                await play(egress, await call.services.load_audio(url))
        case Pause():
            await asyncio.sleep(verb.length)
        case _:
            log.info("verb not run beside a call", call_sid=call.sid, verb=verb.verb)
    return not isinstance(verb, Hangup)


async def while_up(over: asyncio.Future[Any], work: Coroutine[Any, Any, bool | None]) -> bool:
    """Do something with a leg; False when it ended before that was done, or the work said so."""
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task, over}, return_when=asyncio.FIRST_COMPLETED)
        return task.done() and task.result() is not False
    finally:
        task.cancel()
        await asyncio.wait({task})
