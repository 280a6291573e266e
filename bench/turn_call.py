"""One scripted call in virtual time for the turn-taking benchmark: the real ear, machine and mouth, and nothing else.

Only the acoustic model's answers take as long as they need of this machine's processor. The recogniser is the simplest:
it settles the script's next words 0.3 s after a sound has ended.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from moonwire.call.driver import TurnDriver
from moonwire.call.egress import Egress, Segment
from moonwire.call.hearing import Hearing, TurnEngine
from moonwire.call.timeline import Timeline
from moonwire.core.audio.frames import FRAME_BYTES, FRAME_S
from moonwire.core.audio.g711 import rms
from moonwire.core.turns import commands as c
from moonwire.core.turns.events import CallAnswered, PlaybackFinished, PlaybackStarted
from moonwire.core.turns.settings import TurnSettings
from moonwire.errors import VendorError
from moonwire.sandbox.virtual_time import VirtualClock
from moonwire.vendors.turn.smart_turn.detector import Question, SmartTurn
from moonwire.vendors.turn.smart_turn.model import SmartTurnModel
from moonwire.vendors.vad.silero.detector import SileroVad

STT_S = 0.3
"""Silence after which the recogniser settles its words, as the peers were measured with."""


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
    """The acoustic model, asked at once; its answer takes in virtual time what it took of the processor."""

    def __init__(self, model: SmartTurnModel) -> None:
        super().__init__(model.score)
        model.score(b"\xff" * 8000)
        self.answer_s: list[float] = []
        self._model = model

    def score_now(self, audio: bytes) -> float:
        """Ask, wait, and note how long it took."""
        began = time.thread_time()
        probability = self._model.score(audio)
        self.answer_s.append(time.thread_time() - began)
        return probability

    def ask(self, audio: bytes, on_answer: Callable[[float | None], None]) -> Question:
        probability = self.score_now(audio)
        loop = asyncio.get_running_loop()
        question = Question(loop, on_answer, self.stats)
        handle = loop.call_later(self.answer_s[-1], question._settle, probability)  # noqa: SLF001
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
