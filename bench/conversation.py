"""Runs one scenario of conversations against a server process and prints its figures as one JSON object.

Run: `.venv/bin/python -m bench.conversation [--calls N] [--seconds S]`; with `--interrupt`, `--application`, `--floor`
or `--acoustic`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import tempfile
import time
from bisect import bisect_left, bisect_right
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import uvloop

from bench.caller import Caller, CallNotes, Phrase
from bench.figures import percentile
from bench.world import (
    LONG_ANSWER,
    QUESTIONS,
    SHORT_ANSWER,
    Subject,
    Vendors,
    apart,
    listening,
    running_application,
    running_vendors,
    start_floor,
    start_moonwire,
)
from moonwire.sandbox.voices import load_phrasebook

MIN_SPEECH_S = 0.5
SETTLE_S = 3.0
"""After the last call's begin, before anything is measured."""
LATE_S = 0.02
"""A frame that comes this much after its playing time makes an audible gap."""


class ExactLoop(uvloop.Loop):
    """uvloop tells its time in whole milliseconds; here every microsecond counts."""

    def time(self) -> float:
        """Return the machine's monotonic time."""
        return time.monotonic()


@dataclass(frozen=True)
class Scenario:
    """What is run."""

    calls: int
    seconds: float
    interrupt: bool = False
    application: bool = False
    acoustic: bool = False
    floor: bool = False


@dataclass
class Measured:
    """Raw figures of one run."""

    begin_s: float
    end_s: float
    server_cpu_s: float
    server_waited_s: float
    own_cpu_s: float
    rss_idle_mib: float
    rss_busy_mib: float
    turn_answers: TurnAnswers


@dataclass(frozen=True)
class TurnAnswers:
    """What the server has published about its acoustic turn model."""

    by_limit: dict[float, float]
    """Answers within so many seconds."""
    late: float

    def since(self, before: TurnAnswers) -> TurnAnswers:
        """Return what has been added."""
        limits = {limit: count - before.by_limit.get(limit, 0.0) for limit, count in self.by_limit.items()}
        return TurnAnswers(limits, self.late - before.late)

    def within_s(self, share: float) -> float:
        """Return the first limit that so many of the answers kept; those that came at all."""
        most = max(self.by_limit.values(), default=0.0)
        return next((limit for limit, count in sorted(self.by_limit.items()) if most and count >= share * most), 0.0)

    def figures(self) -> dict[str, float]:
        """Return what the report shows."""
        return {
            "turn_answers": max(self.by_limit.values(), default=0.0),
            "turn_answers_late": self.late,
            "turn_answer_p50_ms": self.within_s(0.5) * 1000,
            "turn_answer_p95_ms": self.within_s(0.95) * 1000,
        }


async def turn_answers(session: aiohttp.ClientSession, port: int) -> TurnAnswers:
    """Ask the server."""
    async with session.get(f"http://127.0.0.1:{port}/metrics") as response:
        text = await response.text() if response.status == 200 else ""
    limits = re.findall(r'moonwire_turn_answer_seconds_bucket\{le="([^"+]+)"\} (\S+)', text)
    late = re.findall(r"^moonwire_turn_answers_late (\S+)", text, re.MULTILINE)
    return TurnAnswers({float(limit): float(count) for limit, count in limits}, float(late[0]) if late else 0.0)


async def converse(scenario: Scenario, vendors: Vendors, subject: Subject) -> tuple[list[Caller], Measured]:
    """Bring all callers up one after the other, let them talk, and hang up."""
    phrases = [Phrase(load_phrasebook()[text]) for text in QUESTIONS]
    callers = [
        Caller(phrases[index % len(phrases)], interrupts=scenario.interrupt, seed=index)
        for index in range(scenario.calls)
    ]
    url = f"http://127.0.0.1:{subject.port}/media/twilio?number=1&from=2"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await _warm_up(session, url, phrases[0])
        rss_idle_mib = subject.rss_mib()
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for number, caller in enumerate(callers):
                group.create_task(caller.run(session, url, stop))
                # One by one: the n-th recogniser connection is the n-th caller's.
                await vendors.deepgram.until(lambda n=number: len(vendors.deepgram.connections) >= n + 2)
            await asyncio.sleep(SETTLE_S)
            begin_s, begin_cpu_s, begin_own_s = time.monotonic(), subject.cpu_s(), time.process_time()
            begin_waited_s, answers = subject.waited_s(), await turn_answers(session, subject.port)
            await asyncio.sleep(scenario.seconds)
            measured = Measured(
                begin_s,
                time.monotonic(),
                subject.cpu_s() - begin_cpu_s,
                subject.waited_s() - begin_waited_s,
                time.process_time() - begin_own_s,
                rss_idle_mib,
                subject.rss_mib(),
                (await turn_answers(session, subject.port)).since(answers),
            )
            stop.set()
    return callers, measured


async def _warm_up(session: aiohttp.ClientSession, url: str, phrase: Phrase) -> None:
    """Have one call with one answer, so that lazy imports and caches do not count as a call's."""
    stop = asyncio.Event()
    first = Caller(phrase, interrupts=False, seed=0)
    async with asyncio.TaskGroup() as group:
        group.create_task(first.run(session, url, stop))
        async with asyncio.timeout(15):
            while len(first.notes.media_s) < 20:  # noqa: ASYNC110 - a benchmark may poll
                await asyncio.sleep(0.05)
        stop.set()
    await asyncio.sleep(1.0)


def added_s(finals_s: list[float], notes: CallNotes, measured: Measured) -> list[float]:
    """Return the time from each final transcript to the first frame of the answer."""
    found: list[float] = []
    for index, final_s in enumerate(finals_s):
        place = bisect_right(notes.media_s, final_s)
        until_s = finals_s[index + 1] if index + 1 < len(finals_s) else measured.end_s
        if final_s >= measured.begin_s and place < len(notes.media_s) and notes.media_s[place] < until_s:
            found.append(notes.media_s[place] - final_s)
    return found


def barge_ins(notes: CallNotes, finals_s: list[float], measured: Measured) -> tuple[list[float], list[float], int]:
    """Return onset to hold, last frame after the confirmed interruption, and how many were not held at all."""
    held: list[float] = []
    last: list[float] = []
    missed = 0
    for onset_s in notes.onsets_s:
        if not measured.begin_s <= onset_s <= measured.end_s - 2.0:
            continue
        final = bisect_right(finals_s, onset_s)
        answered_s = finals_s[final] if final < len(finals_s) else measured.end_s
        clear = bisect_left(notes.clears_s, onset_s)
        if clear < len(notes.clears_s) and notes.clears_s[clear] < answered_s:
            held.append(notes.clears_s[clear] - onset_s)
        else:
            missed += 1
        frame = bisect_left(notes.media_s, answered_s) - 1
        last.append(notes.media_s[frame] - onset_s - MIN_SPEECH_S)
    return held, last, missed


def figures(scenario: Scenario, vendors: Vendors, callers: list[Caller], measured: Measured) -> dict[str, float]:
    """Work the notes out."""
    added: list[float] = []
    held: list[float] = []
    last: list[float] = []
    missed = late = lost = frames = 0
    overslept, finals_s = list[float](), list[float]()
    # The first connection was the warm-up's.
    for session, caller in zip(vendors.deepgram.connections[1:], callers, strict=True):
        finals_s = [at_s for at_s, message in session.record.sent if message.get("speech_final")]
        notes = caller.notes
        added += added_s(finals_s, notes, measured)
        held_here, last_here, missed_here = barge_ins(notes, finals_s, measured)
        held, last, missed = held + held_here, last + last_here, missed + missed_here
        late += sum(seconds > LATE_S for seconds in notes.late_s)
        lost += notes.lost_turns
        frames += len(notes.media_s)
        overslept += notes.overslept_s
    result = {
        "calls": scenario.calls,
        "turns": len(added),
        "added_p50_ms": percentile(added, 50) * 1000,
        "added_p95_ms": percentile(added, 95) * 1000,
        "callers_late_p95_ms": percentile(overslept, 95) * 1000,
        "lost_turns": lost,
        "late_frames": late,
        "late_frames_share": late / max(1, frames),
        **costs(scenario, measured),
    }
    if scenario.calls == 1:
        result |= stages(vendors, finals_s, callers[0].notes)
    if scenario.acoustic:
        result |= measured.turn_answers.figures()
    if scenario.interrupt:
        result |= yielding(held, last, missed)
    return {name: round(value, 4) for name, value in result.items()}


def yielding(held: list[float], last: list[float], missed: int) -> dict[str, float]:
    """Return how the agent made way for callers."""
    return {
        "barge_ins": len(last),
        "held_p50_ms": percentile(held, 50) * 1000,
        "held_p95_ms": percentile(held, 95) * 1000,
        "not_held": missed,
        "last_frame_p95_ms": percentile(last, 95) * 1000,
    }


def costs(scenario: Scenario, measured: Measured) -> dict[str, float]:
    """Return CPU and memory."""
    elapsed_s = measured.end_s - measured.begin_s
    return {
        "core_per_call": measured.server_cpu_s / elapsed_s / scenario.calls,
        "server_busy": measured.server_cpu_s / elapsed_s,
        "server_kept_waiting": measured.server_waited_s / elapsed_s,
        "callers_busy": measured.own_cpu_s / elapsed_s,
        "rss_idle_mib": measured.rss_idle_mib,
        "rss_per_call_mib": (measured.rss_busy_mib - measured.rss_idle_mib) / scenario.calls,
    }


def stages(vendors: Vendors, finals_s: list[float], notes: CallNotes) -> dict[str, float]:
    """Split the added latency of the only call: to the model, from there to the voice, from there to the caller."""
    asked_s = [chat.arrived_s for chat in vendors.moonshot.chats]
    spoken_s = [item.at_s for item in vendors.cartesia.records.received if item.message.get("transcript")]
    steps: list[tuple[float, float, float]] = []
    for final_s in finals_s:
        places = [bisect_right(times, final_s) for times in (asked_s, spoken_s, notes.media_s)]
        if all(place < len(times) for place, times in zip(places, (asked_s, spoken_s, notes.media_s), strict=True)):
            asked, spoken, heard = asked_s[places[0]], spoken_s[places[1]], notes.media_s[places[2]]
            steps.append((asked - final_s, spoken - asked, heard - spoken))
    names = ("to_model_p50_ms", "model_to_voice_p50_ms", "voice_to_caller_p50_ms")
    return {name: percentile(times, 50) * 1000 for name, times in zip(names, zip(*steps, strict=True), strict=True)}


async def run(scenario: Scenario, folder: Path) -> dict[str, float]:
    """Run one scenario in a folder of its own."""
    async with AsyncExitStack() as stack:
        vendors = await stack.enter_async_context(running_vendors(LONG_ANSWER if scenario.interrupt else SHORT_ANSWER))
        if scenario.acoustic:
            vendors.urls["turns"] = "krisp"
        if scenario.application:
            await stack.enter_async_context(running_application(vendors.urls))
        start = start_floor if scenario.floor else start_moonwire
        subject = start(folder, vendors.urls)
        stack.callback(subject.stop)
        await listening(subject)
        callers, measured = await converse(scenario, vendors, subject)
        return figures(scenario, vendors, callers, measured)


def main() -> None:
    """Read the scenario from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--interrupt", action="store_true")
    parser.add_argument("--application", action="store_true")
    parser.add_argument("--acoustic", action="store_true")
    parser.add_argument("--floor", action="store_true")
    scenario = Scenario(**vars(parser.parse_args()))
    apart()
    with tempfile.TemporaryDirectory(prefix="moonwire-bench-") as folder:
        try:
            with asyncio.Runner(loop_factory=ExactLoop) as runner:
                print(json.dumps(runner.run(run(scenario, Path(folder)))))
        except BaseException:
            log = Path(folder) / "server.log"
            if log.exists():
                print(log.read_text(errors="replace")[-3000:])
            raise


if __name__ == "__main__":
    main()
