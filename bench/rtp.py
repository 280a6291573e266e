"""Measures what RTP costs: CPU per call-second of the engine, with callers in a process of their own.

Run: `.venv/bin/python -m bench.rtp [CALLS] [SECONDS]`; prints ratios only, which survive a loaded machine.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import socket
import sys
import time

import uvloop

from bench.figures import percentile
from moonwire.core.rtp.packet import build_datagram
from moonwire.transports.pacing import Pacer
from moonwire.transports.rtp.session import RtpEngine, RtpRemote, RtpSession

PORT_MIN = 30000
VOICE = bytes(range(1, 161))


class SystemClock:
    """The machine's clocks."""

    def monotonic_s(self) -> float:
        return time.monotonic()

    def utc_s(self) -> float:
        return time.time()


class Echo:
    """A call that hears and speaks in every tick, and notes how evenly the ticks come."""

    def __init__(self) -> None:
        self.heard = 0
        self.times_s: list[float] = []

    def on_frame(self, frame: bytes) -> None:
        self.heard += frame == VOICE

    def on_digit(self, digit: str, duration_ms: int) -> None:
        pass

    def next_frame(self) -> bytes | None:
        self.times_s.append(time.monotonic())
        return VOICE

    def on_played_out(self) -> None:
        pass


def callers(ports: list[int], first_local: int, seconds: float) -> None:
    """Send 50 packets a second to each port and read what comes back."""
    sockets: list[socket.socket] = []
    for index, port in enumerate(ports):
        endpoint = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        endpoint.bind(("127.0.0.1", first_local + index))
        endpoint.connect(("127.0.0.1", port))
        endpoint.setblocking(False)
        sockets.append(endpoint)
    start = time.monotonic()
    for number in range(round(seconds * 50)):
        packet = build_datagram(0, number & 0xFFFF, number * 160, 1, VOICE)
        for endpoint in sockets:
            try:
                endpoint.send(packet)
                while True:
                    endpoint.recv(2048)
            except OSError:  # nothing more to read, or the engine has ended
                pass
        time.sleep(max(0.0, start + (number + 1) * 0.02 - time.monotonic()))  # noqa: TID251 - a process of its own


async def measure(calls: int, seconds: float) -> dict[str, float]:
    """Run the calls and return the figures."""
    clock = SystemClock()
    engine = RtpEngine(pacer=Pacer(clock), port_min=PORT_MIN, port_max=PORT_MIN + 4 * calls, clock=clock)
    sessions: list[RtpSession] = []
    echoes = [Echo() for _ in range(calls)]
    first_local = PORT_MIN + 4 * calls + 10
    for index, echo in enumerate(echoes):
        session = engine.open(local_address="127.0.0.1")
        session.attach(echo, echo)
        session.start(RtpRemote("127.0.0.1", first_local + index, 0, 101, send=True, receive=True))
        sessions.append(session)
    ports = [session.local_port for session in sessions]
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=callers, args=(ports, first_local, seconds + 2))
    process.start()
    while not all(echo.heard for echo in echoes):  # noqa: ASYNC110 - a benchmark may poll
        await asyncio.sleep(0.05)
    begin_s, begin_cpu_s, begin_heard = time.monotonic(), time.process_time(), sum(echo.heard for echo in echoes)
    await asyncio.sleep(seconds)
    elapsed_s, cpu_s = time.monotonic() - begin_s, time.process_time() - begin_cpu_s
    heard = sum(echo.heard for echo in echoes) - begin_heard
    errors_ms = [
        abs(later - earlier - 0.02) * 1000
        for echo in echoes
        for earlier, later in zip(echo.times_s, echo.times_s[1:], strict=False)
    ]
    result = {
        "calls": calls,
        "core_per_call": round(cpu_s / elapsed_s / calls, 5),
        "packet_us": round(cpu_s / (heard * 2) * 1e6, 1),
        "heard_of_expected": round(heard / (elapsed_s * 50 * calls), 3),
        "interval_error_p50_ms": round(percentile(errors_ms, 50), 2),
        "interval_error_p99_ms": round(percentile(errors_ms, 99), 2),
    }
    for session in sessions:
        session.close()
    process.join(5)
    process.terminate()
    return result


if __name__ == "__main__":
    arguments = [float(argument) for argument in sys.argv[1:]]
    seconds = arguments[1] if len(arguments) > 1 else 6.0
    print(json.dumps(uvloop.run(measure(int(arguments[0]) if arguments else 60, seconds))))
