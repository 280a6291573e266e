"""Measures what sending audio to Deepgram costs: CPU per call-second and per 20 ms frame, for 1, 20 and 80 calls.

Run: .venv/bin/python -m bench.stt [seconds]. The simulator runs in a process of its own.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import time
from multiprocessing.connection import Connection

import aiohttp
import uvloop
from pydantic import SecretStr

from moonwire.core.audio.frames import SILENCE_FRAME
from moonwire.errors import VendorError
from moonwire.ports.directory import VendorCredential
from moonwire.sandbox.deepgram import DeepgramSimulator, Script
from moonwire.spec.components import Recognizer
from moonwire.vendors.stt import open_stt

LOUD = bytes([0x10] * 10 + [0x90] * 10) * 8
FRAMES = [LOUD] * 60 + [SILENCE_FRAME] * 90


class Count:
    def __init__(self) -> None:
        self.turns = 0

    def on_stt_speech_started(self) -> None: ...
    def on_stt_interim(self, text: str) -> None: ...
    def on_stt_final(self, text: str, confidence: float) -> None: ...
    def on_stt_end_of_turn(self) -> None:
        self.turns += 1

    def on_stt_language(self, language: str) -> None: ...

    def on_stt_failed(self, error: VendorError) -> None:
        raise error


def serve(pipe: Connection) -> None:
    async def run() -> None:
        simulator = DeepgramSimulator(hearing=Script(["what are your opening hours"], repeat=True))
        pipe.send(await simulator.start())
        await asyncio.Event().wait()

    uvloop.run(run())


async def measure(base_url: str, calls: int, seconds: float) -> None:
    credential = VendorCredential("deepgram", secrets={"api_key": SecretStr("k")}, fields={"base_url": base_url})
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        counts = [Count() for _ in range(calls)]
        streams = [open_stt(credential, http).open(Recognizer(vendor="deepgram"), count) for count in counts]
        await asyncio.sleep(0.5)
        began, cpu = time.perf_counter(), time.process_time()
        steps = int(seconds * 50)
        for step in range(steps):
            for index, stream in enumerate(streams):
                wait = began + (step + index / calls) * 0.02 - time.perf_counter()
                if wait > 0.001:
                    await asyncio.sleep(wait)
                stream.send_audio(FRAMES[(step + index * 7) % len(FRAMES)])
        cpu, wall = time.process_time() - cpu, time.perf_counter() - began
        await asyncio.gather(*(stream.close() for stream in streams))
    print(
        f"{calls:3d} calls: {cpu / wall / calls:.5f} core per call, {cpu / steps / calls * 1e6:.0f} us per frame, "
        f"{sum(count.turns for count in counts)} turns"
    )


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    base_url = ours.recv()
    for calls in (1, 20, 80):
        uvloop.run(measure(base_url, calls, seconds))
    server.terminate()


if __name__ == "__main__":
    main()
