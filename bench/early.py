"""Measures what early generation saves: the same conversation with Flux's eager sign and without.

Run: .venv/bin/python -m bench.early [--seconds S]. The recogniser confirms the end of a turn some 0.4 s after its eager
sign, the model's first token takes 0.3 s: the answer should come earlier by the smaller of the two.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from bench.caller import Caller, Phrase
from bench.conversation import ExactLoop
from bench.figures import percentile
from bench.world import QUESTIONS, SHORT_ANSWER, apart, listening, running_vendors, start_moonwire
from moonwire.sandbox.voices import load_phrasebook

FIRST_TOKEN_S = 0.3
EAGER = 0.4
CERTAIN = 0.9


async def talk(seconds: float, folder: Path, *, early: bool) -> tuple[list[float], list[float]]:
    """Return for each turn: its end to the answer's first frame, and the eager sign to its end, in seconds."""
    options = {"eotThreshold": CERTAIN, **({"eagerEotThreshold": EAGER} if early else {})}
    async with AsyncExitStack() as stack:
        vendors = await stack.enter_async_context(running_vendors(SHORT_ANSWER, first_token_s=FIRST_TOKEN_S))
        vendors.urls["recogniser"] = json.dumps({"vendor": "deepgramflux", "deepgramOptions": options})
        subject = start_moonwire(folder, vendors.urls)
        stack.callback(subject.stop)
        await listening(subject)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        caller, stop = Caller(Phrase(load_phrasebook()[QUESTIONS[0]]), interrupts=False, seed=1), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            url = f"http://127.0.0.1:{subject.port}/media/twilio?number=1&from=2"
            group.create_task(caller.run(session, url, stop))
            await asyncio.sleep(seconds)
            stop.set()
        sent = [(at_s, message.get("event")) for at_s, message in vendors.flux.connections[0].record.sent]
    ends = [at_s for at_s, event in sent if event == "EndOfTurn"][1:]
    eager = [at_s for at_s, event in sent if event == "EagerEndOfTurn"]
    places = [(end_s, bisect_right(caller.notes.media_s, end_s)) for end_s in ends]
    heard = [caller.notes.media_s[place] - end_s for end_s, place in places if place < len(caller.notes.media_s)]
    waits = [end_s - max((at_s for at_s in eager if at_s < end_s), default=end_s) for end_s in ends]
    return heard, waits


async def compare(seconds: float, folders: Sequence[Path]) -> dict[str, float]:
    """Hold both conversations."""
    without, _ = await talk(seconds, folders[0], early=False)
    with_early, waits = await talk(seconds, folders[1], early=True)
    figures = {
        "turns": float(len(with_early)),
        "confirmation_ms": percentile(waits, 50) * 1000,
        "first_token_ms": FIRST_TOKEN_S * 1000,
        "without_p50_ms": percentile(without, 50) * 1000,
        "with_p50_ms": percentile(with_early, 50) * 1000,
    }
    saved_ms = figures["without_p50_ms"] - figures["with_p50_ms"]
    return {name: round(value, 1) for name, value in (figures | {"saved_ms": saved_ms}).items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=15.0)
    seconds = parser.parse_args().seconds
    apart()
    with (
        tempfile.TemporaryDirectory(prefix="moonwire-bench-") as without,
        tempfile.TemporaryDirectory(prefix="moonwire-bench-") as with_early,
        asyncio.Runner(loop_factory=ExactLoop) as runner,
    ):
        print(json.dumps(runner.run(compare(seconds, (Path(without), Path(with_early))))))


if __name__ == "__main__":
    main()
