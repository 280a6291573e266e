"""The scripted caller against an agent made of frames, in media time; and its recording."""

from __future__ import annotations

import asyncio
import json
import wave
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from moonwire.core.audio.frames import FRAME_BYTES, SILENCE_FRAME
from moonwire.ports.legs import LegEnd, LegInfo, LegListener
from moonwire.ports.media import AudioSource
from moonwire.sandbox.caller import (
    CallerReport,
    HangUp,
    Interrupt,
    Pause,
    PlayAudio,
    Say,
    ScriptedCaller,
    SendDigits,
    Step,
    WaitForSilence,
    WaitForSpeech,
    conversation,
    prepare,
)
from moonwire.sandbox.voices import synthesise

LOUD = synthesise("aaaaaaaaaaaaaaaaaaaa", "tone")[:FRAME_BYTES]
Agent = Callable[[int, bool], bool]
"""(tick, caller is loud) -> agent is loud."""


class LoopLeg:
    """Implements ports.legs.CallLeg over nothing: notes what is asked of it."""

    info = LegInfo("id", "outbound", "1", "2", "sip", "127.0.0.1", 5060, "udp")

    def __init__(self) -> None:
        self.digits: list[tuple[str, int]] = []
        self.hung_up = 0

    def attach(self, sink: LegListener, source: AudioSource) -> None: ...
    def wake(self) -> None: ...
    def unheard_frames(self) -> int:
        return 0

    def clear(self) -> int:
        return 0

    async def ring(self) -> None: ...
    async def answer(self) -> None: ...
    async def reject(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None: ...
    async def hang_up(self, headers: Mapping[str, str] | None = None) -> None:
        self.hung_up += 1

    def send_digits(self, digits: str, duration_ms: int) -> None:
        self.digits.append((digits, duration_ms))


async def play(
    steps: tuple[Step, ...],
    agent: Agent,
    *,
    ticks: int = 3000,
    leg: LoopLeg | None = None,
    record_to: Path | None = None,
    end_at: int | None = None,
) -> CallerReport:
    caller = ScriptedCaller(await prepare(steps, "tone"))
    running = asyncio.create_task(caller.run(leg or LoopLeg(), record_to=record_to))
    await asyncio.sleep(0)
    for tick in range(ticks):
        frame = caller.next_frame()
        caller.on_frame(LOUD if agent(tick, frame is not None and frame != SILENCE_FRAME) else SILENCE_FRAME)
        if tick == end_at:
            caller.on_ended(LegEnd("moonwire", "hangup"))
        if caller.report.completed or tick == end_at:
            break
    return await running


class Talker:
    """Greets for a second, answers for two seconds, 0.3 s after the caller's last frame; may stop when talked over."""

    def __init__(self, *, stops_after: int | None = None) -> None:
        self.until = 50
        self.answer_at: int | None = None
        self.stops_after = stops_after
        self.over = 0

    def __call__(self, tick: int, caller_loud: bool) -> bool:
        if caller_loud:
            self.answer_at = tick + 16
            self.over += tick < self.until
            if self.stops_after is not None and self.over > self.stops_after:
                self.until = min(self.until, tick)
        elif tick == self.answer_at:
            self.until = tick + 100
        return tick < self.until


async def test_a_conversation_is_led_and_measured() -> None:
    leg = LoopLeg()
    report = await play(conversation(Say("hello there"), Say("good bye")), Talker(), leg=leg)
    assert report.ok, report.problems
    assert [turn.text for turn in report.turns] == ["hello there", "good bye"]
    for turn in report.turns:
        assert turn.response_delay_s == pytest.approx(0.3, abs=0.06)
        assert turn.barge_in_stop_s is None
    assert len(report.agent_speech) == 3
    assert leg.hung_up == 1
    assert report.ended_by == "script"
    assert json.loads(json.dumps(report.as_json()))["ok"] is True


async def test_an_interruption_is_timed() -> None:
    steps = conversation(Say("tell me"), Interrupt("wait stop please", after_s=0.5))
    report = await play(steps, Talker(stops_after=10))
    assert report.ok, report.problems
    turn = report.turns[-1]
    assert turn.kind == "interrupt"
    assert turn.barge_in_stop_s == pytest.approx(0.2, abs=0.05)
    assert turn.response_delay_s == pytest.approx(0.3, abs=0.1)


async def test_an_agent_that_talks_on_shows() -> None:
    steps = conversation(Say("tell me"), Interrupt("stop", after_s=0.5))
    report = await play(steps, lambda tick, loud: tick < 50 or 130 <= tick < 260)
    assert report.turns[-1].barge_in_stop_s == pytest.approx(2.1, abs=0.1)
    assert report.turns[-1].response_delay_s is None


async def test_a_silent_agent_is_a_problem_not_a_hang() -> None:
    report = await play((WaitForSpeech(limit_s=2), WaitForSilence(limit_s=1), HangUp()), lambda tick, loud: False)
    assert report.completed
    assert not report.ok
    assert len(report.problems) == 2
    assert report.duration_s == pytest.approx(3.0, abs=0.1)


async def test_digits_pauses_and_recorded_audio() -> None:
    leg = LoopLeg()
    steps = (Pause(0.5), SendDigits("12#", 100), PlayAudio("beep.wav", LOUD * 10), HangUp())
    report = await play(steps, lambda tick, loud: False, leg=leg)
    assert report.ok
    assert leg.digits == [("12#", 100)]
    assert [turn.kind for turn in report.turns] == ["digits", "audio"]
    assert report.duration_s == pytest.approx(0.5 + 0.6 + 0.2, abs=0.1)


async def test_an_agent_that_hangs_up_early_is_a_problem() -> None:
    leg = LoopLeg()
    report = await play((WaitForSpeech(limit_s=100),), lambda tick, loud: False, leg=leg, end_at=20)
    assert not report.ok
    assert (report.ended_by, report.end_reason) == ("moonwire", "hangup")
    assert leg.hung_up == 0


async def test_text_without_audio_is_a_problem() -> None:
    report = await play((Say("..."), HangUp()), lambda tick, loud: False)
    assert report.problems == ["there is no audio for '...'"]


async def test_the_recording_holds_both_voices_side_by_side(tmp_path: Path) -> None:
    path = tmp_path / "calls" / "one.wav"
    report = await play(conversation(Say("hello")), Talker(), record_to=path)
    assert report.recording == str(path)
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 8000)
        assert file.getnframes() / 8000 == pytest.approx(report.duration_s, abs=0.05)


async def test_a_leg_that_never_moves_is_given_up() -> None:
    caller, leg = ScriptedCaller(()), LoopLeg()
    report = await caller.run(leg, limit_s=0.01)
    assert not report.ok
    assert leg.hung_up == 1


async def test_phrases_of_the_book_use_their_recording() -> None:
    said, *_ = await prepare((Say("where are you"),), "tone")
    assert isinstance(said, Say)
    assert said.audio != synthesise("where are you", "tone")
