"""One reply on its way to the caller's ear: text from a model or fixed, cut into clauses, synthesised, queued.

The reply's task only reads the model; audio arrives by listener calls. Cancelling is immediate: the task, the
model's stream and the synthesis die together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Literal, Protocol

import structlog

from moonwire.call.egress import Egress, Segment
from moonwire.call.timeline import Timeline
from moonwire.core.dialog.clauses import ClauseCutter
from moonwire.core.dialog.heard import heard_text
from moonwire.core.dialog.messages import ToolCall
from moonwire.core.dialog.spoken import SpokenText
from moonwire.core.turns.commands import ReplyCause
from moonwire.core.turns.events import PlaybackFinished, PlaybackStarted, TurnEvent
from moonwire.errors import ContentFilteredError, MoonwireError, VendorError, VendorUnavailableError
from moonwire.ports.llm import AnswerEnd, ChatRequest, LanguageModel, ModelSwitched
from moonwire.ports.tts import SpokenWord, Utterance, Voice

log = structlog.get_logger()

FIXED_TEXT_PATIENCE_S = 1.0
"""A fixed sentence that is not audible by then is replaced by its recording."""


class ReplyObserver(Protocol):
    """Whoever ordered the reply."""

    def on_reply_text(self, reply: Reply, text: str) -> None:
        """Take the full text, once the model has finished."""
        ...

    def on_reply_switched(self, reply: Reply, switched: ModelSwitched) -> None:
        """Hear that another model answers than asked for."""
        ...

    def on_reply_cut(self, reply: Reply, error: VendorError) -> None:
        """Hear that the vendor ended the answer early; what has been said stays said."""
        ...

    def on_reply_failed(self, reply: Reply, error: MoonwireError) -> None:
        """Hear, at most once, that the reply cannot be completed."""
        ...


class Reply:
    """Implements ports.tts.TtsListener for its utterance."""

    def __init__(
        self,
        number: int,
        cause: ReplyCause,
        *,
        voice: Voice,
        egress: Egress,
        timeline: Timeline,
        emit: Callable[[TurnEvent], None],
        observer: ReplyObserver,
    ) -> None:
        self.number = number
        self.cause = cause
        self.text = ""
        """Spoken text so far: cleaned, as sent to synthesis."""
        self.end: AnswerEnd | None = None
        self.model = ""
        self.started_at = timeline.now()
        self.first_token_at: float | None = None
        self.first_text_at: float | None = None
        self.first_audio_at: float | None = None
        self.playback_at: float | None = None
        self.segment = Segment(self._on_playback_started, self._on_playback_finished)
        self._voice = voice
        self._egress = egress
        self._timeline = timeline
        self._emit = emit
        self._observer = observer
        self._utterance: Utterance | None = None
        self._words: list[tuple[str, float, float]] = []
        self._recording: bytes | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._over = False
        self.failed = False
        """The observer has been told."""

    @property
    def age_s(self) -> float:
        """Seconds since the reply was ordered."""
        return self._timeline.now() - self.started_at

    @property
    def waits_for(self) -> Literal["llm", "tts"]:
        """Whom the reply waits for: the voice once there is text, the model before."""
        return "tts" if self.text and self.first_audio_at is None else "llm"

    async def speak_answer(self, model: LanguageModel, request: ChatRequest) -> None:
        """Read a model's answer and speak it as it comes."""
        spoken, cutter = SpokenText(), ClauseCutter()
        try:
            async with aclosing(model.stream(request)) as answer:
                async for item in answer:
                    if isinstance(item, str):
                        if self.first_token_at is None:
                            self.first_token_at = self._timeline.now()
                        for clause in cutter.push(spoken.push(item)):
                            self._say(clause)
                    else:
                        self._note(item)
            for clause in (*cutter.push(spoken.flush()), *cutter.flush()):
                self._say(clause)
            if spoken.tool_markup:
                raise VendorUnavailableError("the model wrote tool markup into its text", vendor="llm")
        except VendorError as error:
            self._fail(error)
        except Exception as bug:  # vendor boundary: a bug must not become silence
            log.exception("reply failed", reply=self.number)
            self._fail(VendorUnavailableError(f"internal error: {type(bug).__name__}", vendor="moonwire"))
        else:
            self._finish_text(meant_silence=spoken.silence)

    def speak_text(self, text: str, recording: bytes | None = None) -> None:
        """Speak fixed text; with a recording at hand, silence is impossible."""
        self._recording = recording
        self._egress.play(self.segment)
        if recording is not None:
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(FIXED_TEXT_PATIENCE_S, self._play_recording)
        self._say(text)
        self._finish_text()

    def speak_recording(self, text: str, recording: bytes) -> None:
        """Play a recorded sentence as the reply."""
        self.text = text
        self._recording = recording
        self._egress.play(self.segment)
        self._play_recording()
        self._observer.on_reply_text(self, text)

    def cancel(self) -> None:
        """Stop synthesis; nothing of this reply is reported any more."""
        self._over = True
        self._stop_utterance()
        if self._patience is not None:
            self._patience.cancel()

    def heard_text(self) -> str:
        """Return the part of the text that the caller has heard."""
        heard_s = self._egress.heard_s(self.segment)
        audio_s, complete = self.segment.audio_s, self.segment.complete
        return heard_text(self.text, self._words, heard_s, audio_s, complete=complete).strip()

    def on_tts_audio(self, audio: bytes) -> None:
        """Queue audio."""
        if self.first_audio_at is None:
            self.first_audio_at = self._timeline.now()
            if self._patience is not None:
                self._patience.cancel()
        self._egress.append(self.segment, audio)

    def on_tts_words(self, words: Sequence[SpokenWord]) -> None:
        """Keep word positions for what was heard."""
        self._words += [(word.text, word.start_s, word.end_s) for word in words]

    def on_tts_done(self) -> None:
        """Close the segment; a vendor that gave no audio at all has failed."""
        self._utterance = None
        if self.segment.audio:
            self._egress.complete(self.segment)
        elif self.text.strip():
            self.on_tts_failed(VendorUnavailableError("the synthesiser returned no audio", vendor="tts"))

    def on_tts_failed(self, error: VendorError) -> None:
        """Fall back to the recording, if this reply has one; otherwise the reply has failed."""
        self._utterance = None
        if self._recording is not None and not self.segment.audio:
            self._play_recording()
        else:
            self._fail(error)

    def _say(self, clause: str) -> None:
        if self._utterance is None:
            if not clause.strip():
                return
            self.first_text_at = self._timeline.now()
            if not self.text:
                self._egress.play(self.segment)
            self._utterance = self._voice.speak(self)
        self.text += clause
        self._utterance.send_text(clause)

    def _note(self, item: ToolCall | ModelSwitched | AnswerEnd) -> None:
        if isinstance(item, AnswerEnd):
            self.end = item
            self.model = item.model
        elif isinstance(item, ModelSwitched):
            self._observer.on_reply_switched(self, item)

    def _finish_text(self, *, meant_silence: bool = False) -> None:
        if self._utterance is not None:
            self._utterance.finish()
            self._observer.on_reply_text(self, self.text.strip())
            if self.end is not None and self.end.finish_reason == "filtered":
                self._observer.on_reply_cut(self, ContentFilteredError("moderation cut the answer", vendor="llm"))
        elif meant_silence:
            self._on_playback_finished()
        elif not self.text:
            self._fail(VendorUnavailableError("the model answered with nothing to say", vendor="llm"))

    def _play_recording(self) -> None:
        self._stop_utterance()
        if self._patience is not None:
            self._patience.cancel()
        if self._recording is not None and not self.segment.audio:
            self.first_audio_at = self._timeline.now()
            self._egress.append(self.segment, self._recording)
            self._egress.complete(self.segment)

    def _stop_utterance(self) -> None:
        utterance, self._utterance = self._utterance, None
        if utterance is not None:
            utterance.cancel()

    def _fail(self, error: MoonwireError) -> None:
        if not self._over:
            self._over = self.failed = True
            self._stop_utterance()
            self._observer.on_reply_failed(self, error)

    def _on_playback_started(self) -> None:
        self.playback_at = self._timeline.now()
        self._emit(PlaybackStarted(self.playback_at, self.number))

    def _on_playback_finished(self) -> None:
        self._emit(PlaybackFinished(self._timeline.now(), self.number))
