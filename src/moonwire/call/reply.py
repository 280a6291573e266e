"""One reply on its way to the caller's ear: text from a model or fixed, cut into clauses, synthesised, queued.

The reply's task only reads the model and waits for tools; audio arrives by listener calls. Cancelling is immediate: the
task, the model's stream and the synthesis die together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal, Protocol

import structlog

from moonwire.call.egress import Egress, Segment
from moonwire.call.speech import Speech
from moonwire.call.timeline import Timeline
from moonwire.core.dialog.clauses import ClauseCutter
from moonwire.core.dialog.messages import ToolCall
from moonwire.core.dialog.spoken import SpokenText
from moonwire.core.turns.commands import CancelReason, ReplyCause
from moonwire.core.turns.events import (
    PlaybackFinished,
    PlaybackStarted,
    ToolsFinished,
    ToolsStarted,
    TurnEvent,
)
from moonwire.errors import (
    OUR_FAULT,
    ContentFilteredError,
    ContextTooLongError,
    MoonwireError,
    VendorError,
    VendorUnavailableError,
)
from moonwire.ports.llm import AnswerEnd, ChatRequest, LanguageModel, ModelSwitched, RequestChanged, TokenUsage
from moonwire.ports.tts import Voice
from moonwire.spec.payloads import ToolReport

log = structlog.get_logger()


class ToolUser(Protocol):
    """Whoever knows the conversation and runs tools for a reply."""

    def request(self) -> ChatRequest:
        """Return the next request of the reply; called again after each round of tools."""
        ...

    def answered(self, end: AnswerEnd) -> None:
        """Hear what a complete answer cost."""
        ...

    def refused(self, error: ContextTooLongError) -> None:
        """Hear that the conversation is too long for the model; the next request must be shorter."""
        ...

    def filtered(self) -> None:
        """Hear that moderation refused the conversation as it is."""
        ...

    def fill_thinking(self, reply: Reply) -> asyncio.Task[None] | None:
        """Begin to fill the silence of a model that thinks first; cancelled when it says something."""
        ...

    async def use_tools(self, reply: Reply, calls: Sequence[ToolCall]) -> bool:
        """Run a round of tools; False when the reply ends with what has been said."""
        ...


@dataclass(frozen=True, slots=True)
class Farewell:
    """The call ends when the reply has been heard."""

    reason: str


@dataclass(frozen=True, slots=True)
class SpokenRound:
    """One round of tools: its first call's id, and the parts of the speech that came before it."""

    call_id: str
    first_part: int
    last_part: int


class ReplyObserver(Protocol):
    """Whoever ordered the reply."""

    def on_reply_text(self, reply: Reply, text: str) -> None:
        """Take the full text, once the model has finished."""
        ...

    def on_reply_switched(self, reply: Reply, switched: ModelSwitched) -> None:
        """Hear that another model answers than asked for."""
        ...

    def on_request_changed(self, reply: Reply, changed: RequestChanged) -> None:
        """Hear that the vendor refused the request as it was and took another."""
        ...

    def on_reply_cut(self, reply: Reply, error: VendorError) -> None:
        """Hear that the vendor ended the answer early; what has been said stays said."""
        ...

    def on_reply_failed(self, reply: Reply, error: MoonwireError) -> None:
        """Hear, at most once, that the reply cannot be completed."""
        ...


class Reply:
    """Implements call.speech.SpeechListener."""

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
        early: bool = False,
    ) -> None:
        self.number, self.cause = number, cause
        self.end: AnswerEnd | None = None
        """The end of the newest answer."""
        self.usage: TokenUsage | None = None
        """Of all requests."""
        self.model = ""
        self.tokens = 0
        """Pieces of text that the model has sent."""
        self.released = _gate(is_open=not early)
        """Not set while the reply is early: nothing of it is heard, reported or done before."""
        self.started_at = timeline.now()
        self.first_token_at: float | None = None
        self.first_text_at: float | None = None
        self.first_audio_at: float | None = None
        self.playback_at: float | None = None
        self.tools: list[ToolReport] = []
        self.tool_s = 0.0
        """Seconds spent waiting for tools."""
        self.rounds: list[SpokenRound] = []
        self.cancelled: CancelReason | None = None
        self.farewell: Farewell | None = None
        self.speech = Speech(
            voice, egress, self, on_started=self._on_playback_started, on_finished=self._on_playback_finished
        )
        self._timeline, self._egress = timeline, egress
        self._emit, self._observer = emit, observer
        self.segment.kept_back = early
        self._over = self._text_done = self.failed = False

    @property
    def segment(self) -> Segment:
        """Its audio."""
        return self.speech.segment

    @property
    def text(self) -> str:
        """Spoken text so far: cleaned, as sent to synthesis."""
        return self.speech.track.text()

    @property
    def age_s(self) -> float:
        """Seconds since the reply was ordered."""
        return self._timeline.now() - self.started_at

    @property
    def waits_for(self) -> Literal["llm", "tts"]:
        """Whom the reply waits for: the voice once there is text, the model before."""
        return "tts" if self.text and self.first_audio_at is None else "llm"

    async def speak_answer(self, model: LanguageModel, user: ToolUser) -> None:
        """Read a model's answer and speak it as it comes; use the tools it asks for and go on with the results."""
        try:
            silence, calls = await self._ask(model, user)
            while calls:
                if not await self._wait_for_tools(user, calls):
                    silence = True
                    break
                silence, calls = await self._ask(model, user)
        except VendorError as error:
            self._fail(error)
        except Exception:  # vendor boundary: a bug must not become silence
            log.exception("reply failed", reply=self.number)
            self._fail(VendorUnavailableError("the reply broke off", vendor="moonwire", remedy=OUR_FAULT))
        else:
            self._finish_text(meant_silence=silence)

    def speak_text(self, text: str, recording: bytes | None = None) -> None:
        """Speak fixed text; with a recording at hand, silence is impossible."""
        if recording is not None:
            self.speech.back_up(recording)
        self._say(text)
        self._finish_text()

    def release(self) -> None:
        """Let the reply be heard and do what it wants; what it has to report comes now."""
        if self.first_token_at is None:
            self.started_at = self._timeline.now()
        self.released.set()
        self.segment.kept_back = False
        self._egress.resume(self.segment)
        if self._text_done:
            self._report_text()

    def cancel(self, reason: CancelReason) -> None:
        """Stop synthesis; nothing of this reply is reported any more."""
        self._over = True
        self.cancelled = reason
        self._egress.silence.set()
        self.speech.cancel()

    def on_speech_audio(self) -> None:
        """Note the first audio."""
        if self.first_audio_at is None:
            self.first_audio_at = self._timeline.now()

    def on_speech_failed(self, error: VendorError) -> None:
        """The reply has failed."""
        self._fail(error)

    def waits_on(self) -> None:
        """Ask the turn machine for more patience with tools, or with a model that thinks."""
        self._emit(ToolsStarted(self._timeline.now(), self.number))

    async def words_heard(self) -> bool:
        """Wait until what was said so far has been heard; False when the reply was cut off before."""
        while self.cancelled is None and not self.speech.track.is_quiet:
            self._egress.silence.clear()
            await self._egress.silence.wait()
        return self.cancelled is None

    async def _ask(self, model: LanguageModel, user: ToolUser) -> tuple[bool, list[ToolCall]]:
        """Have one answer; a conversation that turns out too long for the model is shortened, once."""
        said = self.tokens
        try:
            return await self._read(model, user)
        except ContextTooLongError as error:
            if self.tokens > said:
                raise
            user.refused(error)
            return await self._read(model, user)
        except ContentFilteredError:
            if self.tokens == said:
                user.filtered()
            raise

    async def _read(self, model: LanguageModel, user: ToolUser) -> tuple[bool, list[ToolCall]]:
        """Speak one answer; returns whether the model chose to say nothing, and the tools it asks for."""
        spoken, cutter = SpokenText(), ClauseCutter()
        calls: list[ToolCall] = []
        request = user.request()
        filling = user.fill_thinking(self)
        try:
            async with aclosing(model.stream(request)) as answer:
                async for item in answer:
                    if isinstance(item, str):
                        if filling is not None:
                            filling = self._end_filling(filling)
                        if self.first_token_at is None:
                            self.first_token_at = self._timeline.now()
                        self.tokens += 1
                        for clause in cutter.push(spoken.push(item)):
                            self._say(clause)
                    elif isinstance(item, ToolCall):
                        calls.append(item)
                    elif isinstance(item, AnswerEnd):
                        self._note_end(item)
                        user.answered(item)
                    else:
                        self._note_notice(item)
        finally:
            if filling is not None:
                filling.cancel()
        for clause in (*cutter.push(spoken.flush()), *cutter.flush()):
            self._say(clause)
        if spoken.tool_markup:
            raise VendorUnavailableError("the model wrote tool markup into its text", vendor="llm")
        return spoken.silence, calls

    def _end_filling(self, filling: asyncio.Task[None]) -> None:
        """The model speaks: what follows must become audible soon."""
        filling.cancel()
        if self.released.is_set():
            self._emit(ToolsFinished(self._timeline.now(), self.number))

    async def _wait_for_tools(self, user: ToolUser, calls: Sequence[ToolCall]) -> bool:
        await self.released.wait()
        first = self.rounds[-1].last_part if self.rounds else 0
        self.rounds.append(SpokenRound(calls[0].id, first, self.speech.end_part()))
        started_at = self._timeline.now()
        self._emit(ToolsStarted(started_at, self.number))
        goes_on = await user.use_tools(self, calls)
        finished_at = self._timeline.now()
        self.tool_s += finished_at - started_at
        self._emit(ToolsFinished(finished_at, self.number))
        return goes_on

    def _say(self, clause: str) -> None:
        if self.first_text_at is None and clause.strip():
            self.first_text_at = self._timeline.now()
        self.speech.say(clause)

    def _note_notice(self, notice: ModelSwitched | RequestChanged) -> None:
        if isinstance(notice, ModelSwitched):
            self._observer.on_reply_switched(self, notice)
        else:
            self._observer.on_request_changed(self, notice)

    def _note_end(self, end: AnswerEnd) -> None:
        self.end = end
        self.model = end.model
        self.usage = end.usage if self.usage is None else self.usage.plus(end.usage)

    def _finish_text(self, *, meant_silence: bool = False) -> None:
        if self.text:
            self.speech.finish()
        elif not meant_silence:
            self._fail(VendorUnavailableError("the model answered with nothing to say", vendor="llm"))
            return
        self._text_done = True
        if self.released.is_set():
            self._report_text()

    def _report_text(self) -> None:
        if text := self.text:
            self._observer.on_reply_text(self, text)
            if self.end is not None and self.end.finish_reason == "filtered":
                self._observer.on_reply_cut(self, ContentFilteredError("moderation cut the answer", vendor="llm"))
        elif self.speech.track.parts:  # nothing but fillers was heard
            self.speech.finish()
        else:  # the model meant to say nothing
            self._on_playback_finished()

    def _fail(self, error: MoonwireError) -> None:
        if not self._over:
            self._over = self.failed = True
            self.speech.cancel()
            self._observer.on_reply_failed(self, error)

    def _on_playback_started(self) -> None:
        self.playback_at = self._timeline.now()
        self._emit(PlaybackStarted(self.playback_at, self.number))

    def _on_playback_finished(self) -> None:
        self._emit(PlaybackFinished(self._timeline.now(), self.number))


def _gate(*, is_open: bool) -> asyncio.Event:
    gate = asyncio.Event()
    if is_open:
        gate.set()
    return gate
