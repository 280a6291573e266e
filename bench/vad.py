"""Measures the voice detector: CPU per call-second for 1, 20 and 80 calls that push real-time frames in random phase.

Run: .venv/bin/python -m bench.vad [seconds]. A third of each call is speech, as on the telephone.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from pathlib import Path

import uvloop

from moonwire.core.audio.frames import FRAME_BYTES, SILENCE_FRAME
from moonwire.vendors.vad.silero.detector import SileroVad

SPEECH = Path(__file__).parent.parent / "tests" / "vendors" / "vad" / "silero" / "hello.ulaw"


class Count:
    def __init__(self) -> None:
        self.starts = 0

    def on_voice_started(self, ago_s: float) -> None:
        self.starts += 1

    def on_voice_ended(self, ago_s: float) -> None:
        pass


async def measure(calls: int, seconds: float) -> dict[str, float]:
    speech = SPEECH.read_bytes()
    frames = [speech[i : i + FRAME_BYTES] for i in range(0, len(speech) - FRAME_BYTES, FRAME_BYTES)]
    frames += [SILENCE_FRAME] * (2 * len(frames))
    vad = SileroVad()
    vad.start()
    counts = [Count() for _ in range(calls)]
    streams = [vad.open(count) for count in counts]
    phases = sorted((random.random() * 0.02, index) for index in range(calls))
    offsets = [random.randrange(len(frames)) for _ in range(calls)]
    began, cpu, loop_cpu = time.perf_counter(), time.process_time(), time.thread_time()
    for step in range(int(seconds * 50)):
        for phase, index in phases:
            wait = began + step * 0.02 + phase - time.perf_counter()
            if wait > 0.001:
                await asyncio.sleep(wait)
            streams[index].push(frames[(step + offsets[index]) % len(frames)])
    wall, cpu, loop_cpu = time.perf_counter() - began, time.process_time() - cpu, time.thread_time() - loop_cpu
    stats = vad.stats()
    vad.stop()
    return {
        f"core_per_call_{calls}": round(cpu / wall / calls, 5),
        f"gated_{calls}": round(1 - stats.windows_run / max(1, stats.windows), 2),
        f"longest_tick_ms_{calls}": round(stats.longest_tick_s * 1000, 1),
    }


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    result: dict[str, float] = {}
    for calls in (1, 20, 80):
        result |= uvloop.run(measure(calls, seconds))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
