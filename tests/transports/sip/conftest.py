"""A real endpoint on loopback and a telephone written from scratch: it shares no parser with what it tests."""

from __future__ import annotations

import asyncio
import itertools
import re
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic, time

import pytest

from moonwire.core.sip.transactions import Timing
from moonwire.ports.legs import CallLeg, LegEnd
from moonwire.transports.pacing import Pacer
from moonwire.transports.rtp.session import RtpEngine
from moonwire.transports.sip.endpoint import SipEndpoint

OFFER = (
    "v=0\r\no=phone 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
)
QUICK = Timing(t1_s=0.02, t2_s=0.08, t4_s=0.1, farewell_s=0.2)
"""64*T1 is 1.28 s."""
_numbers = itertools.count(1)


class SystemClock:
    def monotonic_s(self) -> float:
        return monotonic()

    def utc_s(self) -> float:
        return time()


@dataclass
class Gate:
    admitted: Mapping[str, str] = field(default_factory=lambda: {"127.0.0.1": "loopback", "::1": "loopback"})

    def carrier_for_address(self, address: str) -> str | None:
        return self.admitted.get(address)

    def carrier_for_token(self, token: str) -> str | None:
        return None

    def twilio_auth_tokens(self) -> Mapping[str, str]:
        return {}


class Listener:
    """The engine's side of a leg: says nothing, notes everything."""

    def __init__(self) -> None:
        self.frames = 0
        self.digits: list[tuple[str, int]] = []
        self.ends: list[LegEnd] = []
        self.ended = asyncio.Event()
        self.heard = asyncio.Event()
        self.pressed = asyncio.Event()

    def on_frame(self, frame: bytes) -> None:
        self.frames += 1
        self.heard.set()

    def on_digit(self, digit: str, duration_ms: int) -> None:
        self.digits.append((digit, duration_ms))
        self.pressed.set()

    def on_ended(self, end: LegEnd) -> None:
        self.ends.append(end)
        self.ended.set()

    def next_frame(self) -> bytes | None:
        return None

    def on_played_out(self) -> None:
        pass

    async def end(self) -> LegEnd:
        async with asyncio.timeout(5):
            await self.ended.wait()
        assert len(self.ends) == 1
        return self.ends[0]


class Legs:
    """A CallAcceptor that keeps what it is offered, each with a listener attached."""

    def __init__(self) -> None:
        self.offered: asyncio.Queue[tuple[CallLeg, Listener]] = asyncio.Queue()
        self.count = 0
        self.on_offer: Callable[[CallLeg], None] | None = None

    def offer(self, leg: CallLeg) -> None:
        listener = Listener()
        leg.attach(listener, listener)
        self.count += 1
        if self.on_offer is not None:
            self.on_offer(leg)
        self.offered.put_nowait((leg, listener))

    async def next(self) -> tuple[CallLeg, Listener]:
        async with asyncio.timeout(5):
            return await self.offered.get()


@dataclass
class Reply:
    """A message the telephone received."""

    start: str
    headers: list[tuple[str, str]]
    body: str
    raw: bytes

    @property
    def status(self) -> int:
        return int(self.start.split(" ")[1]) if self.start.startswith("SIP/2.0") else 0

    @property
    def method(self) -> str:
        return "" if self.status else self.start.split(" ")[0]

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name: str) -> str:
        values = self.all(name)
        return values[0] if values else ""

    @property
    def to_tag(self) -> str:
        found = re.search(r"tag=([^;>\s]+)", self.get("To"))
        return found.group(1) if found else ""


def read_reply(data: bytes) -> Reply:
    head, _, body = data.decode().partition("\r\n\r\n")
    start, *lines = head.split("\r\n")
    headers = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return Reply(start, headers, body, data)


class Phone:
    """One UDP telephone with one call, all text under the test's control."""

    def __init__(self, server_port: int) -> None:
        self.server = ("127.0.0.1", server_port)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.port = self.socket.getsockname()[1]
        self.number = next(_numbers)
        self.call_id = f"call-{self.number}@phone"
        self.from_tag = f"from{self.number}"
        self.to_tag = ""
        self.cseq = 0
        self.branch = ""

    def close(self) -> None:
        self.socket.close()

    def text(
        self,
        method: str,
        *,
        body: str = "",
        media_type: str = "application/sdp",
        cseq: int | None = None,
        branch: str | None = None,
        via: str | None = None,
        uri: str | None = None,
        headers: str = "",
        contact: str | None = None,
    ) -> bytes:
        if cseq is None:
            self.cseq += 1
            cseq = self.cseq
        self.branch = branch or f"z9hG4bKtest{next(_numbers)}"
        via = via or f"SIP/2.0/UDP 127.0.0.1:{self.port};branch={self.branch};rport"
        tag = f";tag={self.to_tag}" if self.to_tag else ""
        lines = [
            f"{method} {uri or f'sip:+16175551212@127.0.0.1:{self.server[1]}'} SIP/2.0",
            f"Via: {via}",
            "Max-Forwards: 70",
            f'From: "Alice" <sip:+15551234567@127.0.0.1:{self.port}>;tag={self.from_tag}',
            f"To: <sip:+16175551212@127.0.0.1>{tag}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {cseq} {method}",
            f"Contact: {contact or f'<sip:alice@127.0.0.1:{self.port}>'}",
        ]
        if body:
            lines.append(f"Content-Type: {media_type}")
        text = "\r\n".join(lines) + "\r\n" + headers
        return f"{text}Content-Length: {len(body)}\r\n\r\n{body}".encode()

    def send(self, data: bytes) -> bytes:
        self.socket.sendto(data, self.server)
        return data

    async def receive(self, timeout_s: float = 3.0) -> Reply:
        async with asyncio.timeout(timeout_s):
            data = await asyncio.get_running_loop().sock_recv(self.socket, 65536)
        return read_reply(data)

    async def receive_raw(self) -> bytes:
        async with asyncio.timeout(5):
            return await asyncio.get_running_loop().sock_recv(self.socket, 65536)

    async def until(self, wanted: int | str) -> Reply:
        """Read until a status or a method; provisional and repeated messages on the way are skipped."""
        async with asyncio.timeout(5):
            while True:
                reply = await self.receive(5)
                if wanted in (reply.status, reply.method):
                    return reply

    async def final(self) -> Reply:
        async with asyncio.timeout(5):
            while True:
                reply = await self.receive(5)
                if reply.status >= 200:
                    return reply

    def nothing_waits(self) -> bool:
        try:
            self.socket.recv(65536, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        return False

    def invite(self, body: str | None = None, **options: object) -> bytes:
        body = OFFER.format(port=self.port + 1 if self.port < 65535 else 4000) if body is None else body
        return self.send(self.text("INVITE", body=body, **options))  # pyright: ignore[reportArgumentType]

    def ack(self, reply: Reply, *, body: str = "", cseq: int | None = None) -> bytes:
        self.to_tag = reply.to_tag
        number = int(reply.get("CSeq").split()[0]) if cseq is None else cseq
        branch = self.branch if reply.status >= 300 else None
        return self.send(self.text("ACK", body=body, cseq=number, branch=branch))

    def reply_to(self, request: Reply, status: str, headers: str = "", body: str = "") -> None:
        lines = [f"SIP/2.0 {status}"]
        lines += [f"Via: {value}" for value in request.all("Via")]
        lines += [f"{name}: {request.get(name)}" for name in ("From", "To", "Call-ID", "CSeq")]
        if body:
            lines.append("Content-Type: application/sdp")
        text = "\r\n".join(lines) + f"\r\n{headers}Content-Length: {len(body)}\r\n\r\n{body}"
        self.socket.sendto(text.encode(), self.server)


class Rig:
    """Endpoints, their engine's side, and telephones; closed by the fixture."""

    def __init__(self) -> None:
        self.clock = SystemClock()
        self.gate = Gate()
        self.legs = Legs()
        self.pacer = Pacer(self.clock)
        self._endpoints: list[SipEndpoint] = []
        self._phones: list[Phone] = []

    def engine(self, silence_limit_s: float = 30.0) -> RtpEngine:
        return RtpEngine(
            pacer=self.pacer, port_min=21000, port_max=28999, clock=self.clock, silence_limit_s=silence_limit_s
        )

    async def endpoint(
        self, *, timing: Timing | None = None, silence_limit_s: float = 30.0, host: str = "127.0.0.1", port: int = 0
    ) -> SipEndpoint:
        made = SipEndpoint(
            gate=self.gate,
            acceptor=self.legs,
            rtp=self.engine(silence_limit_s),
            host=host,
            port=port,
            public_ip=None,
            clock=self.clock,
            timing=timing or Timing(farewell_s=0.05),
        )
        await made.start()
        self._endpoints.append(made)
        return made

    def phone(self, endpoint: SipEndpoint) -> Phone:
        phone = Phone(endpoint.local_port)
        self._phones.append(phone)
        return phone

    async def answered(self, phone: Phone, **options: object) -> tuple[CallLeg, Listener, Reply]:
        """Let a telephone call and be answered, ACK included."""
        phone.invite(**options)  # pyright: ignore[reportArgumentType]
        leg, listener = await self.legs.next()
        await leg.answer()
        reply = await phone.until(200)
        phone.ack(reply)
        return leg, listener, reply

    async def reach(self, holds: Callable[[], bool]) -> None:
        """Let the loop run until a condition holds."""
        async with asyncio.timeout(5):
            while not holds():
                await asyncio.sleep(0)

    async def close(self) -> None:
        for endpoint in self._endpoints:
            await endpoint.stop()
        for phone in self._phones:
            phone.close()


@pytest.fixture
async def rig() -> AsyncGenerator[Rig]:
    made = Rig()
    yield made
    await made.close()


@pytest.fixture
async def endpoint(rig: Rig) -> SipEndpoint:
    return await rig.endpoint()


@pytest.fixture
async def phone(rig: Rig, endpoint: SipEndpoint) -> Phone:
    return rig.phone(endpoint)


@pytest.fixture
def quick() -> Timing:
    return QUICK


@pytest.fixture
def make_listener() -> Callable[[], Listener]:
    return Listener


Answerer = Callable[[CallLeg], Awaitable[None]]
