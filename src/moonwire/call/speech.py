"""Strings a reply's utterances and recordings together into one stretch of audio.

A reply that uses tools is spoken in parts: what the model says first, perhaps a filler, what it says with the results.
Only one part is synthesised at a time; the text of later parts waits for the audio before it, so parts never mix.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from moonwire.call.egress import Egress, Segment
from moonwire.call.speech_track import Part, SpeechTrack
from moonwire.errors import VendorError, VendorUnavailableError
from moonwire.ports.tts import SpokenWord, Voice

PATIENCE_S = 1.0
"""A fixed sentence that is not audible by then is replaced by its recording."""


class SpeechListener(Protocol):
    """Whoever speaks."""

    def on_speech_audio(self) -> None:
        """Hear, each time, that audio of the spoken text has arrived."""
        ...

    def on_speech_failed(self, error: VendorError) -> None:
        """Hear that the speech cannot be completed."""
        ...


class Speech:
    """One reply's voice; implements ports.tts.TtsListener for the part that is being synthesised."""

    def __init__(
        self,
        voice: Voice,
        egress: Egress,
        listener: SpeechListener,
        *,
        on_started: Callable[[], None],
        on_finished: Callable[[], None],
    ) -> None:
        self.segment = Segment(on_started, on_finished)
        self.track = SpeechTrack(egress, self.segment)
        self._voice = voice
        self._egress = egress
        self._listener = listener
        self._finished = False
        self._recording: bytes | None = None
        self._patience: asyncio.TimerHandle | None = None

    def say(self, clause: str) -> None:
        """Add text to the newest part; a first part begins by itself."""
        part = self.track.parts[-1] if self.track.parts else None
        if part is None or part.closed:
            if not clause.strip():
                return
            part = self._begin(Part())
        part.text += clause
        if part is self.track.active:
            self._send(part, clause)
        else:
            part.waiting.append(clause)

    def say_filler(self, text: str) -> None:
        """Speak a phrase that is no part of the conversation."""
        part = self._begin(Part(text, filler=True, waiting=[text], closed=True))
        if part is self.track.active:
            self._catch_up()

    def play_filler(self, audio: bytes) -> None:
        """Play a sound that is no part of the conversation; only once all parts before have been voiced."""
        part = self._begin(Part(filler=True, closed=True))
        part.start, part.size, part.voiced = len(self.segment.audio), len(audio), True
        self.track.current = len(self.track.parts)
        self._egress.append(self.segment, audio)

    def cut_filler(self) -> None:
        """Drop what has not been heard of a sound at the end; a phrase is left to finish."""
        last = self.track.parts[-1] if self.track.parts else None
        if last is None or not last.filler or last.text:
            return
        self._egress.drop_tail(self.segment)
        for part in self.track.parts:
            if part.filler:
                part.size = max(0, min(part.size, len(self.segment.audio) - part.start))

    def end_part(self) -> int:
        """Say that the newest part has all its text; returns the number of parts so far."""
        if self.track.parts and not self.track.parts[-1].closed:
            part = self.track.parts[-1]
            part.closed = True
            if part.utterance is not None:
                part.utterance.finish()
        return len(self.track.parts)

    def finish(self) -> None:
        """Say that nothing follows at all."""
        self._finished = True
        self.end_part()
        self._settle()

    def back_up(self, recording: bytes) -> None:
        """Have a recording at hand for text that follows: silence is impossible."""
        self._recording = recording
        self._patience = asyncio.get_running_loop().call_later(PATIENCE_S, self._play_recording)

    def cancel(self) -> None:
        """Stop synthesis; the listener hears nothing more."""
        self._stop()
        if self._patience is not None:
            self._patience.cancel()

    def on_tts_audio(self, audio: bytes) -> None:
        """Queue audio."""
        part = self.track.active
        if part is None:
            return
        if self._patience is not None:
            self._patience.cancel()
        part.size += len(audio)
        self._egress.append(self.segment, audio)
        if not part.filler:
            self._listener.on_speech_audio()

    def on_tts_words(self, words: Sequence[SpokenWord]) -> None:
        """Keep word positions for what was heard."""
        if part := self.track.active:
            part.words += [(word.text, word.start_s, word.end_s) for word in words]

    def on_tts_done(self) -> None:
        """Go on with the next part; a vendor that gave no audio at all has failed."""
        part = self.track.active
        if part is None:
            return
        part.utterance = None
        if not part.size and part.text.strip():
            self.on_tts_failed(VendorUnavailableError("the synthesiser returned no audio", vendor="tts"))
            return
        self._voiced(part)

    def on_tts_failed(self, error: VendorError) -> None:
        """Fall back to the recording, if there is one; a filler that fails is left out."""
        part = self.track.active
        if part is None:
            return
        part.utterance = None
        if self._recording is not None and not self.segment.audio:
            self._play_recording()
        elif part.filler:
            self._voiced(part)
        else:
            self._listener.on_speech_failed(error)

    def _begin(self, part: Part) -> Part:
        if not self.track.parts:
            self._egress.play(self.segment)
        self.end_part()
        self.track.parts.append(part)
        return part

    def _send(self, part: Part, clause: str) -> None:
        if part.utterance is None:
            part.start = len(self.segment.audio)
            part.utterance = self._voice.speak(self)
        part.utterance.send_text(clause)

    def _catch_up(self) -> None:
        part = self.track.active
        if part is None:
            return
        waiting, part.waiting = part.waiting, []
        for clause in waiting:
            self._send(part, clause)
        if part.closed and part.utterance is not None:
            part.utterance.finish()

    def _voiced(self, part: Part) -> None:
        part.voiced = True
        self._egress.pad(self.segment)
        self.track.current += 1
        self._egress.silence.set()
        self._catch_up()
        self._settle()

    def _settle(self) -> None:
        if self._finished and self.track.parts and self.track.current >= len(self.track.parts):
            self._egress.complete(self.segment)

    def _play_recording(self) -> None:
        self._stop()
        if self._patience is not None:
            self._patience.cancel()
        part = self.track.active
        if part is not None and self._recording is not None and not self.segment.audio:
            part.size = len(self._recording)
            self._listener.on_speech_audio()
            self._egress.append(self.segment, self._recording)
            self._finished = True
            self._voiced(part)

    def _stop(self) -> None:
        for part in self.track.parts:
            utterance, part.utterance = part.utterance, None
            if utterance is not None:
                utterance.cancel()
