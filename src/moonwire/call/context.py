"""One call as its verbs see it: the leg, the application, the mouth, the defaults; no decisions."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from moonwire.call.egress import Egress, Segment
from moonwire.call.noise import CallNoise
from moonwire.call.services import CallServices
from moonwire.call.timeline import Timeline
from moonwire.errors import CallError, CallRefusedError, MoonwireError, VendorError
from moonwire.ports.applications import ApplicationSession
from moonwire.ports.directory import AlertType, ApplicationRecord
from moonwire.ports.legs import CallLeg, LegEnd
from moonwire.ports.llm import TokenUsage
from moonwire.ports.tts import Voice
from moonwire.ports.vendors import PromptName, VendorSwitch
from moonwire.spec.components import Recognizer, Synthesizer
from moonwire.spec.payloads import CallStatus, application_error

if TYPE_CHECKING:
    from moonwire.call.agent import Agent
    from moonwire.call.parties.bridge import Bridge
    from moonwire.call.parties.peer import Peer

log = structlog.get_logger()


@dataclass(slots=True)
class CallDefaults:
    """Vendor choices of the session: the application record provides them, `config` changes them."""

    synthesizer: Synthesizer | None
    recognizer: Recognizer | None
    notify_events: bool = False


@dataclass(slots=True)
class CallState:
    """What changes during a call and is told to applications."""

    status: CallStatus = "trying"
    sip_status: int = 100
    sip_reason: str = "Trying"
    customer_data: dict[str, Any] = field(default_factory=dict[str, Any])
    attempted_utc_s: float | None = None
    answered_utc_s: float | None = None
    muted: bool = False
    agent_failed: bool = False
    """The last agent ended because it could not go on."""
    ended: LegEnd | None = None
    refusal: CallRefusedError | None = None
    """How the side that we called refused."""
    duration_s: int | None = None
    usage: TokenUsage = field(default_factory=TokenUsage)
    """What the call's language models have counted so far."""


class Call:
    """Everything a verb may use."""

    def __init__(
        self,
        sid: str,
        leg: CallLeg,
        services: CallServices,
        application: ApplicationRecord,
        session: ApplicationSession,
    ) -> None:
        self.sid = sid
        self.trace_id = uuid.uuid4().hex
        self.leg = leg
        self.services = services
        self.application = application
        self.session = session
        self.timeline = Timeline(services.clock)
        self.state = CallState(attempted_utc_s=services.clock.utc_s())
        self.defaults = CallDefaults(application.synthesizer, application.recognizer)
        self.gone: asyncio.Future[LegEnd] = asyncio.get_running_loop().create_future()
        self.consumers: list[Callable[[bytes], None]] = []
        """Whoever listens to the caller at the moment, without the noise where the application wants that."""
        self.on_status: Callable[[], None] = lambda: None
        self.egress = Egress(leg)
        self.noise = CallNoise(services.noise, self.consumers, self.egress, self.note)
        self.agent: Agent | None = None
        """The running agent."""
        self.bridge: Bridge | None = None
        """The connection with a person we called, while it is up."""
        self.peers: dict[str, Peer] = {}
        """Legs that we called for this call and that are up or ringing, by call_sid."""
        self.settles = False
        """The running verb comes to its own end soon after the caller has gone."""
        self.ending = False
        """We are hanging up or refusing."""
        self.events = services.event_logs.open(sid)
        self._voices: dict[str, Voice] = {}

    async def ensure_answered(self) -> None:
        """Answer, unless that has happened.

        Raises:
            CallError: the caller has gone.
        """
        if self.gone.done():
            raise CallError("the caller has hung up", reason="caller-gone")
        if self.timeline.is_answered:
            return
        await self.leg.answer()
        mark_answered(self)

    def set_status(self, status: CallStatus, sip_status: int, sip_reason: str) -> None:
        """Change the call's status and tell the application."""
        self.state.status, self.state.sip_status, self.state.sip_reason = status, sip_status, sip_reason
        self.on_status()

    def note(self, kind: str, **fields: Any) -> None:
        """Write a line into the call's event log."""
        self.events.write(kind, round(self.timeline.now(), 4), **fields)

    def alert(self, alert_type: AlertType, message: str, remedy: str = "") -> None:
        """Tell the operator."""
        self.services.alerts.raise_alert(
            self.application.account_sid, alert_type, message, remedy=remedy, call_sid=self.sid
        )

    def report(self, error: MoonwireError, *, verb: str, verb_id: str | None = None, alert: AlertType) -> None:
        """Tell everybody about a failure: log, event log, operator, application."""
        remedy = error.remedy if isinstance(error, VendorError) else ""
        log.warning("call trouble", call_sid=self.sid, verb=verb, code=error.code, error=str(error), remedy=remedy)
        self.note("error", verb=verb, code=error.code, error=str(error), remedy=remedy)
        self.alert(alert, f"{error.code}: {error}", remedy)
        self.session.error(application_error(str(error), details=remedy or error.code, verb=verb, verb_id=verb_id))

    def voice(self, synthesizer: Synthesizer) -> Voice:
        """Return the call's open voice for a choice of synthesiser; opened once.

        Raises:
            CredentialError: no credential for this vendor.
        """
        key = synthesizer.model_dump_json()
        if key not in self._voices:
            account = self.services.vendors.text_to_speech(
                self.application.account_sid, synthesizer, partial(report_switch, self)
            )
            self._voices[key] = account.open(synthesizer)
        return self._voices[key]

    async def play_to_end(self, segment: Segment, finished: asyncio.Event) -> None:
        """Wait until a segment has been heard; when the wait is cancelled the audio stops at once."""
        try:
            await finished.wait()
        finally:
            self.egress.clear(segment)

    async def play_recording(self, name: PromptName, language: str | None) -> None:
        """Play a recorded sentence to its end."""
        finished = asyncio.Event()
        segment = Segment(lambda: None, finished.set)
        self.egress.play(segment)
        self.egress.append(segment, self.services.vendors.prompt(name, language)[1])
        self.egress.complete(segment)
        await self.play_to_end(segment, finished)

    async def hang_up(self, headers: Mapping[str, str] | None = None, reason: str = "hangup") -> None:
        """End the call from our side, answered or not; `reason` goes into the record."""
        if not self.timeline.is_answered:
            await self.decline(603, "Decline", headers)
            return
        self.ending = True
        await self.leg.hang_up(headers)
        self.finish(LegEnd("moonwire", reason))

    async def decline(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        """Refuse the unanswered call."""
        self.ending = True
        await self.leg.reject(status, reason, headers)
        self.finish(LegEnd("moonwire", "rejected", status))

    def finish(self, end: LegEnd) -> None:
        """Note that the leg is over; the first word counts."""
        if not self.gone.done():
            self.timeline.mark_ended()
            self.gone.set_result(end)

    async def close(self) -> None:
        """Let go of engines and voices, bounded."""
        self.noise.close()
        voices = list(self._voices.values())
        self._voices.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(3):
                await asyncio.gather(*(voice.close() for voice in voices), return_exceptions=True)


def is_being_called(call: Call) -> bool:
    """Tell whether we call somebody who has not answered yet."""
    return call.leg.info.direction == "outbound" and not call.timeline.is_answered


def mark_answered(call: Call) -> None:
    """Note that the call is up, and say so."""
    call.timeline.mark_answered()
    call.state.answered_utc_s = call.services.clock.utc_s()
    call.note("call", name="answered")
    call.set_status("in-progress", 200, "OK")


def report_switch(call: Call, switch: VendorSwitch) -> None:
    """Make a speech vendor's fallback visible: event log and operator."""
    text = f"{switch.asked}: {switch.error}; the call goes on with {switch.used}"
    call.note(switch.kind, name="vendor_switched", asked=switch.asked, used=switch.used, code=switch.error.code)
    call.alert("stt-failure" if switch.kind == "stt" else "tts-failure", text, switch.error.remedy)
