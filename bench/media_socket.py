"""Measures what `/media/twilio` costs: CPU per call-second and the delay of an echo; callers in another process.

Run: `.venv/bin/python bench/media_socket.py [CALLS] [SECONDS]`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import multiprocessing
import sys
import time

import aiohttp
import uvicorn
import uvloop
from fastapi import FastAPI

from moonwire.ports.legs import CallLeg, LegEnd
from moonwire.transports.pacing import Pacer
from moonwire.transports.websocket.server import websocket_protocol
from moonwire.transports.websocket.twilio import TWILIO_PATH, TwilioDoor

PORT = 18099
VOICE = bytes(range(160))


class SystemClock:
    """The machine's clocks."""

    def monotonic_s(self) -> float:
        return time.monotonic()

    def utc_s(self) -> float:
        return time.time()


class Echo:
    """Answers every frame of voice with one frame, at once."""

    def __init__(self, leg: CallLeg) -> None:
        self.leg = leg
        self.waiting = 0
        self.heard = 0
        leg.attach(self, self)

    def on_frame(self, frame: bytes) -> None:
        self.heard += 1
        if frame == VOICE:
            self.waiting += 1
            self.leg.wake()

    def next_frame(self) -> bytes | None:
        if not self.waiting:
            return None
        self.waiting -= 1
        return VOICE

    def on_digit(self, digit: str, duration_ms: int) -> None:
        pass

    def on_played_out(self) -> None:
        pass

    def on_ended(self, end: LegEnd) -> None:
        pass


class Engine:
    """Admits and takes everything."""

    def __init__(self) -> None:
        self.calls: list[Echo] = []

    def offer(self, leg: CallLeg) -> None:
        self.calls.append(Echo(leg))

    def carrier_for_address(self, address: str) -> str | None:
        return "bench"

    def carrier_for_token(self, token: str) -> str | None:
        return None

    def twilio_auth_tokens(self) -> dict[str, str]:
        return {}


async def call(session: aiohttp.ClientSession, seconds: float, delays_ms: list[float], phase_s: float) -> None:
    """Be one caller: 50 frames a second, the delay of each echo noted."""
    payload = base64.b64encode(VOICE).decode()
    media = json.dumps({"event": "media", "media": {"track": "inbound", "payload": payload}, "streamSid": "MZ"})
    await asyncio.sleep(phase_s)
    async with session.ws_connect(f"http://127.0.0.1:{PORT}{TWILIO_PATH}?number=1") as socket:
        await socket.send_json({"event": "start", "start": {"streamSid": "MZ", "callSid": "CA"}})
        sent: list[float] = []

        async def listen() -> None:
            echoed = 0
            async for message in socket:
                if '"media"' in message.data:
                    delays_ms.append((time.monotonic() - sent[echoed]) * 1000)
                    echoed += 1

        listening = asyncio.create_task(listen())
        start = time.monotonic()
        for number in range(round(seconds * 50)):
            sent.append(time.monotonic())
            await socket.send_str(media)
            await asyncio.sleep(max(0.0, start + (number + 1) * 0.02 - time.monotonic()))
        await socket.close()
        await listening


def callers(calls: int, seconds: float) -> None:
    """Run all callers and print the delays."""

    async def run() -> None:
        delays_ms: list[float] = []
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            await asyncio.gather(*(call(session, seconds, delays_ms, index * 0.02 / calls) for index in range(calls)))
        delays_ms.sort()
        print(
            f"echo delay p50/p95: {delays_ms[len(delays_ms) // 2]:.2f}/{delays_ms[len(delays_ms) * 95 // 100]:.2f} ms"
        )

    uvloop.run(run())


async def measure(calls: int, seconds: float) -> None:
    """Run the server and print its costs."""
    clock, engine = SystemClock(), Engine()
    door = TwilioDoor(gate=engine, acceptor=engine, pacer=Pacer(clock), clock=clock)
    config = uvicorn.Config(FastAPI(), port=PORT, ws=websocket_protocol({TWILIO_PATH: door}), log_config=None)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    process = multiprocessing.get_context("spawn").Process(target=callers, args=(calls, seconds + 3))
    process.start()
    while len(engine.calls) < calls:  # noqa: ASYNC110 - a benchmark may poll
        await asyncio.sleep(0.1)
    await asyncio.sleep(1)
    begin_s, begin_cpu_s = time.monotonic(), time.process_time()
    begin_heard = sum(echo.heard for echo in engine.calls)
    await asyncio.sleep(seconds)
    elapsed_s, cpu_s = time.monotonic() - begin_s, time.process_time() - begin_cpu_s
    heard = sum(echo.heard for echo in engine.calls) - begin_heard
    print(f"calls {calls}, {elapsed_s:.1f} s")
    print(f"CPU per call-second: {cpu_s / elapsed_s / calls * 1000:.2f} ms")
    print(f"CPU per message (in and out): {cpu_s / (heard * 2) * 1e6:.1f} us")
    await asyncio.to_thread(process.join, 10)
    server.should_exit = True
    await running


if __name__ == "__main__":
    arguments = [float(argument) for argument in sys.argv[1:]]
    uvloop.run(measure(int(arguments[0]) if arguments else 20, arguments[1] if len(arguments) > 1 else 6.0))
