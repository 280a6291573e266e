"""One agent at work: carries out the turn machine's orders with recogniser, model and voice.

It decides nothing about turns. Everything the caller may notice goes through `TurnDriver`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from moonwire.call.agent_plan import AgentPlan
from moonwire.call.context import Call, report_switch
from moonwire.call.conversation import Conversation
from moonwire.call.driver import TurnDriver
from moonwire.call.hearing import Hearing
from moonwire.call.languages import Languages
from moonwire.call.mute_voice import MuteVoice
from moonwire.call.parties.handoff import Handover
from moonwire.call.reply import Farewell, Reply
from moonwire.call.reply_reports import ReplyReports, alert_type
from moonwire.call.turn_meter import TurnMeter
from moonwire.core.turns.commands import CancelReason, ClearPlayback, PausePlayback, ReplyCause, ResumePlayback
from moonwire.core.turns.events import CallAnswered, DigitPressed, ReplyRequested
from moonwire.core.turns.questions import just_asked
from moonwire.errors import (
    CallError,
    MoonwireError,
    VendorError,
    VendorTimeoutError,
    VendorUnavailableError,
)
from moonwire.ports.stt import LanguageHinted, SttStream
from moonwire.spec import payloads
from moonwire.spec.payloads import CompletionReason

log = structlog.get_logger()


RING_S = 1.5
"""Longest time the caller hears ringing for the sake of a greeting that begins at once."""


@dataclass(frozen=True, slots=True)
class AgentResult:
    """How an agent ended, in the words of jambonz's `completion_reason`."""

    reason: CompletionReason
    error: str | None = None
    handover: Handover | None = None
    """A person has the call, or gets it now."""


class Agent:
    """Implements call.driver.AgentActions."""

    def __init__(self, call: Call, plan: AgentPlan) -> None:
        vendors, account = call.services.vendors, call.application.account_sid
        self._call = call
        self._plan = plan
        self._model = vendors.language_model(account, plan.llm)
        self._stt = vendors.speech_to_text(account, plan.recognizer, partial(report_switch, call))
        self._languages = Languages(
            plan.verb.auto_lock_language, plan.verb.language_config, plan.synthesizer, plan.recognizer.language
        )
        self._voice = call.voice(self._languages.synthesizer) if plan.verb.speak else MuteVoice()
        self._driver = TurnDriver(plan.turns, self, call.timeline, call.events)
        self._reports = ReplyReports(call, plan.verb, self._driver.handle)
        self._hearing = Hearing(
            plan.engine,
            call.timeline,
            self._driver.handle,
            self._on_stt_failed,
            self._has_just_asked,
            self._on_language,
        )
        self._recognition: SttStream | None = None
        self._meter = TurnMeter()
        self._replies: dict[int, Reply] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._group = asyncio.TaskGroup()
        self.conversation = Conversation(call, plan, self._model, self._group, self._request_reply, self._on_taken)
        self.conversation.language = self._languages.synthesizer.language or plan.language
        self._farewell: Farewell | None = None
        self._unanswered = 0
        """Prompts after silence since the caller last said something."""
        self._over: asyncio.Future[AgentResult] = asyncio.get_running_loop().create_future()

    async def run(self) -> AgentResult:
        """Talk until the call, the agent or the verb ends."""
        call = self._call
        self._recognition = self._stt.open(self._plan.recognizer, self._hearing)
        self._hearing.attach(self._recognition, call.services.vad, self._plan.interruptions)
        try:
            async with self._group:
                warming = self._group.create_task(self.conversation.warm_up())
                self.conversation.start()
                try:
                    await self._talk()
                finally:
                    warming.cancel()
                    self._driver.stop()
                    self.conversation.stop()
        finally:
            if self._hearing.on_frame in call.consumers:
                call.consumers.remove(self._hearing.on_frame)
            await self._hearing.close()
        return self._over.result() if self._over.done() else AgentResult("normal conversation end")

    async def _talk(self) -> None:
        call = self._call
        prepares = self._plan.turns.greeting and not call.timeline.is_answered and call.leg.info.transport == "sip"
        if prepares:
            await self._prepare_greeting()
        try:
            await call.ensure_answered()
        except CallError:
            return
        call.consumers.append(self._hearing.on_frame)
        if not prepares:
            self._driver.handle(CallAnswered(call.timeline.now()))
        await asyncio.wait({self._over, call.gone}, return_when=asyncio.FIRST_COMPLETED)
        if self._farewell is not None and not call.gone.done():
            reason = " ".join(self._farewell.reason.split())[:120]
            await call.hang_up({"X-Reason": reason} if reason else None)

    async def _prepare_greeting(self) -> None:
        """Have the first words ready before the call is answered; nobody hears anything while it rings."""
        self._driver.handle(CallAnswered(self._call.timeline.now()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RING_S):
                await self._call.egress.audio_ready.wait()

    def start_reply(self, reply: int, cause: ReplyCause, early_text: str = "") -> None:
        """Begin to produce a reply; an early one, to words that are no turn yet, is kept back."""
        call = self._call
        live = Reply(
            reply,
            cause,
            voice=self._voice,
            egress=call.egress,
            timeline=call.timeline,
            emit=self._driver.handle,
            observer=self._reports,
            early=bool(early_text),
        )
        self._replies[reply] = live
        if not early_text:
            self._hearing.turn_over()
        if cause == "no_response" and self._nobody_answers():
            self._finish(AgentResult("no_response"))
            return
        greeting = self._plan.verb.greeting
        if cause == "apology":
            self._apologise(live)
        elif cause == "greeting" and isinstance(greeting, str):
            live.speak_text(greeting)
        else:
            answering = live.speak_answer(self._model, self.conversation.rounds(cause, early_text))
            self._tasks[reply] = self._group.create_task(answering)

    def release_reply(self, reply: int) -> None:
        """Let the early answer be heard."""
        live = self._replies[reply]
        self._meter.released(live.tokens)
        live.release()

    def on_digit(self, digit: str) -> None:
        """Hear a key of the caller's telephone."""
        self._driver.handle(DigitPressed(self._call.timeline.now(), digit))

    def expect_languages(self, languages: Sequence[str]) -> None:
        """Tell the recogniser what the caller may speak from now on."""
        if isinstance(self._recognition, LanguageHinted):
            self._recognition.expect_languages(languages)

    def cancel_reply(self, reply: int, reason: CancelReason) -> None:
        """Stop producing it; the model's stream closes at once."""
        task = self._tasks.pop(reply, None)
        if task is not None:
            task.cancel()
        live = self._replies[reply]
        if not live.released.is_set():
            self._meter.preflight = "miss"
            self._call.note("llm", name="early_reply_dropped", reason=reason)
        elif reason == "failed" and not live.failed:
            late = VendorTimeoutError(f"reply not audible after {live.age_s:.1f} s", vendor=live.waits_for)
            self._reports.note_failure(late, alert_type(live))
        live.cancel(reason)
        self._call.egress.clear(live.segment)
        if live.playback_at is None:
            self.conversation.correct(live)
            del self._replies[reply]

    def steer_playback(self, order: PausePlayback | ResumePlayback | ClearPlayback) -> None:
        """Hold a reply's audio, let it go on, or drop what is unheard of it."""
        egress, segment = self._call.egress, self._replies[order.reply].segment
        match order:
            case PausePlayback():
                egress.hold(segment)
            case ResumePlayback():
                egress.resume(segment)
            case ClearPlayback():
                egress.clear(segment)

    def commit_user_turn(self, text: str) -> None:
        """Enter the caller's words and say so."""
        self._unanswered = 0
        self.conversation.history.add_user(text)
        self._meter.commit(text, self._hearing, self._call.timeline.now())
        self._hearing.turn_over(answered=True)
        self._reports.send(payloads.user_transcript(text))

    def commit_agent_turn(self, reply: int, interrupted: bool) -> None:
        """Enter what was heard and close the turn."""
        live = self._replies.pop(reply)
        self._tasks.pop(reply, None)
        heard = live.speech.track.heard()
        self.conversation.commit(live)
        if interrupted:
            self._reports.send(payloads.user_interruption())
        cut = interrupted or live.cancelled == "replaced"
        report = self._meter.report(live, heard, interrupted=cut)
        event = payloads.turn_end(report)
        self._note_turn(live, heard, event)
        if live.cause != "greeting" or self._plan.greeting_turn_end:
            self._reports.send(event)
        self._meter.clear()
        if live.farewell is not None and live.cancelled is None:
            self._farewell = live.farewell
            self._finish(AgentResult("normal conversation end"))

    def end_agent(self, reason: str) -> None:
        """End the verb because the agent cannot go on."""
        error = self._reports.last_error
        self._finish(AgentResult(_completion(error), str(error or reason)))

    def _nobody_answers(self) -> bool:
        """Count a prompt after silence; True when the application wants no more of them."""
        most = self._plan.verb.no_response_max_prompts
        self._unanswered += 1
        return 0 < most < self._unanswered

    def _finish(self, result: AgentResult) -> None:
        if not self._over.done():
            self._over.set_result(result)

    def _on_taken(self, handover: Handover) -> None:
        self._finish(AgentResult("normal conversation end", handover=handover))

    def _request_reply(self, interrupt: bool) -> None:
        self._driver.handle(ReplyRequested(self._call.timeline.now(), interrupt))

    def _has_just_asked(self) -> bool:
        """Tell whether the caller may be answering a question of the reply that is being heard."""
        speaking = [reply for reply in self._replies.values() if reply.playback_at is not None]
        return any(just_asked(reply.text, reply.speech.track.heard()) for reply in speaking)

    def _on_language(self, language: str) -> None:
        """Expect and speak the caller's language, where the application wants that."""
        if not self._languages.hear(language):
            return
        self.expect_languages([language])
        self.conversation.language = self._languages.synthesizer.language or self._plan.language
        self._call.note("stt", name="language", language=language, voice_language=self._languages.synthesizer.language)
        if not self._plan.verb.speak:
            return
        try:
            self._voice = self._call.voice(self._languages.synthesizer)
        except VendorError as error:
            self._reports.note_failure(error, "no-tts")

    def _on_stt_failed(self, error: VendorError) -> None:
        self._reports.note_failure(error, "stt-failure")

    def _apologise(self, live: Reply) -> None:
        fatal = self._reports.is_fatal
        text, recording = self._call.services.vendors.prompt(
            "goodbye" if fatal else "hold_on", self.conversation.language
        )
        live.speak_text(text, recording)

    def _note_turn(self, live: Reply, heard: str, event: Mapping[str, Any]) -> None:
        self._call.note(
            "turn",
            cause=live.cause,
            interrupted=event["interrupted"],
            model=live.model,
            turn_detection=event.get("turn_detection"),
            pii_heard=heard,
            usage=event.get("usage"),
            latency=event["latency"] | {name: event[name] for name in ("response_ms",) if name in event},
        )


def _completion(error: MoonwireError | None) -> CompletionReason:
    unreachable = isinstance(error, VendorUnavailableError | VendorTimeoutError)
    return "connection failure" if unreachable else "server error"
