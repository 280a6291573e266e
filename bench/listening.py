"""Listening check: scripted calls over real SIP, recorded in stereo, and what a careful ear would complain about.

Run: `.venv/bin/python -m bench.listening [--only NAME] [--keep FOLDER]`. Prints a table; the recordings (left the
caller, right the agent) stay in `demo-output/listening`. A call that did not go as scripted says so above its line.

- overlap: the longest stretch in which both speak, apart from what the script has the caller say over the agent.
- answer: from the caller's last sound to the agent's next one. Silence: the longest time in which nobody speaks
  although the agent owes something (it speaks next, and the caller has spoken last or it was speaking itself).
- clicks: sound that begins or ends at level, and jumps of the waveform that its neighbourhood does not explain.
- dropouts: holes of digital silence in the middle of sound.

Clicks and dropouts count where two frames meet: what the server, the network or a cut do wrong happens there, while
inside a frame the voice is as the vendor made it (a synthetic "k" begins like a click, and sentences are joined by
holes of 38 ms).
"""

from __future__ import annotations

import argparse
import asyncio
import wave
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench.listening_calls import OKAY, Guest, Scene, backchannel, prices, scenes, surroundings
from moonwire.app import Server, dial, running_server
from moonwire.call.live_calls import EngineCalls
from moonwire.observe.logging import configure_logging
from moonwire.sandbox.caller import CallerReport, prepare
from moonwire.sandbox.deepgram.fingerprint import KnownPhrases
from moonwire.sandbox.fleet import SANDBOX_KEY, SandboxFleet, running_fleet
from moonwire.sandbox.moonshot.script import Lines
from moonwire.sandbox.voices import load_phrasebook
from moonwire.settings import Settings, load_settings
from moonwire.spec.call_update import parse_call_update
from moonwire.store.configuration import Configuration
from moonwire.vendors.turn.smart_turn.file import find_model

RATE_HZ = 8000
FRAME = 160
LOUD = 10 ** (-45 / 20)
OVERLAP_S = 0.2
AFTER_INTERRUPTION_S = 1.0
HOLE_S = (0.02, 0.3)
AUDIBLE = 0.03
"""Level (of full scale) at which an abrupt edge is heard as a click."""
AGENT = {
    "verb": "agent",
    "stt": {"vendor": "deepgram", "language": "en-US"},
    "tts": {"vendor": "cartesia", "language": "en-US"},
    "llm": {"vendor": "moonshot", "model": "kimi-k2.6", "llmOptions": {"systemPrompt": "You are Luna."}},
    "turnDetection": "krisp",
    "bargeIn": {"enable": True},
}

Samples = np.ndarray
Span = tuple[float, float]


@dataclass(frozen=True)
class Figures:
    """One call's; seconds."""

    overlap_s: float
    answers_s: list[float]
    silence_s: float
    clicks_s: list[float]
    """Where they are."""
    dropouts_s: list[float]
    speech_s: float


def stereo(path: Path) -> tuple[Samples, Samples]:
    """Return caller and agent, full scale 1."""
    with wave.open(str(path)) as recording:
        both = np.frombuffer(recording.readframes(recording.getnframes()), "<i2").reshape(-1, 2) / 32768
    return both[:, 0], both[:, 1]


def spans(voice: Samples, join_s: float = 0.3) -> list[Span]:
    """Stretches of sound by the level of 20 ms frames; shorter gaps belong to the stretch."""
    frames = voice[: len(voice) // FRAME * FRAME].reshape(-1, FRAME)
    found: list[Span] = []
    for index in np.flatnonzero(np.sqrt((frames**2).mean(axis=1)) > LOUD):
        at = index * FRAME / RATE_HZ
        if found and at - found[-1][1] < join_s:
            found[-1] = found[-1][0], at + FRAME / RATE_HZ
        else:
            found.append((at, at + FRAME / RATE_HZ))
    return found


def overlaps(caller: list[Span], agent: list[Span], allowed: list[Span]) -> list[float]:
    """Lengths of what both say at once, outside the allowed stretches."""
    both = ((max(a[0], b[0]), min(a[1], b[1])) for a in caller for b in agent)
    return [
        end - start for start, end in both if end > start and not any(first <= start < last for first, last in allowed)
    ]


def silences(caller: list[Span], agent: list[Span], greeting_s: float) -> Iterator[float]:
    """Times in which nobody speaks and after which the agent does, because it owes something."""
    yield greeting_s
    turns = sorted([(*span, "caller") for span in caller] + [(*span, "agent") for span in agent])
    for (_, end, _), (start, _, who) in pairwise(turns):
        if who == "agent" and start > end:
            yield start - end


def zeros(voice: Samples) -> Iterator[tuple[int, int]]:
    """Runs of digital silence of at least a frame."""
    silent = np.concatenate([[0], (voice == 0).astype(np.int8), [0]])
    edges = np.diff(silent)
    for start, end in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
        if end - start >= HOLE_S[0] * RATE_HZ:
            yield int(start), int(end)


def level(voice: Samples, start: int, end: int) -> float:
    part = voice[max(0, start) : max(0, end)]
    return float(np.abs(part).max()) if len(part) else 0.0


def dropouts(voice: Samples) -> list[float]:
    """Holes in sound: digital silence with sound right before and right after it."""
    near = FRAME // 4
    return [
        start / RATE_HZ
        for start, end in zeros(voice)
        if end - start <= HOLE_S[1] * RATE_HZ
        and start % FRAME == end % FRAME == 0
        and min(level(voice, start - near, start), level(voice, end, end + near)) > AUDIBLE
    ]


def clicks(voice: Samples) -> list[float]:
    """Sound that begins or ends at level, and jumps that stand out of the waveform around them."""
    edges = [start for start, _ in zeros(voice) if start % FRAME == 0 and level(voice, start - 2, start) > AUDIBLE]
    edges += [end for _, end in zeros(voice) if end % FRAME == 0 and level(voice, end, end + 2) > AUDIBLE]
    bend = np.abs(np.diff(voice, 2))
    jumps: list[int] = []
    for at in np.flatnonzero(bend > 0.25):
        if (at + 2) % FRAME > 3:
            continue
        around = np.concatenate([bend[max(0, at - 80) : max(0, at - 3)], bend[at + 4 : at + 81]])
        if len(around) and bend[at] > 6 * np.percentile(around, 98):
            jumps.append(int(at))
    found: list[float] = []
    for at in sorted([*edges, *jumps]):
        if not found or at / RATE_HZ - found[-1] > 0.01:
            found.append(at / RATE_HZ)
    return found


def measure(path: Path, report: CallerReport) -> Figures:
    """Listen to one recording."""
    caller, agent = stereo(path)
    said, heard = spans(caller), spans(agent)
    allowed = [
        (turn.started_s - 0.1, turn.ended_s + AFTER_INTERRUPTION_S)
        for turn in report.turns
        if turn.kind in ("interrupt", "audio")
    ]
    return Figures(
        overlap_s=max(overlaps(said, heard, allowed), default=0.0),
        answers_s=[turn.response_delay_s for turn in report.turns if turn.response_delay_s is not None],
        silence_s=max(silences(said, heard, heard[0][0] if heard else 0.0)),
        clicks_s=clicks(agent),
        dropouts_s=dropouts(agent),
        speech_s=sum(end - start for start, end in heard),
    )


async def supervise(server: Server, after_s: float) -> None:
    """Ask for an urgent reply while the agent tells its story."""
    calls = EngineCalls(server.engine)
    while not (live := calls.all()):  # noqa: ASYNC110 - looks from outside, as REST does
        await asyncio.sleep(0.1)
    sid = live[0].call_sid
    while sum(line.get("type") == "PlaybackStarted" for line in server.event_logs.read(sid)) < 2:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    await asyncio.sleep(after_s)
    update = {"type": "generate_reply", "instructions": "Say that the manager is here.", "interrupt": True}
    (command,), _ = parse_call_update({"agent_update": update})
    calls.execute(sid, command)


async def play(scene: Scene, number: int, server: Server, fleet: SandboxFleet, folder: Path) -> Figures:
    """Hold one call and measure it."""
    if scene.fault is not None:
        fleet.moonshot.faults.add(scene.fault)
    fleet.flux.set_faults(speaks="es" if scene.name == "language switch" else None)
    recording = folder / f"{number:02}-{scene.name.replace(' ', '-').replace(',', '')}.wav"
    async with asyncio.TaskGroup() as group:
        if scene.supervisor_s is not None:
            group.create_task(supervise(server, scene.supervisor_s))
        uri = f"sip:{1000 + number}@127.0.0.1:{server.sip.local_port}"
        report = await dial(uri, await prepare(scene.steps), record_to=recording)
    await server.engine.wait_idle()
    for problem in report.problems:
        if "before the script" not in problem:
            print(f"  {scene.name}: {problem}")
    return measure(recording, report)


def configuration(fleet: SandboxFleet, calls: list[Scene]) -> Configuration:
    """Return vendors, and an application and a number for every call."""
    numbered = list(enumerate(calls, 1))
    agents = {number: AGENT | scene.agent for number, scene in numbered}
    for number, scene in numbered:
        agents[number]["llm"] = AGENT["llm"] | scene.agent.get("llm", {})
    return Configuration.model_validate(
        {
            "llm_services": [{"vendor": "moonshot", "api_key": SANDBOX_KEY, "base_url": fleet.moonshot_url}],
            "speech_services": [
                {"vendor": "deepgram", "api_key": SANDBOX_KEY, "base_url": fleet.deepgram_url},
                {"vendor": "cartesia", "api_key": SANDBOX_KEY, "base_url": fleet.cartesia_url},
                {"vendor": "elevenlabs", "api_key": SANDBOX_KEY, "base_url": fleet.elevenlabs_url},
            ],
            "applications": [{"name": str(number), "app_json": [agent]} for number, agent in agents.items()],
            "phone_numbers": [{"number": str(1000 + number), "application": str(number)} for number in agents],
            "carriers": [{"name": "loopback", "inbound": ["127.0.0.1/32"]}],
        }
    )


async def listen(only: str, folder: Path) -> None:
    """Hold the calls and print what was heard."""
    async with AsyncExitStack() as stack:
        base_url = await stack.enter_async_context(surroundings())
        calls = scenes(base_url, await stack.enter_async_context(prices()))
        fleet = await stack.enter_async_context(running_fleet())
        fleet.moonshot.world.lines = Lines((), Guest())
        fleet.deepgram.set_hearing(KnownPhrases({**load_phrasebook(), OKAY: backchannel()}))
        own = load_settings()
        settings = Settings(
            data_dir=Path(stack.enter_context(TemporaryDirectory())),
            http_port=0,
            sip_host="127.0.0.1",
            sip_port=0,
            sandbox="off",
            private_hosts=["127.0.0.0/8"],
            log_level="error",
            turn_model=find_model(own.data_dir, own.turn_model),
        )
        configure_logging(settings)
        server = await stack.enter_async_context(running_server(settings, configuration(fleet, calls)))
        engine = "Smart Turn" if settings.turn_model else "the silence timer"
        print(f"End of turn: {engine}.\n")
        print("| call | overlap ms | answers ms | longest silence s | clicks | dropouts | agent's speech s |")
        print("|---|---|---|---|---|---|---|")
        heard: list[Figures] = []
        for number, scene in enumerate(calls, 1):
            if only in scene.name:
                heard.append(await play(scene, number, server, fleet, folder))
                print(row(scene.name, heard[-1]), flush=True)
    print(
        f"\n{len(heard)} calls: longest overlap {max(one.overlap_s for one in heard) * 1000:.0f} ms, longest silence "
        f"owed {max(one.silence_s for one in heard):.1f} s, {sum(len(one.clicks_s) for one in heard)} clicks, "
        f"{sum(len(one.dropouts_s) for one in heard)} dropouts in {sum(one.speech_s for one in heard):.0f} s of speech"
    )


def row(name: str, heard: Figures) -> str:
    """One line of the table."""
    answers = ", ".join(f"{answer * 1000:.0f}" for answer in heard.answers_s) or "-"
    clicked, dropped = (
        f"{len(places)}" + (f" (at {', '.join(f'{at:.2f}' for at in places[:6])})" if places else "")
        for places in (heard.clicks_s, heard.dropouts_s)
    )
    cells = (name, f"{heard.overlap_s * 1000:.0f}", answers, f"{heard.silence_s:.2f}", clicked, dropped)
    return f"| {' | '.join(cells)} | {heard.speech_s:.1f} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Listen to scripted calls.")
    parser.add_argument("--only", default="", help="calls whose name contains this")
    parser.add_argument("--keep", type=Path, default=Path("demo-output/listening"), help="where the recordings go")
    choice = parser.parse_args()
    choice.keep.mkdir(parents=True, exist_ok=True)
    asyncio.run(listen(choice.only, choice.keep))
