"""Measures noise suppression: CPU per call-second and time per frame for calls that push frames in random phase.

Run: .venv/bin/python -m bench.noise [seconds]. Pure noise is the dearest input; RNNoise needs `moonwire models fetch`.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from pathlib import Path

import numpy as np
import uvloop

from moonwire.core.audio.g711 import encode_ulaw
from moonwire.ports.noise import NoiseWish
from moonwire.vendors.noise import NoiseEngines, open_noise_engines
from moonwire.vendors.noise.rnnoise.file import RNNOISE

CALLS = 8


class Ear:
    def __init__(self) -> None:
        self.pushed: list[float] = []
        self.took: list[float] = []

    def on_clean(self, frame: bytes) -> None:
        self.took.append(time.perf_counter() - self.pushed[len(self.took)])

    def on_noise_failed(self, reason: str) -> None:
        raise SystemExit(reason)


async def measure(engines: NoiseEngines, engine: str, seconds: float) -> dict[str, float]:
    noise = np.random.default_rng(1).normal(0, 800, 160 * 50).astype("<i2")
    frames = [encode_ulaw(piece.tobytes()) for piece in np.split(noise, 50)]
    ears = [Ear() for _ in range(CALLS)]
    streams = [engines.open(NoiseWish(engine), ear) for ear in ears]
    phases = sorted((random.random() * 0.02, index) for index in range(CALLS))
    for index, stream in enumerate(streams):  # the first frame sets the engine up
        assert stream is not None
        assert stream.engine == engine
        ears[index].pushed.append(time.perf_counter())
        stream.push(frames[0])
    await asyncio.sleep(0.2)
    began, cpu, loop_cpu = time.perf_counter(), time.process_time(), time.thread_time()
    for step in range(int(seconds * 50)):
        for phase, index in phases:
            wait = began + step * 0.02 + phase - time.perf_counter()
            if wait > 0.0005:
                await asyncio.sleep(wait)
            stream = streams[index]
            assert stream is not None
            ears[index].pushed.append(time.perf_counter())
            stream.push(frames[step % 50])
    wall, cpu, loop_cpu = time.perf_counter() - began, time.process_time() - cpu, time.thread_time() - loop_cpu
    await asyncio.sleep(0.2)
    took = sorted(one for ear in ears for one in ear.took[1:])
    for stream in streams:
        assert stream is not None
        stream.close()
    return {
        f"{engine}_core_per_call": round(cpu / wall / CALLS, 4),
        f"{engine}_loop_core_per_call": round(loop_cpu / wall / CALLS, 4),
        f"{engine}_frame_p50_ms": round(took[len(took) // 2] * 1000, 2),
        f"{engine}_frame_p95_ms": round(took[len(took) * 95 // 100] * 1000, 2),
    }


async def run(seconds: float) -> dict[str, float]:
    library = RNNOISE.find(Path("var"), None)
    engines = open_noise_engines(library, {})
    result = await measure(engines, "webrtc", seconds)
    if library is not None:
        result |= await measure(engines, "rnnoise", seconds)
    engines.close()
    return result


def main() -> None:
    print(json.dumps(uvloop.run(run(float(sys.argv[1]) if len(sys.argv) > 1 else 5.0))))


if __name__ == "__main__":
    main()
