"""Measures turn taking on human speech: Debian's recorded telephone prompts through the real ear, machine and mouth.

Run: .venv/bin/python -m bench.turns [--schedule 0.2,0.4] [--silence SECONDS] [--count N]. Needs the Debian package
asterisk-core-sounds-en-wav. Everything runs in virtual time, frame by frame; only the acoustic model's answers take as
long as they take on this machine. The recogniser is the simplest: it settles some words 0.3 s after the sound ends.

One professional speaker, read speech: the figures compare engines and schedules, they are no promise about callers.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.prompts import PACKAGE, PROMPTS, Prompt, Samples, at_level, frames_of, load
from moonwire.call.driver import TurnDriver
from moonwire.call.egress import Egress, Segment
from moonwire.call.hearing import Hearing, TurnEngine
from moonwire.call.timeline import Timeline
from moonwire.core.audio.frames import FRAME_BYTES, FRAME_S
from moonwire.core.audio.g711 import rms
from moonwire.core.turns import commands as c
from moonwire.core.turns.agreement import AgreementSettings
from moonwire.core.turns.events import CallAnswered, PlaybackFinished, PlaybackStarted
from moonwire.core.turns.settings import TurnSettings
from moonwire.errors import VendorError
from moonwire.sandbox.virtual_time import VirtualClock, run_virtual
from moonwire.vendors.turn.smart_turn.detector import Question, SmartTurn
from moonwire.vendors.turn.smart_turn.file import find_model
from moonwire.vendors.turn.smart_turn.model import SmartTurnModel
from moonwire.vendors.vad.silero.detector import SileroVad

STT_S = 0.3
"""Silence after which the recogniser settles its words, as the peers were measured with."""
PAUSES_S = (0.22, 0.27, 0.31, 0.35, 0.4, 0.45, 0.49, 0.55, 0.6, 0.65, 0.69, 0.8, 0.9, 1.0, 1.08, 1.2, 1.3, 1.4, 1.5)
"""Given to natural inner pauses: a bare timer cuts off 88 % at 0.3 s, 60 % at 0.5 s, 40 % at 0.7 s, 20 % at 1.1 s."""


# The call ----------------------------------------------------------------------------------------------------------


class Leg:
    """Plays in real time, nothing ahead."""

    def wake(self) -> None: ...

    def unheard_frames(self) -> int:
        return 0

    def clear(self) -> int:
        return 0

    def attach(self, sink: object, source: object) -> None: ...


class Recogniser:
    """Settles the script's next words when a loud stretch has been silent for a while."""

    def __init__(self, ear: Hearing, texts: Iterator[str], line: Callable[[], int]) -> None:
        self._ear = ear
        self._texts = texts
        self._line = line
        self._loud = self._quiet = 0

    def send_audio(self, frame: bytes) -> None:
        if rms(frame) >= self._line():
            self._loud, self._quiet = self._loud + 1, 0
            return
        self._quiet += 1
        if self._loud >= 3 and self._quiet == round(STT_S / FRAME_S):
            self._loud = 0
            text = next(self._texts, "")
            if text:
                self._ear.on_stt_final(text, 0.9)
                self._ear.on_stt_end_of_turn()

    def finalize(self) -> None: ...

    async def close(self) -> None: ...


class TimedTurns(SmartTurn):
    """The acoustic model, asked at once; its answer takes in virtual time what it took in real time."""

    def __init__(self, model: SmartTurnModel) -> None:
        super().__init__(model.score)
        model.score(b"\xff" * 8000)
        self.answer_s: list[float] = []
        self._model = model

    def ask(self, audio: bytes, on_answer: Callable[[float | None], None]) -> Question:
        began = time.perf_counter()
        probability = self._model.score(audio)
        took = time.perf_counter() - began
        self.answer_s.append(took)
        loop = asyncio.get_running_loop()
        question = Question(loop, on_answer, self.stats)
        handle = loop.call_later(took, question._settle, probability)  # noqa: SLF001
        question._deadline = handle  # noqa: SLF001
        return question


class Silent:
    """Drops what would be logged."""

    def write(self, kind: str, at_s: float, **fields: object) -> None: ...

    def close(self) -> None: ...


@dataclass
class Call:
    """One scripted call: what the caller's line carries, and what came of it."""

    engine: TurnEngine
    settings: TurnSettings
    vad: SileroVad
    agent: bytes = b""
    committed: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    sounding: list[bool] = field(default_factory=list[bool])
    """For each 20 ms, whether the agent was to be heard."""

    def __post_init__(self) -> None:
        self.egress = Egress(Leg())
        self.segment: Segment | None = None
        self.alive = 0

    async def run(self, line: list[bytes], texts: list[str]) -> None:
        """Play the caller's line to its end."""
        self.timeline = Timeline(VirtualClock())
        self.timeline.mark_answered()
        self.driver = TurnDriver(self.settings, self, self.timeline, Silent())
        ear = Hearing(self.engine, self.timeline, self.driver.handle, _never)
        ear.attach(Recogniser(ear, iter(texts), lambda: 120), self.vad)
        self.ear = ear
        self.driver.handle(CallAnswered(self.timeline.now()))
        for frame in line:
            out = self.egress.next_frame()
            self.sounding.append(out is not None)
            if self.segment is not None and self.segment.position >= len(self.segment.audio) > 0:
                self.egress.on_played_out()
            ear.on_frame(frame)
            await asyncio.sleep(FRAME_S)
        self.driver.stop()
        await ear.close()

    def start_reply(self, reply: int, cause: c.ReplyCause, early_text: str = "") -> None:
        """Speak at once."""
        self.ear.turn_over()
        self.alive = reply
        self.segment = Segment(
            lambda: self.driver.handle(PlaybackStarted(self.timeline.now(), reply)),
            lambda: self.driver.handle(PlaybackFinished(self.timeline.now(), reply)),
        )
        self.egress.play(self.segment)
        self.egress.append(self.segment, self.agent or b"\x80" * FRAME_BYTES * 5)
        self.egress.complete(self.segment)

    def release_reply(self, reply: int) -> None: ...

    def cancel_reply(self, reply: int, reason: c.CancelReason) -> None:
        """Nothing is being made."""

    def steer_playback(self, order: c.PausePlayback | c.ResumePlayback | c.ClearPlayback) -> None:
        """As the agent does."""
        assert self.segment is not None
        match order:
            case c.PausePlayback():
                self.egress.hold(self.segment)
            case c.ResumePlayback():
                self.egress.resume(self.segment)
            case c.ClearPlayback():
                self.egress.clear(self.segment)

    def commit_user_turn(self, text: str) -> None:
        """Note when."""
        self.committed.append((self.timeline.now(), text))
        self.ear.turn_over(answered=True)

    def commit_agent_turn(self, reply: int, interrupted: bool) -> None: ...

    def end_agent(self, reason: str) -> None: ...


def _never(error: VendorError) -> None:
    raise error


# The measurements --------------------------------------------------------------------------------------------------


class Bench:
    def __init__(self, prompts: list[Prompt], schedule: AgreementSettings | None, silence_s: float, count: int) -> None:
        self.prompts = prompts
        self.count = count
        self.vad = SileroVad(threaded=False)
        path = find_model(Path("var"), None)
        self.turns = TimedTurns(SmartTurnModel(path)) if path and schedule else None
        if self.turns is not None and schedule is not None:
            self.engine = TurnEngine(self.turns.name, vendor_ends_turn=False, detector=self.turns, schedule=schedule)
            silence_s = schedule.otherwise_s
        else:
            self.engine = TurnEngine("silence", vendor_ends_turn=False)
        self.settings = TurnSettings(greeting=False, end_of_turn_s=silence_s, language="en")

    async def whole(self) -> list[float]:
        """Delay from the end of a whole utterance to the answer, in seconds."""
        delays: list[float] = []
        for prompt in self._pick(lambda one: 1.0 <= one.seconds <= 6.0 and not one.has_pauses):
            call = Call(self.engine, self.settings, self.vad)
            await call.run(frames_of(0.5, prompt.pcm, 3.0), ["words"] * 9)
            if call.committed:
                delays.append(call.committed[0][0] - 0.5 - prompt.seconds)
        return delays

    async def paused(self) -> tuple[int, int]:
        """Callers cut off in an inner pause, and all."""
        cut = tried = 0
        fit = self._pick(lambda one: bool(_inner_pauses(one)))
        for number, prompt in enumerate(fit):
            first, behind = _inner_pauses(prompt)[0]
            pause = PAUSES_S[number * 7 % len(PAUSES_S)]
            call = Call(self.engine, self.settings, self.vad)
            parts = (prompt.pcm[: first * 160], pause, prompt.pcm[behind * 160 :])
            await call.run(frames_of(0.5, *parts, 3.0), ["words"] * 9)
            resumed = 0.5 + first * FRAME_S + pause
            tried += 1
            cut += bool(call.committed) and call.committed[0][0] < resumed
        return cut, tried

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
            stops += len(call.committed) > 1 or (
                _first(call.sounding, False, begin, run=10) is not None
                and _first(call.sounding, False, begin, run=10) < end
            )  # type: ignore[operator]
        return stops, 10

    def _pick(self, wanted: Callable[[Prompt], bool], count: int = 0) -> list[Prompt]:
        found = [one for one in self.prompts if wanted(one)]
        return random.Random(7).sample(found, min(len(found), count or self.count))


def _inner_pauses(prompt: Prompt) -> list[tuple[int, int]]:
    """Pauses in mid-sentence: short ones, because those at the end of a sentence (0.2 s and more) end an utterance."""
    frames = len(prompt.pcm) // 160
    return [(a, b) for a, b in prompt.gaps if b - a < 10 and a >= 30 and frames - b >= 25]


def _first(sounding: list[bool], what: bool, begin: int, run: int = 1) -> int | None:
    """Return the first frame from `begin` on at which the agent is (not) heard for a run of frames."""
    for at in range(begin, len(sounding) - run + 1):
        if all(one is what for one in sounding[at : at + run]):
            return at
    return None


def _percent(values: list[float], share: float) -> float:
    return round(float(np.percentile(values, share)) * 1000) if values else 0.0


async def measure(bench: Bench) -> dict[str, float]:
    whole = await bench.whole()
    cut, paused = await bench.paused()
    lost, backchannels, resumed = await bench.backchannels()
    stopped, missed = await bench.interruptions()
    babbled, babbles = await bench.babble()
    median = float(np.median(whole))
    answers = bench.turns.answer_s if bench.turns else []
    return {
        "delay_p50_ms": _percent(whole, 50),
        "delay_p90_ms": _percent(whole, 90),
        "cut_off_share": cut / paused,
        "cut_off_share_of_equal_timer": sum(pause > median for pause in PAUSES_S) / len(PAUSES_S),
        "backchannels_lost": lost,
        "backchannels": backchannels,
        "resume_p50_ms": _percent(resumed, 50),
        "resume_max_ms": _percent(resumed, 100),
        "stop_p50_ms": _percent(stopped, 50),
        "stop_p90_ms": _percent(stopped, 90),
        "interruptions_missed": missed,
        "babble_stops": babbled,
        "babbles": babbles,
        "answer_p50_ms": _percent(answers, 50),
        "answer_p95_ms": _percent(answers, 95),
        "answers_per_turn": len(answers) / (len(whole) + paused) if answers else 0.0,
    }


def main() -> None:
    """Measure one engine and print its figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--schedule", default="", help="marks of silence at which the model is asked, e.g. 0.2,0.4")
    parser.add_argument("--otherwise", type=float, default=AgreementSettings().otherwise_s)
    parser.add_argument("--silence", type=float, help="no model: a timer of so many seconds")
    parser.add_argument("--count", type=int, default=60)
    chosen = parser.parse_args()
    if not PROMPTS.is_dir():
        raise SystemExit(f"{PROMPTS} is missing; install the Debian package {PACKAGE} (apt-get install {PACKAGE})")
    marks = tuple(float(part) for part in chosen.schedule.split(",") if part) or AgreementSettings().marks_s
    schedule = None if chosen.silence else AgreementSettings(marks_s=marks, otherwise_s=chosen.otherwise)
    with contextlib.suppress(KeyboardInterrupt):
        prompts = [prompt for path in sorted(PROMPTS.glob("*.wav")) if (prompt := load(path)) is not None]
        found = run_virtual(measure(Bench(prompts, schedule, chosen.silence or 0.7, chosen.count)))
        print(json.dumps(found))


if __name__ == "__main__":
    main()
