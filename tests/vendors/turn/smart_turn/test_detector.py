"""Smart Turn around its model: what is asked when, lateness, pauses that end; the model is a script here."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import pytest

from moonwire.core.turns.agreement import AgreementSettings
from moonwire.ports.turn_detector import TurnStream, TurnVerdict
from moonwire.vendors.turn.smart_turn.detector import SmartTurn

FRAME = b"\x80" * 160
SILENCE = b"\xff" * 160


class Ear:
    def __init__(self) -> None:
        self.verdicts: list[tuple[str, str]] = []
        self.heard = asyncio.Event()

    def on_turn_verdict(self, verdict: TurnVerdict, probability: float, engine: str) -> None:
        self.verdicts.append((verdict, engine))
        self.heard.set()

    async def next(self) -> tuple[str, str]:
        async with asyncio.timeout(5):
            await self.heard.wait()
        self.heard.clear()
        return self.verdicts[-1]


class Script:
    """A model that answers as told and remembers what it was asked."""

    def __init__(self, *answers: float) -> None:
        self.answers = list(answers)
        self.asked: list[bytes] = []
        self.may_answer = threading.Event()
        self.may_answer.set()

    def __call__(self, audio: bytes) -> float:
        self.asked.append(audio)
        self.may_answer.wait(5)
        return self.answers.pop(0)


@pytest.fixture
async def detect() -> AsyncIterator[Callable[..., SmartTurn]]:
    made: list[SmartTurn] = []

    def make(script: Script, deadline_s: float = 5.0) -> SmartTurn:
        made.append(SmartTurn(script, deadline_s=deadline_s))
        return made[-1]

    yield make
    for one in made:
        one.close()


def speak(stream: TurnStream, seconds: float, frame: bytes = FRAME) -> None:
    for _ in range(round(seconds * 50)):
        stream.push(frame)


def say_something(stream: TurnStream, seconds: float = 1.0) -> None:
    stream.voice_began(0.06)
    speak(stream, seconds)
    speak(stream, 0.2, SILENCE)
    stream.voice_ended(0.2)


async def test_two_yes_end_the_turn(detect: Callable[..., SmartTurn]) -> None:
    script, ear = Script(0.9, 0.8), Ear()
    stream = detect(script).open(ear, AgreementSettings())
    speak(stream, 2.0, SILENCE)
    say_something(stream)
    stream.push(SILENCE)
    assert await ear.next() == ("probably", "smart-turn")
    speak(stream, 0.2, SILENCE)
    assert await ear.next() == ("ended", "smart-turn")
    first, second = script.asked
    assert abs(len(first) - round(1.58 * 8000)) <= 160, "0.3 s before the onset, the turn, its silence"
    assert second.startswith(first[: len(first) // 2])
    assert len(second) > len(first)


async def test_a_no_is_not_asked_again(detect: Callable[..., SmartTurn]) -> None:
    script, ear = Script(0.05, 0.9, 0.9), Ear()
    detector = detect(script)
    stream = detector.open(ear, AgreementSettings())
    say_something(stream)
    stream.push(SILENCE)
    while not detector.stats.answers:
        await asyncio.sleep(0)
    speak(stream, 2.0, SILENCE)
    assert len(script.asked) == 1
    assert ear.verdicts == []
    say_something(stream)
    stream.push(SILENCE)
    assert await ear.next() == ("probably", "smart-turn")
    assert len(script.asked[1]) > len(script.asked[0]), "the whole turn, not its last part"


async def test_a_late_answer_is_counted_and_silence_decides(detect: Callable[..., SmartTurn]) -> None:
    script, ear = Script(0.9), Ear()
    script.may_answer.clear()
    detector = detect(script, 0.01)
    stream = detector.open(ear, AgreementSettings())
    say_something(stream)
    stream.push(SILENCE)
    while not detector.stats.late:
        await asyncio.sleep(0)
    speak(stream, 0.44, SILENCE)
    assert ear.verdicts == []
    speak(stream, 0.1, SILENCE)
    assert ear.verdicts == [("ended", "silence")]
    script.may_answer.set()


async def test_a_broken_model_is_a_late_one(detect: Callable[..., SmartTurn]) -> None:
    detector, ear = detect(Script()), Ear()
    stream = detector.open(ear, AgreementSettings())
    say_something(stream)
    speak(stream, 0.02, SILENCE)
    while not detector.stats.late:
        await asyncio.sleep(0)
    speak(stream, 1.0, SILENCE)
    assert ear.verdicts == [("ended", "silence")]


async def test_speech_takes_the_question_back(detect: Callable[..., SmartTurn]) -> None:
    script, ear = Script(0.9, 0.9), Ear()
    script.may_answer.clear()
    stream = detect(script).open(ear, AgreementSettings())
    say_something(stream)
    stream.push(SILENCE)
    stream.voice_began(0.06)
    script.may_answer.set()
    speak(stream, 1.0)
    assert ear.verdicts == []
    stream.voice_ended(0.2)
    speak(stream, 0.02, SILENCE)
    assert await ear.next() == ("probably", "smart-turn")


@pytest.mark.parametrize("how", ["reset", "close"])
async def test_nothing_is_heard_of_a_turn_that_is_over(detect: Callable[..., SmartTurn], how: str) -> None:
    script, ear = Script(0.9), Ear()
    script.may_answer.clear()
    stream = detect(script).open(ear, AgreementSettings())
    say_something(stream)
    stream.push(SILENCE)
    getattr(stream, how)()
    script.may_answer.set()
    speak(stream, 2.0, SILENCE)
    await asyncio.sleep(0)
    assert ear.verdicts == []


async def test_long_turns_keep_their_last_eight_seconds(detect: Callable[..., SmartTurn]) -> None:
    script, ear = Script(0.9), Ear()
    stream = detect(script).open(ear, AgreementSettings())
    say_something(stream, 30.0)
    stream.push(SILENCE)
    await ear.next()
    assert len(script.asked[0]) == 8 * 8000


async def test_voice_after_a_long_silence_is_another_turn(detect: Callable[..., SmartTurn]) -> None:
    script, ear = Script(0.05, 0.9), Ear()
    detector = detect(script)
    stream = detector.open(ear, AgreementSettings())
    say_something(stream)
    stream.push(SILENCE)
    while not detector.stats.answers:
        await asyncio.sleep(0)
    speak(stream, 4.0, SILENCE)
    say_something(stream, 0.5)
    stream.push(SILENCE)
    await ear.next()
    assert len(script.asked[1]) < 1.2 * 8000


async def test_a_question_that_would_be_answered_too_late_is_not_begun(detect: Callable[..., SmartTurn]) -> None:
    script = Script(0.9, 0.9, 0.9)
    script.may_answer.clear()
    detector, ears = detect(script, 0.3), [Ear() for _ in range(3)]
    for ear in ears:
        stream = detector.open(ear, AgreementSettings())
        say_something(stream)
        stream.push(SILENCE)
    while detector.stats.late < 3:
        await asyncio.sleep(0)
    script.may_answer.set()
    detector.close()
    assert len(script.asked) == 1, "the others left the queue with their deadline"
