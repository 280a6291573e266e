"""The scripted caller over real SIP and RTP sockets, in virtual time."""

from __future__ import annotations

import asyncio

import pytest

from moonwire.core.audio.frames import FRAME_BYTES
from moonwire.ports.legs import CallLeg, LegEnd
from moonwire.sandbox.caller import Interrupt, Say, ScriptedCaller, conversation, prepare
from moonwire.sandbox.virtual_time import VirtualClock, virtual_time
from moonwire.sandbox.voices import synthesise
from moonwire.transports.pacing import Pacer
from moonwire.transports.rtp.session import RtpEngine
from moonwire.transports.sip.endpoint import SipEndpoint

LOUD = synthesise("aaaaaaaaaaaaaaaaaaaa", "tone")[:FRAME_BYTES]


class Switchboard:
    """Admits everybody and answers with a talking agent."""

    def __init__(self) -> None:
        self.agents: list[TalkingAgent] = []
        self.answering: set[asyncio.Task[None]] = set()

    def offer(self, leg: CallLeg) -> None:
        agent = TalkingAgent()
        self.agents.append(agent)
        leg.attach(agent, agent)
        self.answering.add(asyncio.get_running_loop().create_task(leg.answer()))

    def carrier_for_address(self, address: str) -> str:
        return "loopback"

    def carrier_for_token(self, token: str) -> None:
        return None

    def twilio_auth_tokens(self) -> dict[str, str]:
        return {}


class TalkingAgent:
    """Greets for a second, answers each silence of 0.5 s for three seconds, stops 0.2 s after being talked over."""

    def __init__(self) -> None:
        self.left = 50
        self.heard = 0
        self.quiet = 0
        self.ended: asyncio.Future[LegEnd] = asyncio.get_running_loop().create_future()

    def on_frame(self, frame: bytes) -> None:
        if frame.count(0xFF) < 100:
            self.heard, self.quiet = self.heard + 1, 0
            if self.heard == 10:
                self.left = 0
        elif self.heard:
            self.quiet += 1
            if self.quiet == 25:
                self.left, self.heard = 150, 0

    def next_frame(self) -> bytes | None:
        self.left -= 1
        return LOUD if self.left >= 0 else None

    def on_digit(self, digit: str, duration_ms: int) -> None: ...
    def on_played_out(self) -> None: ...
    def on_ended(self, end: LegEnd) -> None:
        self.ended.set_result(end)


@virtual_time
async def test_a_conversation_over_the_wire_is_measured() -> None:
    clock = VirtualClock()
    board = Switchboard()
    ends = [
        SipEndpoint(
            gate=board,
            acceptor=board,
            rtp=RtpEngine(pacer=Pacer(clock), port_min=port, port_max=port + 20, clock=clock),
            host="127.0.0.1",
            port=0,
            public_ip=None,
            clock=clock,
        )
        for port in (43100, 43200)
    ]
    for endpoint in ends:
        await endpoint.start()
    server, phone = ends
    steps = await prepare(conversation(Say("tell me more"), Interrupt("wait please stop now", after_s=1.0)), "tone")
    caller = ScriptedCaller(steps)
    uri = f"sip:100@127.0.0.1:{server.local_port}"
    leg = await phone.place(uri, from_user="caller", listener=caller, source=caller)
    report = await caller.run(leg, limit_s=60)
    async with asyncio.timeout(5):
        end = await board.agents[0].ended
    await server.stop()
    await phone.stop()
    assert report.ok, report.problems
    told, interrupted = report.turns
    assert told.response_delay_s == pytest.approx(0.55, abs=0.15)
    assert interrupted.barge_in_stop_s == pytest.approx(0.25, abs=0.12)
    assert len(report.agent_speech) == 3
    assert end.reason == "bye"
