"""One call's life: finds its application, runs its verbs, tells everybody how it goes, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence

import structlog

from moonwire.call.context import Call
from moonwire.call.control import CallControl
from moonwire.call.parties.outgoing import OutgoingCall
from moonwire.call.parties.peer import failed_status
from moonwire.call.recorder import Recorder
from moonwire.call.script import Script
from moonwire.call.services import CallServices
from moonwire.call.snapshot import snapshot
from moonwire.call.turn_meter import usage_report
from moonwire.call.verbs import RUNNERS
from moonwire.errors import CallError, HookError, MoonwireError, SpecError, VendorError
from moonwire.ports.directory import AlertType, ApplicationRecord, CallRecord
from moonwire.ports.legs import CallLeg, DialledLeg, LegEnd
from moonwire.spec import payloads
from moonwire.spec.commands import Command
from moonwire.spec.payloads import CallStatus
from moonwire.spec.verbs import Hangup, Verb

log = structlog.get_logger()

SAID_GOODBYE = frozenset({"hangup", "rejected", "script-ended", "agent-failed", "application-failed", "transferred"})
"""Ends of ours after which the caller needs no other BYE."""
AFTER_CALL_S = 5.0
"""How long a verb may still settle (its actionHook) once the caller has gone."""
IDLE_AFTER_FAILURE_S = 5.0
"""A caller whose agent has failed and whose application says nothing is not kept on the line longer."""


Outgoing = tuple[DialledLeg, OutgoingCall]


class CallSession:
    """Implements ports.legs.LegListener and ports.applications.ApplicationListener."""

    def __init__(self, leg: CallLeg, services: CallServices, outgoing: Outgoing | None = None) -> None:
        self.sid = str(uuid.uuid4())
        self._outgoing = outgoing
        self._leg = leg
        self._services = services
        self._call: Call | None = None
        self._early_end: LegEnd | None = None
        self._script = Script(self._run_verb)
        self._application_gone = False
        self._recorder: Recorder | None = None
        self._limit: asyncio.TimerHandle | None = None

    @property
    def call(self) -> Call | None:
        """The call, once it has an application."""
        return self._call

    async def run(self) -> None:
        """Take the call from INVITE to its record."""
        info = self._leg.info
        attempted_at = self._services.clock.utc_s()
        application = self._application()
        if application is None:
            log.warning("no application for number", pii_number=info.to)
            await self._leg.reject(480, "no configured application")
            self._services.alerts.raise_alert(
                "",
                "no-application",
                f"a call to {info.to} was refused: no application is configured for this number",
                remedy="Add the number under phone_numbers and give it an application.",
            )
            return
        call = self._open(application)
        try:
            await self._converse(call)
        finally:
            await asyncio.shield(self._wind_up(call, attempted_at))

    def _application(self) -> ApplicationRecord | None:
        if self._outgoing is not None:
            return self._outgoing[1].application
        info, directory = self._leg.info, self._services.directory
        found = directory.application_for_number(info.to)
        if found is None and info.carrier is not None:
            found = directory.application_for_carrier(info.carrier)
        return found

    def on_frame(self, frame: bytes) -> None:
        """Pass 20 ms of the caller to whoever listens."""
        call = self._call
        if call is None or call.state.muted:
            return
        if self._recorder is not None:
            self._recorder.on_caller(frame)
        if call.consumers:
            call.noise.hear(frame)

    def on_digit(self, digit: str, duration_ms: int) -> None:
        """Note a digit."""
        if self._call is not None:
            self._call.note("dtmf", pii_digit=digit, duration_ms=duration_ms)
            if self._call.agent is not None:
                self._call.agent.on_digit(digit)
            if self._call.bridge is not None:
                self._call.bridge.on_caller_key(digit, duration_ms)

    def on_ended(self, end: LegEnd) -> None:
        """Take the leg's end."""
        if self._call is None:
            self._early_end = end
        elif not (self._call.ending and end.by == "moonwire"):
            self._call.finish(end)

    def on_command(self, command: Command) -> None:
        """Take the application's command."""
        if self._call is not None:
            CallControl(self._call, self._script).execute(command)

    def on_application_closed(self, normal: bool) -> None:
        """Let the verbs that wait run out; hang up when the application is lost for good (jambonz does the same)."""
        self._application_gone = True
        if self._call is not None:
            self._call.note("hook", name="application_closed", normal=normal)
        if not normal:
            self._script.replace([Hangup()])
        elif self._script.is_idle:
            self._script.finish()

    def end_by_server(self, reason: str) -> None:
        """End the call because the process or an operator says so."""
        if self._call is not None:
            self._script.finish()
            self._call.finish(LegEnd("moonwire", reason))

    def _open(self, application: ApplicationRecord) -> Call:
        session = self._services.connector.open(application, self.sid, self)
        call = Call(self.sid, self._leg, self._services, application, session)
        call.on_status = lambda: session.call_status(payloads.call_status(snapshot(call)))
        self._call = call
        if self._early_end is not None:
            call.finish(self._early_end)
        if self._outgoing is not None:
            call.state.customer_data.update(self._outgoing[1].customer_data)
        self._leg.attach(self, call.egress)
        info = self._leg.info
        call.note("call", name="offered", transport=info.transport, carrier=info.carrier, application=application.name)
        if application.record_calls:
            self._record(call)
        return call

    def _record(self, call: Call) -> None:
        recorder = Recorder(self._services.recordings / f"{call.sid}.wav", call.timeline)
        call.egress.record = recorder.on_agent
        self._recorder = recorder

    async def _converse(self, call: Call) -> None:
        await call.leg.ring()
        async with asyncio.TaskGroup() as group:
            script = group.create_task(self._follow_script(call))
            await asyncio.wait({script, call.gone}, return_when=asyncio.FIRST_COMPLETED)
            self._script.finish()
            await self._say_goodbye(call)
            if not script.done():
                await self._settle(script, call)

    async def _say_goodbye(self, call: Call) -> None:
        """Tell the caller about an end of ours, unless whoever made it has; no effect the second time."""
        end = call.gone.result() if call.gone.done() else None
        if end is not None and end.by == "moonwire" and end.reason not in SAID_GOODBYE:
            answered = call.timeline.is_answered
            await (call.leg.hang_up() if answered else call.leg.reject(503, "Service Unavailable"))

    async def _settle(self, script: asyncio.Task[None], call: Call) -> None:
        if call.agent is None and not call.settles and not call.ending:
            self._script.abort()
        await asyncio.wait({script}, timeout=AFTER_CALL_S)
        self._script.abort()
        script.cancel()

    async def _follow_script(self, call: Call) -> None:
        if self._outgoing is not None and not await self._taken(call, *self._outgoing):
            return
        verbs = await self._first_verbs(call)
        if verbs is None:
            return
        self._script.append(verbs)
        while True:
            await self._script.run_dry()
            if call.gone.done() or not call.session.keeps_call_up or self._application_gone:
                break
            limit_s = IDLE_AFTER_FAILURE_S if call.state.agent_failed else None
            if not await self._wait_for_verbs(limit_s):
                break
        if not call.gone.done():
            await call.hang_up(reason="agent-failed" if call.state.agent_failed else "script-ended")

    async def _taken(self, call: Call, leg: DialledLeg, outgoing: OutgoingCall) -> bool:
        if not await outgoing.taken(call, leg):
            return False
        if outgoing.time_limit_s:
            due = call.timeline.now() + outgoing.time_limit_s
            self._limit = call.timeline.call_at(due, lambda: self.end_by_server("time-limit"))
        return True

    async def _wait_for_verbs(self, limit_s: float | None) -> bool:
        try:
            async with asyncio.timeout(limit_s):
                return await self._script.wait_for_verbs()
        except TimeoutError:
            return False

    async def _first_verbs(self, call: Call) -> Sequence[Verb] | None:
        application = call.application
        details = payloads.SessionDetails(
            synthesizer=application.synthesizer,
            recognizer=application.recognizer,
            env_vars=application.env_vars,
            sip=call.leg.info.request,
            has_recording=application.record_calls,
        )
        try:
            verbs = await call.session.begin(payloads.session_new(snapshot(call), details))
            if not verbs and self._outgoing is None:
                raise SpecError("the application answered with no verbs")
        except (HookError, SpecError) as error:
            log.warning("application failed", call_sid=call.sid, error=str(error), code=error.code)
            call.note("error", verb="session:new", code=error.code, error=str(error))
            headers = {"X-Reason": _header_text(str(error))}
            if self._outgoing is not None:
                await call.hang_up(headers, reason="application-failed")
            else:
                await call.decline(480, "Temporarily Unavailable", headers)
            return None
        if self._outgoing is None:
            call.set_status("trying", 100, "Trying")
        return verbs

    async def _run_verb(self, verb: Verb) -> Sequence[Verb] | None:
        call = self._call
        if call is None:
            return None
        call.note("verb", name="starting", verb=verb.verb, id=verb.id)
        if call.defaults.notify_events:
            call.session.verb_status(payloads.verb_lifecycle("starting", verb.verb, verb.id))
        try:
            return await RUNNERS[type(verb)](call, verb)
        except CallError as error:
            call.note("verb", name="stopped", verb=verb.verb, reason=error.reason)
            return None
        except MoonwireError as error:
            call.report(error, verb=verb.verb, verb_id=verb.id, alert=_alert_type(error))
            return None
        finally:
            call.note("verb", name="finished", verb=verb.verb, id=verb.id)
            if call.defaults.notify_events:
                call.session.verb_status(payloads.verb_lifecycle("finished", verb.verb, verb.id))

    async def _wind_up(self, call: Call, attempted_at: float) -> None:
        if self._limit is not None:
            self._limit.cancel()
        end = call.gone.result() if call.gone.done() else LegEnd("moonwire", "internal-error", 500)
        call.finish(end)
        await self._say_goodbye(call)
        answered = call.timeline.is_answered
        call.state.ended = end
        call.state.duration_s = round(call.timeline.since_answer_s())
        if answered:
            call.set_status("completed", 200, "OK")
        else:
            call.set_status(*_unanswered(call, end))
        call.note("call", name="ended", by=end.by, reason=end.reason, sip_status=call.state.sip_status)
        await call.close()
        await call.session.close(failed=not answered and end.reason == "rejected")
        if self._recorder is not None:
            await self._recorder.close()
        call.events.close()
        self._services.records.add(self._record_of(call, end, attempted_at))

    def _record_of(self, call: Call, end: LegEnd, attempted_at: float) -> CallRecord:
        info, usage = call.leg.info, usage_report(call.state.usage)
        return CallRecord(
            call_sid=call.sid,
            account_sid=call.application.account_sid,
            application_sid=call.application.sid or None,
            call_id=info.call_id,
            from_=info.from_,
            to=info.to,
            direction=info.direction,
            trunk=info.carrier,
            transport=info.transport,
            attempted_at=attempted_at,
            answered_at=call.state.answered_utc_s,
            terminated_at=self._services.clock.utc_s(),
            sip_status=call.state.sip_status,
            termination_by=end.by,
            termination_reason=end.reason,
            remote_host=info.source_address,
            trace_id=call.trace_id,
            recording_path=str(self._recorder.path) if self._recorder else None,
            usage=usage.document() if usage is not None else None,
        )


def _unanswered(call: Call, end: LegEnd) -> tuple[CallStatus, int, str]:
    """Name the end of a call that was never answered."""
    refusal = call.state.refusal
    if refusal is not None:
        return failed_status(refusal.status), refusal.status, refusal.phrase
    sip_status = end.sip_status if end.sip_status >= 300 else 487
    return ("no-answer" if sip_status == 487 else "failed", sip_status, end.reason)


def _alert_type(error: MoonwireError) -> AlertType:
    if isinstance(error, VendorError):
        return "tts-failure"
    return "webhook-failure" if isinstance(error, HookError) else "payload-error"


def _header_text(text: str) -> str:
    return " ".join(text.split())[:120]
