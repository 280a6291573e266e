"""Ends turns with Smart Turn: keeps each call's turn audio, asks the model by schedule, in a few worker threads.

A question waits at most `DEADLINE_S` for its answer; then silence decides, and that is counted. At most one question
per call is under way; one about a pause that is over is taken back. Under overload the queue does not grow: a question
that has waited so long that its answer would be late is not begun.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import structlog

from moonwire.core.audio.frames import FRAME_S, SAMPLE_RATE_HZ
from moonwire.core.audio.g711 import rms
from moonwire.core.turns.agreement import Agreement, AgreementSettings
from moonwire.ports.turn_detector import TurnListener, TurnStream

log = structlog.get_logger()

NAME: Final = "smart-turn"
LATE_ENGINE: Final = "silence"
DEADLINE_S: Final = 0.15
"""Wall time from the question to the answer, two to three times what an answer takes on an idle core: whoever waits
longer waits in a queue, and the queue is what has to go."""
_LEARN: Final = 0.2
"""Weight of a new answer's duration in what is typical."""
_FORGET: Final = 0.9
_KEPT_SAMPLES: Final = 8 * SAMPLE_RATE_HZ
_SLACK_SAMPLES: Final = 2 * SAMPLE_RATE_HZ
_PRE_ROLL_S: Final = 0.3
"""Audio before the voice's onset that belongs to the turn: detectors notice voice late."""
_QUIET_FRAMES: Final = 9
"""Frames (0.18 s) without sound that are a pause, whatever the voice detector thinks."""
_SOUND: Final = 0.05
"""Share of the loudest frame (-26 dB) below which there is no sound."""
_PEAK_DECAY: Final = 0.995
"""Per frame: the loudest frame is forgotten over a few seconds."""
_NEW_TURN_S: Final = 2.5
"""Silence after which voice belongs to another turn, whatever happened to the one before."""

Score = Callable[[bytes], float]


@dataclass(slots=True)
class TurnStats:
    """What the detector has done so far."""

    on_answer: Callable[[float], None]
    answers: int = 0
    late: int = 0
    """Answers that came after the deadline or not at all; silence decided instead."""


class SmartTurn:
    """Implements ports.turn_detector.TurnDetector.

    Args:
        score: returns the probability that a turn (mu-law) is over; called in worker threads.
        workers: threads; each can give about ten answers a second.
        deadline_s: how long an answer is waited for.
        on_answer: hears the wall time of each answer, waiting included.
    """

    def __init__(
        self,
        score: Score,
        *,
        workers: int = 1,
        deadline_s: float = DEADLINE_S,
        on_answer: Callable[[float], None] = lambda _: None,
    ) -> None:
        self.stats = TurnStats(on_answer)
        self._score = score
        self._deadline_s = deadline_s
        self._typical_s = 0.0
        """What an answer takes without waiting, as far as that is known."""
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="turn")

    @property
    def name(self) -> str:
        """As shown in events."""
        return NAME

    def warm_up(self) -> None:
        """Load the model now, in the background."""
        self._pool.submit(self._load)

    def open(self, listener: TurnListener, settings: AgreementSettings) -> TurnStream:
        """Begin to listen to a call."""
        return _Stream(self, listener, settings)

    def close(self) -> None:
        """Stop the threads; an answer that is being made is waited for."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _load(self) -> None:
        """Answer twice: the first answer loads the model, the second shows what answers take."""
        for _ in range(2):
            self._typical_s = 0.0
            self._try(b"\xff" * SAMPLE_RATE_HZ, math.inf)

    def ask(self, audio: bytes, on_answer: Callable[[float | None], None]) -> Question:
        """Put a question; the answer comes on the event loop, None when it is late or has failed."""
        loop = asyncio.get_running_loop()
        question = Question(loop, on_answer, self.stats)
        question.start(self._pool.submit(self._try, audio, time.monotonic() + self._deadline_s), self._deadline_s)
        return question

    def _try(self, audio: bytes, due_s: float) -> float | None:
        began_s = time.monotonic()
        if began_s + self._typical_s > due_s:
            self._typical_s *= _FORGET  # lest one slow answer sheds everything for ever
            return None
        try:
            probability = self._score(audio)
            self._typical_s += (time.monotonic() - began_s - self._typical_s) * _LEARN
            return probability
        except Exception:  # vendor boundary: a broken model must not end calls
            log.exception("turn model failed")
            return None


class Question:
    """One question on its way through the worker threads."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, on_answer: Callable[[float | None], None], stats: TurnStats
    ) -> None:
        self._loop = loop
        self._on_answer = on_answer
        self._stats = stats
        self._asked_at = loop.time()
        self._open = True
        self._future: Future[float | None] | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def start(self, future: Future[float | None], deadline_s: float) -> None:
        """Wait for the answer."""
        self._future = future
        self._deadline = self._loop.call_later(deadline_s, self._settle, None)
        future.add_done_callback(self._on_done)

    def take_back(self) -> None:
        """Nobody waits for the answer any more."""
        self._open = False
        if self._deadline is not None:
            self._deadline.cancel()
        if self._future is not None:
            self._future.cancel()

    def _on_done(self, future: Future[float | None]) -> None:
        if not future.cancelled() and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._settle, future.result())

    def _settle(self, probability: float | None) -> None:
        if not self._open:
            return
        self.take_back()
        if probability is None:
            self._stats.late += 1
        else:
            self._stats.answers += 1
            self._stats.on_answer(self._loop.time() - self._asked_at)
        self._on_answer(probability)


class _Stream:
    """One call's turns; times are seconds of audio pushed."""

    def __init__(self, detector: SmartTurn, listener: TurnListener, settings: AgreementSettings) -> None:
        self._detector = detector
        self._listener = listener
        self._agreement = Agreement(settings)
        self._audio = bytearray()
        self._dropped = 0
        self._turn_began: int | None = None
        self._quiet_at_s = 0.0
        self._voice = self._paused = False
        self._peak = 0.0
        self._quiet_frames = 0
        self._question: Question | None = None

    def push(self, frame: bytes) -> None:
        """Take 20 ms of the caller."""
        self._audio += frame
        if len(self._audio) > _KEPT_SAMPLES + _SLACK_SAMPLES:
            surplus = len(self._audio) - _KEPT_SAMPLES
            del self._audio[:surplus]
            self._dropped += surplus
        now_s = self._now_s()
        if self._voice:
            self._listen(rms(frame), now_s)
        if self._question is None and self._agreement.wants_answer(now_s):
            self._question = self._detector.ask(self._turn_audio(self._agreement.mark_at), self._on_answer)
        elif self._agreement.gave_up(now_s):
            self._listener.on_turn_verdict("ended", 0.0, LATE_ENGINE)

    def voice_began(self, ago_s: float) -> None:
        """The pause is over."""
        at_s = self._now_s() - ago_s
        self._voice = True
        self._end_pause()
        if self._turn_began is None or at_s - self._quiet_at_s > _NEW_TURN_S:
            self._turn_began = max(0, round((at_s - _PRE_ROLL_S) * SAMPLE_RATE_HZ))

    def voice_ended(self, ago_s: float) -> None:
        """A pause begins."""
        self._voice = False
        if not self._paused:
            self._begin_pause(self._now_s() - ago_s)

    def reset(self) -> None:
        """Begin a new turn."""
        self._drop_question()
        self._agreement.forget()
        self._paused = False
        self._turn_began = None

    def close(self) -> None:
        """Let go."""
        self.reset()

    def _listen(self, level: int, now_s: float) -> None:
        """Notice the end of the sound before the voice detector does: it holds on for 0.1 s, more in noise."""
        self._peak = max(level, self._peak * _PEAK_DECAY)
        if level > self._peak * _SOUND:
            self._quiet_frames = 0
            if self._paused:
                self._end_pause()
        else:
            self._quiet_frames += 1
            if self._quiet_frames == _QUIET_FRAMES:
                self._begin_pause(now_s - _QUIET_FRAMES * FRAME_S)

    def _begin_pause(self, at_s: float) -> None:
        self._drop_question()
        self._paused = True
        self._quiet_at_s = at_s
        self._agreement.voice_ended(at_s)

    def _end_pause(self) -> None:
        self._drop_question()
        self._paused = False
        self._quiet_frames = 0
        self._agreement.voice_began()

    def _now_s(self) -> float:
        return (self._dropped + len(self._audio)) / SAMPLE_RATE_HZ

    def _turn_audio(self, until_s: float) -> bytes:
        """Return the turn up to the mark in the pause: more silence would make the model more willing to say yes."""
        began = 0 if self._turn_began is None else max(0, self._turn_began - self._dropped)
        end = min(len(self._audio), round(until_s * SAMPLE_RATE_HZ) - self._dropped)
        return bytes(self._audio[max(began, end - _KEPT_SAMPLES) : end])

    def _drop_question(self) -> None:
        question, self._question = self._question, None
        if question is not None:
            question.take_back()

    def _on_answer(self, probability: float | None) -> None:
        self._question = None
        if probability is None:
            self._agreement.was_late()
            return
        verdict = self._agreement.answered(probability)
        if verdict is not None:
            self._listener.on_turn_verdict(verdict, probability, NAME)
