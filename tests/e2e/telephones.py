"""Real SIP telephones beside the server under test: people who are called, by the user part of their address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from moonwire.observe.clock import SystemClock
from moonwire.ports.legs import CallLeg, EarlyMediaLeg, LegEnd
from moonwire.sandbox.caller import CallerReport, ScriptedCaller, Step, prepare
from moonwire.transports.pacing import Pacer
from moonwire.transports.rtp.session import RtpEngine
from moonwire.transports.sip.endpoint import SipEndpoint

RTP_PORTS = (33000, 33999)


@dataclass
class Answering:
    """What one telephone does when it is called: follow a script, refuse with a status, or ring (neither)."""

    steps: Sequence[Step] = ()
    refuses: int = 0
    speaks_early: bool = False
    """Begins its script before it answers, which it never does."""
    calls: list[CallLeg] = field(default_factory=list[CallLeg])
    end: asyncio.Future[LegEnd] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    """Of its first call."""
    report: asyncio.Future[CallerReport] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    # -- the listener of a call that only rings

    def on_frame(self, frame: bytes) -> None: ...

    def on_digit(self, digit: str, duration_ms: int) -> None: ...

    def next_frame(self) -> bytes | None:
        return None

    def on_played_out(self) -> None: ...

    def on_ended(self, end: LegEnd) -> None:
        if not self.end.done():
            self.end.set_result(end)


class Telephones:
    """Implements ports.legs.CallAcceptor and CallerGate: everybody may call."""

    def __init__(self, people: Mapping[str, Answering], group: asyncio.TaskGroup) -> None:
        self.people = people
        self.port = 0
        self._group = group

    def uri(self, name: str) -> str:
        return f"sip:{name}@127.0.0.1:{self.port}"

    def offer(self, leg: CallLeg) -> None:
        person = self.people[leg.info.to]
        person.calls.append(leg)
        self._group.create_task(self._take(leg, person))

    async def _take(self, leg: CallLeg, person: Answering) -> None:
        if person.refuses:
            leg.attach(person, person)
            await leg.reject(person.refuses, "No")
            return
        if not person.steps:
            leg.attach(person, person)
            await leg.ring()
            return
        steps = await prepare(person.steps)
        caller = ScriptedCaller(steps)
        leg.attach(caller, caller)
        await leg.ring()
        if person.speaks_early and isinstance(leg, EarlyMediaLeg):
            leg.begin_early_media()
        else:
            await leg.answer()
        report = await caller.run(leg)
        if not person.report.done():
            person.report.set_result(report)

    def carrier_for_address(self, address: str) -> str | None:
        return "everybody"

    def carrier_for_token(self, token: str) -> str | None:
        return None

    def twilio_auth_tokens(self) -> Mapping[str, str]:
        return {}


@asynccontextmanager
async def ringing(people: Mapping[str, Answering]) -> AsyncGenerator[Telephones]:
    """Plug the telephones in."""
    clock = SystemClock()
    async with asyncio.TaskGroup() as group:
        telephones = Telephones(people, group)
        rtp = RtpEngine(pacer=Pacer(clock), port_min=RTP_PORTS[0], port_max=RTP_PORTS[1], clock=clock)
        endpoint = SipEndpoint(
            gate=telephones, acceptor=telephones, rtp=rtp, host="127.0.0.1", port=0, public_ip=None, clock=clock
        )
        await endpoint.start()
        telephones.port = endpoint.local_port
        try:
            yield telephones
        finally:
            await endpoint.stop()
