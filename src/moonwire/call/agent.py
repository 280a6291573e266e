"""One agent at work: carries out the turn machine's orders with recogniser, model and voice.

It decides nothing about turns. Everything the caller may notice goes through `TurnDriver`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from moonwire.call.agent_plan import AgentPlan
from moonwire.call.context import Call
from moonwire.call.driver import TurnDriver
from moonwire.call.hearing import Hearing
from moonwire.call.reply import Reply
from moonwire.call.reply_reports import ReplyReports, alert_type
from moonwire.call.tools.rounds import ToolRounds
from moonwire.call.tools.toolbox import Toolbox
from moonwire.call.turn_meter import TurnMeter
from moonwire.core.dialog.history import OPENING, History
from moonwire.core.dialog.messages import AssistantMessage, ToolCall, UserMessage
from moonwire.core.turns.commands import CancelReason, ReplyCause
from moonwire.core.turns.events import CallAnswered
from moonwire.errors import (
    CallError,
    HookError,
    MoonwireError,
    VendorError,
    VendorTimeoutError,
    VendorUnavailableError,
)
from moonwire.ports.llm import ChatRequest
from moonwire.spec import payloads
from moonwire.spec.payloads import CompletionReason

log = structlog.get_logger()


RING_S = 1.5
"""Longest time the caller hears ringing for the sake of a greeting that begins at once."""

SILENT_CALLER = "(The caller has been silent. Check briefly whether they are still there.)"
"""What the model is told when the agent speaks without having been spoken to; never stored."""


@dataclass(frozen=True, slots=True)
class AgentResult:
    """How an agent ended, in the words of jambonz's `completion_reason`."""

    reason: CompletionReason
    error: str | None = None


class Agent:
    """Implements call.driver.AgentActions."""

    def __init__(self, call: Call, plan: AgentPlan) -> None:
        vendors, account = call.services.vendors, call.application.account_sid
        self.history = History(plan.verb.system_prompt)
        for seed in plan.verb.seed_messages:
            self.history.add(UserMessage(seed.text) if seed.role == "user" else AssistantMessage(seed.text))
        self.call = call
        self._call = call
        self._plan = plan
        self.toolbox = Toolbox(self._run_for_application, plan.verb.llm.llm_options.tools)
        self._model = vendors.language_model(account, plan.llm)
        self._stt = vendors.speech_to_text(account, plan.recognizer)
        self._voice = call.voice(plan.synthesizer)
        self._driver = TurnDriver(plan.turns, self, call.timeline, call.events)
        self._reports = ReplyReports(call, plan.verb, self._driver.handle)
        self._hearing = Hearing(plan.engine, call.timeline, self._driver.handle, self._on_stt_failed)
        self._meter = TurnMeter()
        self._replies: dict[int, Reply] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._tool_tasks: set[asyncio.Task[str]] = set()
        self._group = asyncio.TaskGroup()
        self._over: asyncio.Future[AgentResult] = asyncio.get_running_loop().create_future()

    async def run(self) -> AgentResult:
        """Talk until the call, the agent or the verb ends."""
        call = self._call
        vad = call.services.vad.open(self._hearing) if call.services.vad else None
        self._hearing.attach(self._stt.open(self._plan.recognizer, self._hearing), vad)
        try:
            async with self._group:
                warming = self._group.create_task(self._model.warm_up())
                try:
                    await self._talk()
                finally:
                    warming.cancel()
                    self._driver.stop()
                    for task in self._tool_tasks:
                        task.cancel()
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

    async def _prepare_greeting(self) -> None:
        """Have the first words ready before the call is answered; nobody hears anything while it rings."""
        self._driver.handle(CallAnswered(self._call.timeline.now()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RING_S):
                await self._call.egress.audio_ready.wait()

    def start_reply(self, reply: int, cause: ReplyCause) -> None:
        """Begin to produce a reply."""
        call = self._call
        live = Reply(
            reply,
            cause,
            voice=self._voice,
            egress=call.egress,
            timeline=call.timeline,
            emit=self._driver.handle,
            observer=self._reports,
        )
        self._replies[reply] = live
        greeting = self._plan.verb.greeting
        if cause == "apology":
            self._apologise(live)
        elif cause == "greeting" and isinstance(greeting, str):
            live.speak_text(greeting)
        else:
            rounds = ToolRounds(self, lambda number, with_tools: self._request(cause, number, with_tools=with_tools))
            answering = live.speak_answer(self._model, rounds)
            self._tasks[reply] = self._group.create_task(answering)

    def cancel_reply(self, reply: int, reason: CancelReason) -> None:
        """Stop producing it; the model's stream closes at once."""
        task = self._tasks.pop(reply, None)
        if task is not None:
            task.cancel()
        live = self._replies[reply]
        if reason == "failed" and not live.failed:
            late = VendorTimeoutError(f"reply not audible after {live.age_s:.1f} s", vendor=live.waits_for)
            self._reports.note_failure(late, alert_type(live))
        live.cancel(reason)
        self._call.egress.clear(live.segment)
        if live.playback_at is None:
            self._correct_rounds(live)
            del self._replies[reply]

    def pause_playback(self, reply: int) -> None:
        """Hold its audio."""
        self._call.egress.hold(self._replies[reply].segment)

    def resume_playback(self, reply: int) -> None:
        """Let it go on."""
        self._call.egress.resume(self._replies[reply].segment)

    def clear_playback(self, reply: int) -> None:
        """Drop its unheard audio."""
        self._call.egress.clear(self._replies[reply].segment)

    def commit_user_turn(self, text: str) -> None:
        """Enter the caller's words and say so."""
        self.history.add_user(text)
        self._meter.commit(text, self._hearing, self._call.timeline.now())
        self._reports.send(payloads.user_transcript(text))

    def commit_agent_turn(self, reply: int, interrupted: bool) -> None:
        """Enter what was heard and close the turn."""
        live = self._replies.pop(reply)
        self._tasks.pop(reply, None)
        heard = live.heard_text()
        self._correct_rounds(live)
        self.history.add_assistant(live.heard_last(), reasoning=live.end.reasoning if live.end else "")
        if interrupted:
            self._reports.send(payloads.user_interruption())
        report = self._meter.report(live, heard, interrupted=interrupted, engine=self._plan.engine.name)
        event = payloads.turn_end(report)
        self._note_turn(live, heard, event)
        self._reports.send(event)
        self._meter.clear()

    def start_tool(self, work: Coroutine[Any, Any, str]) -> asyncio.Task[str]:
        """Run a tool's work until it is done or the agent is over."""
        task = self._group.create_task(work)
        self._tool_tasks.add(task)
        task.add_done_callback(self._tool_tasks.discard)
        return task

    def end_agent(self, reason: str) -> None:
        """End the verb because the agent cannot go on."""
        if not self._over.done():
            self._over.set_result(
                AgentResult(_completion(self._reports.last_error), str(self._reports.last_error or reason))
            )

    async def _run_for_application(self, call: ToolCall) -> Any:
        hook = self._plan.verb.tool_hook
        if hook is None:
            raise HookError("the application has no toolHook")
        return await self._call.session.call_tool(hook, payloads.tool_call(call.id, call.name, call.arguments))

    def _correct_rounds(self, live: Reply) -> None:
        """Leave in the history what was heard before each round of tools."""
        for one in live.rounds:
            self.history.correct_tool_calls(one.call_id, live.speech.track.heard(one.first_part, one.last_part))

    def _on_stt_failed(self, error: VendorError) -> None:
        self._reports.note_failure(error, "stt-failure")

    def _apologise(self, live: Reply) -> None:
        fatal = self._reports.is_fatal
        text, recording = self._call.services.vendors.prompt("goodbye" if fatal else "hold_on", self._plan.language)
        live.speak_text(text, recording)

    def _request(self, cause: ReplyCause, tool_round: int, *, with_tools: bool) -> ChatRequest:
        options = self._plan.verb.llm.llm_options
        return ChatRequest(
            model=self._plan.llm.choice.model,
            messages=self.history.messages("" if tool_round else self._prompt(cause)),
            tools=self.toolbox.offered if with_tools else (),
            max_tokens=options.max_tokens,
            temperature=options.temperature,
            reasoning_effort=options.reasoning_effort,
            vendor_params=self._plan.verb.llm.all_vendor_params,
        )

    def _prompt(self, cause: ReplyCause) -> str:
        if cause == "no_response":
            return SILENT_CALLER
        seeded = cause == "greeting" and bool(self._plan.verb.seed_messages)
        return OPENING if seeded else ""

    def _note_turn(self, live: Reply, heard: str, event: Mapping[str, Any]) -> None:
        self._call.note(
            "turn",
            cause=live.cause,
            interrupted=event["interrupted"],
            model=live.model,
            pii_heard=heard,
            latency=event["latency"] | {name: event[name] for name in ("response_ms",) if name in event},
        )


def _completion(error: MoonwireError | None) -> CompletionReason:
    unreachable = isinstance(error, VendorUnavailableError | VendorTimeoutError)
    return "connection failure" if unreachable else "server error"
