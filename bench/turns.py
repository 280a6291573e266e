"""Measures turn taking on human speech: Debian's recorded telephone prompts through the real ear, machine and mouth.

Run: .venv/bin/python -m bench.turns [--half tuning] [--schedule 0.2,0.4] [--silence SECONDS] [--offline]. Needs the
Debian package asterisk-core-sounds-en-wav. prompts.py says which recordings are in which set; the schedule and the
model's calibration were chosen on the tuning half, and figures are reported of the other one.

How often a caller is cut off in a pause follows from when the engine would have ended the turn had the caller not gone
on: a pause that is longer than that is cut. The lengths of the pauses are drawn (`LONGER_THAN`), as the peers were
measured. The silence timer of equal delay is measured with the same recordings and shifted to the engine's median.

One professional speaker, read speech: the figures compare engines and schedules, they are no promise about callers.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.prompts import (
    LONG_PAUSE_FRAMES,
    PACKAGE,
    PROMPTS,
    Prompt,
    Samples,
    at_level,
    frames_of,
    paused,
    recordings,
    whole,
)
from bench.turn_call import Call, TimedTurns
from moonwire.call.hearing import TurnEngine
from moonwire.core.audio.frames import FRAME_S
from moonwire.core.turns.agreement import AgreementSettings
from moonwire.core.turns.settings import TurnSettings
from moonwire.sandbox.virtual_time import run_virtual
from moonwire.vendors.turn.smart_turn.file import find_model
from moonwire.vendors.turn.smart_turn.model import SmartTurnModel
from moonwire.vendors.vad.silero.detector import SileroVad

LONGER_THAN = ((0.2, 1.0), (0.3, 0.88), (0.5, 0.6), (0.7, 0.4), (1.1, 0.2), (1.5, 0.0))
"""Share of the pauses inside a turn that are longer than so many seconds; linear in between."""
TIMER_S = 0.4
"""Any: the timer's delays are shifted to the median that they are compared at."""
LEAD_S = 0.5


def cut_off(ends_s: np.ndarray) -> float:
    """Return the share of callers cut off by an engine that ends turns after so many seconds of silence."""
    seconds, shares = zip(*LONGER_THAN, strict=True)
    return float(np.interp(ends_s, seconds, shares).mean())


class Bench:
    """One engine on one half of the recordings."""

    def __init__(self, prompts: list[Prompt], schedule: AgreementSettings | None, silence_s: float) -> None:
        self.prompts = prompts
        self.vad = SileroVad(threaded=False)
        path = find_model(Path("var"), None)
        self.turns = TimedTurns(SmartTurnModel(path)) if path and schedule else None
        if self.turns is not None and schedule is not None:
            self.engine = TurnEngine(self.turns.name, vendor_ends_turn=False, detector=self.turns, schedule=schedule)
            silence_s = schedule.otherwise_s
        else:
            self.engine = TurnEngine("silence", vendor_ends_turn=False)
        self.settings = TurnSettings(greeting=False, end_of_turn_s=silence_s, language="en")

    async def ends(self, sounds: list[Samples]) -> np.ndarray:
        """Return after how much silence the engine ends the turn, for each sound that it heard at all."""
        found: list[float] = []
        for sound in sounds:
            call = Call(self.engine, self.settings, self.vad)
            await call.run(frames_of(LEAD_S, sound, 2.5), ["words"] * 9)
            end_s = LEAD_S + len(sound) // 160 * FRAME_S
            later = [at - end_s for at, _ in call.committed if at > end_s - 0.1]
            found.extend(later[:1])
        return np.array(found)

    async def over_agent(self, sound: Samples, texts: list[str]) -> tuple[Call, int, int]:
        """Play a sound over the speaking agent; returns the call and the frames of the sound."""
        asking = self.prompts[0]
        lead = frames_of(0.5, asking.pcm, 2.2)
        agent = b"".join(frames_of(*(one.pcm for one in self.long)))
        call = Call(self.engine, self.settings, self.vad, agent=agent)
        begin = len(lead) + 100
        line = [*lead, *frames_of(2.0, sound, 4.0)]
        await call.run(line, ["words", *texts])
        return call, begin, begin + len(sound) // 160

    @property
    def long(self) -> list[Prompt]:
        return [one for one in self.prompts if one.seconds > 2.5 and not one.has_pauses][:6]

    async def backchannels(self) -> tuple[int, int, list[float]]:
        """Short sounds with words that mean nothing: how often the agent's speech was lost, and when it went on."""
        lost = tried = 0
        resumed: list[float] = []
        sounds = self._pick(lambda one: 0.3 <= one.seconds <= 0.9 and not one.has_pauses, 12)
        for number, prompt in enumerate(sounds):
            text = ("Mm-hm.", "Okay.", "Yeah.", "Right.", "")[number % 5]
            quieter = at_level(prompt.pcm.astype(np.float64), -29)
            call, begin, end = await self.over_agent(quieter, [text])
            tried += 1
            later = _first(call.sounding, True, end)
            if len(call.committed) > 1 or later is None:
                lost += 1
            elif not all(call.sounding[begin:end]):
                resumed.append((later - end) * FRAME_S)
        return lost, tried, resumed

    async def interruptions(self) -> tuple[list[float], int]:
        """Delay from the caller's first sound to the agent's silence, and how many were not taken for one."""
        stopped: list[float] = []
        missed = 0
        for prompt in self._pick(lambda one: 1.0 <= one.seconds <= 3.0 and not one.has_pauses, 20):
            call, begin, end = await self.over_agent(prompt.pcm, ["Wait, I want something else."])
            silent = _first(call.sounding, False, begin, run=5)
            if silent is not None and silent < end:
                stopped.append((silent - begin) * FRAME_S)
            missed += len(call.committed) < 2
        return stopped, missed

    async def babble(self) -> tuple[int, int]:
        """Voices behind the caller, 12 to 18 dB below: how often the agent stopped for more than a moment."""
        dice = random.Random(5)
        stops = 0
        for number in range(10):
            mix = np.zeros(8000 * 3)
            for prompt in dice.sample([one for one in self.prompts if one.seconds > 1], 6):
                mix += np.resize(prompt.pcm, len(mix))
            sound = at_level(mix, -25 - (12, 14, 16, 18)[number % 4])
            call, begin, end = await self.over_agent(sound, ["and now the news"] * 3)
            silent = _first(call.sounding, False, begin, run=10)
            stops += len(call.committed) > 1 or (silent is not None and silent < end)
        return stops, 10

    def _pick(self, wanted: Callable[[Prompt], bool], count: int = 0) -> list[Prompt]:
        found = [one for one in self.prompts if wanted(one)]
        return random.Random(7).sample(found, min(len(found), count))


def _first(sounding: list[bool], what: bool, begin: int, run: int = 1) -> int | None:
    """Return the first frame from `begin` on at which the agent is (not) heard for a run of frames."""
    for at in range(begin, len(sounding) - run + 1):
        if all(one is what for one in sounding[at : at + run]):
            return at
    return None


def _percent(values: list[float] | np.ndarray, share: float) -> float:
    return round(float(np.percentile(values, share)) * 1000) if len(values) else 0.0


async def measure_floor(bench: Bench) -> dict[str, float]:
    """Measure how the agent yields and goes on."""
    lost, backchannels, resumed = await bench.backchannels()
    stopped, missed = await bench.interruptions()
    babbled, babbles = await bench.babble()
    return {
        "backchannels_lost": lost,
        "backchannels": backchannels,
        "resume_p50_ms": _percent(resumed, 50),
        "resume_max_ms": _percent(resumed, 100),
        "stop_p50_ms": _percent(stopped, 50),
        "stop_p90_ms": _percent(stopped, 90),
        "interruptions_missed": missed,
        "babble_stops": babbled,
        "babbles": babbles,
    }


async def measure_ends(bench: Bench, timer: Bench) -> dict[str, float]:
    """Measure when turns end, in the middle and at the end, against a silence timer of the same median delay."""
    done, begun = whole(bench.prompts), paused(bench.prompts)
    sounds = [one.pcm for one in begun]
    ends, early = await bench.ends(done), await bench.ends(sounds)
    timer_ends, timer_early = await timer.ends(done), await timer.ends(sounds)
    later = float(np.median(ends) - np.median(timer_ends))
    answers = bench.turns.answer_s if bench.turns else []
    return {
        **compare(ends, early, timer_early + later, [one.recorded_frames for one in begun]),
        "answer_p50_ms": _percent(answers, 50),
        "answer_p95_ms": _percent(answers, 95),
        "answers_per_turn": len(answers) / (len(done) + len(begun)),
    }


def measure_offline(bench: Bench) -> dict[str, float]:
    """Compute the same by asking the model about the recordings themselves: no voice detector, no recogniser."""
    assert bench.turns is not None
    schedule, model = bench.engine.schedule, bench.turns
    marks = schedule.marks_s

    def end_of(sound: Samples) -> float:
        for mark in marks:
            if model.score_now(b"".join(frames_of(0.3, sound[-8 * 8000 :], mark))) < schedule.threshold:
                return schedule.otherwise_s
        return marks[-1] + model.answer_s[-1]

    begun = paused(bench.prompts)
    ends = np.array([end_of(sound) for sound in whole(bench.prompts)])
    early = np.array([end_of(one.pcm) for one in begun])
    timer = np.full(len(begun), np.median(ends))
    return compare(ends, early, timer, [one.recorded_frames for one in begun])


def compare(ends: np.ndarray, early: np.ndarray, timer: np.ndarray, recorded: list[int]) -> dict[str, float]:
    """Return the figures of one engine: `ends` of whole turns, `early` ones in pauses, the timer's in the same."""
    long = np.array(recorded[: len(early)]) >= LONG_PAUSE_FRAMES
    return {
        "whole": len(ends),
        "paused": len(early),
        "delay_p50_ms": _percent(ends, 50),
        "delay_p90_ms": _percent(ends, 90),
        "cut_off_share": cut_off(early),
        "cut_off_share_of_equal_timer": cut_off(timer),
        "cut_off_share_mid_sentence": cut_off(early[~long]),
        "cut_off_share_between_sentences": cut_off(early[long]),
    }


def main() -> None:
    """Measure one engine and print its figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--half", choices=("tuning", "reported"), default="reported")
    parser.add_argument("--schedule", default="", help="marks of silence at which the model is asked, e.g. 0.2,0.4")
    parser.add_argument("--otherwise", type=float, default=AgreementSettings().otherwise_s)
    parser.add_argument("--threshold", type=float, default=AgreementSettings().threshold)
    parser.add_argument("--silence", type=float, help="no model: a timer of so many seconds")
    parser.add_argument("--offline", action="store_true", help="ask the model directly, without a call")
    chosen = parser.parse_args()
    if not PROMPTS.is_dir():
        raise SystemExit(f"{PROMPTS} is missing; install the Debian package {PACKAGE} (apt-get install {PACKAGE})")
    marks = tuple(float(part) for part in chosen.schedule.split(",") if part) or AgreementSettings().marks_s
    schedule = AgreementSettings(chosen.threshold, marks, otherwise_s=chosen.otherwise)
    prompts = recordings(chosen.half)
    bench = Bench(prompts, None if chosen.silence else schedule, chosen.silence or TIMER_S)
    if chosen.offline:
        print(json.dumps(measure_offline(bench)))
        return
    found = run_virtual(measure_ends(bench, Bench(prompts, None, TIMER_S)))
    print(json.dumps(found | run_virtual(measure_floor(bench))))


if __name__ == "__main__":
    main()
