from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from time import monotonic, time

import pytest

from moonwire.core.audio.frames import SILENCE_FRAME
from moonwire.core.audio.g711 import ulaw_to_alaw
from moonwire.core.rtp.packet import RtpPacket, build_packet, parse_packet
from moonwire.errors import CallError
from moonwire.transports.pacing import Pacer
from moonwire.transports.rtp.ports import GUARD_S, PortPool
from moonwire.transports.rtp.session import RtpEngine, RtpRemote, RtpSession


class SystemClock:
    def monotonic_s(self) -> float:
        return monotonic()

    def utc_s(self) -> float:
        return time()


@dataclass
class SettableClock:
    now_s: float = 0.0

    def monotonic_s(self) -> float:
        return self.now_s

    def utc_s(self) -> float:
        return self.now_s


@dataclass
class Talker:
    """Both ends of a call's audio: notes what it hears, says what it is given."""

    to_say: list[bytes] = field(default_factory=list[bytes])
    heard: list[bytes] = field(default_factory=list[bytes])
    digits: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    played_out: int = 0

    def on_frame(self, frame: bytes) -> None:
        self.heard.append(frame)

    def on_digit(self, digit: str, duration_ms: int) -> None:
        self.digits.append((digit, duration_ms))

    def next_frame(self) -> bytes | None:
        return self.to_say.pop(0) if self.to_say else None

    def on_played_out(self) -> None:
        self.played_out += 1


class Phone:
    """A plain UDP socket that speaks RTP."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.packets: list[RtpPacket] = []

    @property
    def port(self) -> int:
        return self.socket.getsockname()[1]

    def say(self, port: int, packet: RtpPacket) -> None:
        self.socket.sendto(build_packet(packet), ("127.0.0.1", port))

    def read(self) -> list[RtpPacket]:
        try:
            while True:
                packet = parse_packet(self.socket.recv(2048))
                assert packet is not None
                self.packets.append(packet)
        except BlockingIOError:
            return self.packets


async def until(condition: Callable[[], object], timeout_s: float = 5.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0)


def voice(number: int) -> bytes:
    return bytes([number % 100 + 1]) * 160


def packet(number: int, *, payload_type: int = 0, ssrc: int = 5, payload: bytes | None = None) -> RtpPacket:
    return RtpPacket(payload_type, False, number, number * 160, ssrc, voice(number) if payload is None else payload)


@dataclass
class Call:
    session: RtpSession
    talker: Talker
    phone: Phone

    def remote(self) -> RtpRemote:
        return RtpRemote("127.0.0.1", self.phone.port, 0, 101, send=True, receive=True)


@asynccontextmanager
async def calling(silence_limit_s: float = 30.0, calls: int = 1) -> AsyncGenerator[list[Call]]:
    clock = SystemClock()
    engine = RtpEngine(pacer=Pacer(clock), port_min=41000, port_max=41199, clock=clock, silence_limit_s=silence_limit_s)
    made = [Call(engine.open(local_address="127.0.0.1"), Talker(), Phone()) for _ in range(calls)]
    for call in made:
        call.session.attach(call.talker, call.talker)
        call.session.start(call.remote())
    try:
        yield made
    finally:
        for call in made:
            call.session.close()
            call.session.close()
            call.phone.socket.close()


def loud(talker: Talker) -> list[bytes]:
    return [frame for frame in talker.heard if frame != SILENCE_FRAME]


async def test_audio_flows_both_ways() -> None:
    async with calling() as [call]:
        call.talker.to_say += [voice(number) for number in range(3)]
        for number in range(3):
            call.phone.say(call.session.local_port, packet(number))
        await until(lambda: call.talker.played_out)
        await until(lambda: len(call.phone.read()) > 5)
        said = [item for item in call.phone.packets if item.payload != SILENCE_FRAME]
        assert [item.payload for item in said] == [voice(number) for number in range(3)]
        assert [item.marker for item in said] == [True, False, False]
        first = call.phone.packets[0]
        for index, item in enumerate(call.phone.packets):
            assert (item.sequence - first.sequence) & 0xFFFF == index
            assert (item.timestamp - first.timestamp) & 0xFFFFFFFF == index * 160
        await until(lambda: len(loud(call.talker)) >= 3)
        assert loud(call.talker)[:3] == [voice(number) for number in range(3)]
        assert call.talker.played_out == 1
        assert (call.session.unheard_frames(), call.session.clear(), call.session.wake()) == (0, 0, None)
        assert call.session.local_port % 2 == 0


async def test_alaw_both_ways() -> None:
    async with calling() as [call]:
        call.session.start(replace(call.remote(), payload_type=8))
        call.talker.to_say.append(voice(1))
        call.phone.say(call.session.local_port, packet(1, payload_type=8, payload=ulaw_to_alaw(voice(1))))
        await until(lambda: loud(call.talker))
        assert loud(call.talker)[0] == voice(1)
        await until(lambda: any(item.marker for item in call.phone.read()))
        [spoken] = [item for item in call.phone.packets if item.marker]
        assert (spoken.payload_type, spoken.payload) == (8, ulaw_to_alaw(voice(1)))


async def test_digits_in_are_reported_once() -> None:
    async with calling() as [call]:
        body = bytes([5, 0x8A, 0x03, 0x20])
        call.phone.say(call.session.local_port, packet(0))
        for number in (1, 2, 3):
            event = packet(number, payload_type=101, payload=body, ssrc=77)
            call.phone.say(call.session.local_port, event._replace(timestamp=160))
        call.phone.say(call.session.local_port, packet(4))
        call.phone.say(call.session.local_port, packet(5, payload_type=101, payload=b"\x01\x0a\x00\xa0"))
        await until(lambda: len(call.talker.digits) == 2)
        assert call.talker.digits == [("5", 100), ("1", 20)]
        assert voice(4) in call.talker.heard


async def test_digits_out() -> None:
    async with calling() as [call]:
        call.session.send_digits("1#", 60)
        await until(lambda: len({item.timestamp for item in call.phone.read() if item.payload_type == 101}) == 2)
        await until(lambda: [item.payload[1] for item in call.phone.read()].count(0x8A) == 6)
        events = [item for item in call.phone.packets if item.payload_type == 101]
        assert [item.payload[0] for item in events] == [1] * 5 + [11] * 5
        call.session.start(replace(call.remote(), dtmf_payload_type=None))
        call.session.send_digits("2", 60)
        sent = len(call.phone.read())
        await until(lambda: len(call.phone.read()) > sent + 3)
        assert not any(item.payload_type == 101 for item in call.phone.packets[sent + 1 :])


async def test_hold_and_resume() -> None:
    async with calling() as [call]:
        call.session.start(replace(call.remote(), send=False, receive=False))
        call.talker.to_say += [voice(1)] * 2
        call.phone.say(call.session.local_port, packet(0))
        await until(lambda: call.talker.played_out)
        assert call.phone.read() == []
        assert loud(call.talker) == []
        call.session.start(call.remote())
        call.phone.say(call.session.local_port, packet(1))
        await until(lambda: loud(call.talker) and call.phone.read())


@pytest.mark.parametrize(
    ("address", "port"), [("0.0.0.0", 4000), ("localhost", 4000), ("127.0.0.1", 0), ("127.0.0.1", 70000), ("::1", 4000)]
)
async def test_no_usable_address_means_no_packets(address: str, port: int) -> None:
    async with calling() as [call]:
        call.session.start(replace(call.remote(), address=address, port=port))
        call.talker.to_say.append(voice(1))
        await until(lambda: call.talker.played_out)
        assert call.phone.read() == []


async def test_answers_go_where_packets_come_from() -> None:
    async with calling() as [call]:
        behind_nat = Phone()
        try:
            for number in range(3):
                behind_nat.say(call.session.local_port, packet(number))
            await until(lambda: len(behind_nat.read()) > 2)
            assert voice(1) in call.talker.heard
        finally:
            behind_nat.socket.close()


async def test_silence_is_reported_once() -> None:
    async with calling(silence_limit_s=0.1) as [call]:
        reports: list[int] = []
        call.session.on_silent = lambda: reports.append(len(call.talker.heard))
        await until(lambda: len(call.talker.heard) >= 12)
        assert reports == [5]


async def test_comfort_noise_is_a_sign_of_life() -> None:
    async with calling(silence_limit_s=0.1) as [call]:
        reports: list[int] = []
        call.session.on_silent = lambda: reports.append(1)
        for number in range(8):
            call.phone.say(call.session.local_port, packet(number, payload_type=13, payload=b"\x40"))
            heard = len(call.talker.heard)
            await until(lambda heard=heard: len(call.talker.heard) > heard)
        assert reports == []
        assert loud(call.talker) == []


async def test_a_failing_call_ends_alone() -> None:
    class Broken(Talker):
        def on_frame(self, frame: bytes) -> None:
            raise ValueError("engine fault")

    async with calling(calls=2) as [broken, good]:
        ended: list[bool] = []
        broken.session.on_silent = lambda: ended.append(True)
        broken.session.attach(Broken(), broken.talker)
        await until(lambda: len(good.talker.heard) > 3 and ended)
        assert ended == [True]


async def test_a_call_may_close_itself_in_any_callback() -> None:
    class Closing(Talker):
        session: RtpSession | None = None

        def on_played_out(self) -> None:
            super().on_played_out()
            assert self.session is not None
            self.session.close()

    async with calling() as [call]:
        talker = Closing(to_say=[voice(1)])
        talker.session = call.session
        call.session.attach(talker, talker)
        await until(lambda: talker.played_out)
        call.session.start(call.remote())
        heard = len(talker.heard)
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(talker.heard) == heard


async def test_random_datagrams_do_not_disturb_a_neighbour() -> None:
    chance = random.Random(4)
    async with calling(calls=2) as [victim, neighbour]:
        attacker = Phone()
        try:
            for call in (victim, neighbour):
                call.phone.say(call.session.local_port, packet(0))
            await until(lambda: loud(victim.talker) and loud(neighbour.talker))
            sent = 1
            for number in range(5000):
                head = chance.choice([b"", b"\x80\x00", b"\x90\x00", b"\xbf\x65"])
                noise = head + chance.randbytes(chance.randrange(0, 300))
                for port in (victim.session.local_port, neighbour.session.local_port):
                    attacker.socket.sendto(noise, ("127.0.0.1", port))
                if number % 100 == 0:
                    neighbour.phone.say(neighbour.session.local_port, packet(sent))
                    heard = len(neighbour.talker.heard)
                    await until(lambda heard=heard: len(neighbour.talker.heard) > heard)
                    sent += 1
            await until(lambda: voice(sent - 1) in neighbour.talker.heard)
            # On a busy machine a tick may come before its packet: then a concealed frame stands between two heard ones.
            assert all(voice(number) in neighbour.talker.heard for number in range(sent))
            assert len(neighbour.phone.read()) > 15
        finally:
            attacker.socket.close()


async def test_early_packets_are_not_heard_late() -> None:
    clock = SystemClock()
    engine = RtpEngine(pacer=Pacer(clock), port_min=41200, port_max=41210, clock=clock)
    call = Call(engine.open(local_address="127.0.0.1"), Talker(), Phone())
    call.session.attach(call.talker, call.talker)
    call.phone.say(call.session.local_port, packet(0))
    call.session.start(call.remote())
    await until(lambda: len(call.talker.heard) > 2)
    assert loud(call.talker) == []
    call.session.close()
    call.phone.socket.close()


def test_ports_are_even_rest_after_use_and_run_out() -> None:
    clock = SettableClock()
    pool = PortPool(port_min=41301, port_max=41306, clock=clock)
    first, port_a = pool.bind("127.0.0.1")
    second, port_b = pool.bind("127.0.0.1")
    third, port_c = pool.bind("127.0.0.1")
    assert (port_a, port_b, port_c) == (41302, 41304, 41306)
    with pytest.raises(CallError) as caught:
        pool.bind("127.0.0.1")
    assert caught.value.reason == "no-ports"
    first.close()
    pool.release(port_a)
    with pytest.raises(CallError):
        pool.bind("127.0.0.1")
    clock.now_s = GUARD_S
    again, port = pool.bind("127.0.0.1")
    assert port == port_a
    for endpoint in (second, third, again):
        endpoint.close()


def test_a_port_that_another_program_has_is_passed_over() -> None:
    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("127.0.0.1", 41320))
    pool = PortPool(port_min=41320, port_max=41322, clock=SettableClock())
    endpoint, port = pool.bind("127.0.0.1")
    assert port == 41322
    endpoint.close()
    taken.close()
