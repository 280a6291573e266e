"""Measures how long the command line and the server take to start.

Run: `.venv/bin/python -m bench.startup`.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import aiohttp

from bench.world import apart, running_vendors, start_moonwire

ROUNDS = 3


def help_s() -> float:
    """Time `moonwire --help`."""
    began_s = time.monotonic()
    subprocess.run([str(Path(sys.executable).with_name("moonwire")), "--help"], check=True, capture_output=True)
    return time.monotonic() - began_s


async def ready_s(folder: Path, urls: dict[str, str]) -> tuple[float, float]:
    """Time `moonwire serve` until /readyz says yes; also return its memory then."""
    began_s = time.monotonic()
    subject = start_moonwire(folder, urls)
    try:
        async with asyncio.timeout(30), aiohttp.ClientSession() as session:
            while True:
                try:
                    async with session.get(f"http://127.0.0.1:{subject.port}/readyz") as answer:
                        if answer.status == 200:
                            return time.monotonic() - began_s, subject.rss_mib()
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.02)
    finally:
        subject.stop()


async def measure() -> dict[str, float]:
    """Start several times: once with nothing prepared, then with the database of the first time."""
    with tempfile.TemporaryDirectory(prefix="moonwire-bench-") as folder:
        async with running_vendors("Yes.") as vendors:
            first_s, _ = await ready_s(Path(folder), vendors.urls)
            again = [await ready_s(Path(folder), vendors.urls) for _ in range(ROUNDS)]
    return {
        "help_s": round(median(help_s() for _ in range(ROUNDS)), 3),
        "first_ready_s": round(first_s, 3),
        "ready_s": round(median(seconds for seconds, _ in again), 3),
        "rss_mib": round(median(rss_mib for _, rss_mib in again), 1),
    }


if __name__ == "__main__":
    apart()
    print(json.dumps(asyncio.run(measure())))
