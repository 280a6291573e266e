"""Plays the caller of a call: follows a script frame by frame, listens to the agent, measures, records both voices.

Time is media time: one 20 ms tick for each frame the transport fetches. Nothing here sleeps.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from moonwire.core.audio.frames import FRAME_S, SILENCE_FRAME
from moonwire.core.audio.wav import split_frames
from moonwire.ports.legs import CallLeg, LegEnd
from moonwire.sandbox.caller.ears import Ears
from moonwire.sandbox.caller.report import CallerReport, CallerTurn
from moonwire.sandbox.caller.script import (
    HangUp,
    Interrupt,
    Pause,
    PlayAudio,
    Say,
    SendDigits,
    Step,
    WaitForSilence,
    WaitForSpeech,
)
from moonwire.sandbox.caller.stereo import StereoRecording

CALL_LIMIT_S = 300.0
_DIGIT_GAP_MS = 100

Condition = Callable[[], bool]
Play = Generator[None, None, None]
"""Advances by one tick per `next`."""


class ScriptedCaller:
    """Implements ports.legs.LegListener and ports.media.AudioSource for an outbound leg."""

    def __init__(self, steps: Sequence[Step], *, record: bool = True) -> None:
        """Keep a script whose audio is already there (`prepare`)."""
        self.report = CallerReport()
        self.agent = Ears()
        """The agent's voice as received."""
        self.own = Ears()
        """The caller's voice as sent."""
        self.recording = StereoRecording() if record else None
        self._leg: CallLeg | None = None
        self._tick = 0
        self._queue: deque[bytes] = deque()
        self._heard_until_s = 0.0
        self._play = self._follow(steps)
        self._playing = True
        self._over = asyncio.Event()
        self._ended: LegEnd | None = None

    async def run(self, leg: CallLeg, *, limit_s: float = CALL_LIMIT_S, record_to: Path | None = None) -> CallerReport:
        """Follow the script on an answered leg, hang up, and return the report.

        Args:
            leg: answered, with this caller attached as listener and source.
            limit_s: longest call.
            record_to: where to write the stereo WAV (left the caller, right the agent).
        """
        self._leg = leg
        try:
            async with asyncio.timeout(limit_s):
                await self._over.wait()
        except TimeoutError:
            self.report.problems.append(f"the call was not over after {limit_s:g} s")
        if self._ended is None:
            await leg.hang_up()
        self._close_report()
        if record_to is not None and self.recording is not None:
            await asyncio.to_thread(self.recording.write, record_to)
            self.report.recording = str(record_to)
        return self.report

    # -- what the leg calls --------------------------------------------------------------------------------------

    def next_frame(self) -> bytes | None:
        """Give the next frame of the caller's voice and advance the script by one tick."""
        if self._leg is not None and self._playing:
            try:
                next(self._play)
            except StopIteration:
                self._playing = False
        frame = self._queue.popleft() if self._queue else None
        now_s = self._now_s
        if frame is not None:
            self.own.hear(frame, now_s)
        if self.recording is not None:
            self.recording.add_caller(frame or SILENCE_FRAME)
        self._tick += 1
        return frame

    def on_played_out(self) -> None:
        """Need no notice: ticks tell the same."""

    def on_frame(self, frame: bytes) -> None:
        """Hear 20 ms of the agent; a burst after a delay is laid out in time, not heaped."""
        at_s = max(self._heard_until_s, self._now_s)
        self._heard_until_s = at_s + FRAME_S
        self.agent.hear(frame, at_s)
        if self.recording is not None:
            self.recording.add_agent(frame, at_frame=round(at_s / FRAME_S))

    def on_digit(self, digit: str, duration_ms: int) -> None:
        """Note a key that the agent pressed."""
        del duration_ms
        self.report.digits += digit

    def on_ended(self, end: LegEnd) -> None:
        """Stop: the leg is over."""
        self._ended = end
        self._over.set()

    # -- the script ----------------------------------------------------------------------------------------------

    @property
    def _now_s(self) -> float:
        return self._tick * FRAME_S

    def _follow(self, steps: Sequence[Step]) -> Play:
        for step in steps:
            match step:
                case Say(text, audio):
                    yield from self._speak(CallerTurn("say", text, self._now_s), audio)
                case PlayAudio(label, audio):
                    yield from self._speak(CallerTurn("audio", label, self._now_s), audio)
                case Interrupt():
                    yield from self._interrupt(step)
                case SendDigits(digits, duration_ms):
                    yield from self._press(digits, duration_ms)
                case WaitForSpeech(limit_s):
                    since_s = self._last_turn_s
                    yield from self._wait(lambda since_s=since_s: self.agent.spoke_since(since_s), limit_s, "speech")
                case WaitForSilence(quiet_s, limit_s):
                    yield from self._wait_for_silence(quiet_s, limit_s)
                case Pause(duration_s):
                    yield from self._idle(duration_s)
                case HangUp():
                    break
        self.report.completed = True
        self._over.set()

    @property
    def _last_turn_s(self) -> float:
        return self.report.turns[-1].ended_s if self.report.turns else 0.0

    def _idle(self, duration_s: float) -> Play:
        for _ in range(round(duration_s / FRAME_S)):
            yield

    def _wait(self, condition: Condition, limit_s: float, what: str) -> Play:
        until_s = self._now_s + limit_s
        while not condition():
            if self._now_s >= until_s:
                self.report.problems.append(f"waited {limit_s:g} s in vain for the agent's {what}")
                return
            yield

    def _wait_for_silence(self, quiet_s: float, limit_s: float) -> Play:
        since_s = self._last_turn_s

        def finished() -> bool:
            return self.agent.spoke_since(since_s) and self.agent.silence_s(self._now_s) >= quiet_s

        yield from self._wait(finished, limit_s, "speech and silence")

    def _interrupt(self, step: Interrupt) -> Play:
        since_s = self._last_turn_s
        yield from self._wait(lambda: self.agent.spoke_since(since_s), step.limit_s, "speech to interrupt")
        yield from self._idle(step.after_s)
        yield from self._speak(CallerTurn("interrupt", step.text, self._now_s), step.audio)

    def _speak(self, turn: CallerTurn, audio: bytes) -> Play:
        if not audio:
            self.report.problems.append(f"there is no audio for '{turn.text}'")
            return
        self.report.turns.append(turn)
        self._queue.extend(split_frames(audio))
        while self._queue:
            turn.ended_s = self._now_s + FRAME_S
            yield
        spoken = self.own.stretches[-1] if self.own.stretches else None
        if spoken is not None and spoken.end_s > turn.started_s:
            turn.ended_s = spoken.end_s

    def _press(self, digits: str, duration_ms: int) -> Play:
        turn = CallerTurn("digits", digits, self._now_s)
        self.report.turns.append(turn)
        if self._leg is not None:
            self._leg.send_digits(digits, duration_ms)
        yield from self._idle(len(digits) * (duration_ms + _DIGIT_GAP_MS) / 1000)
        turn.ended_s = self._now_s

    # -- the report ----------------------------------------------------------------------------------------------

    def _close_report(self) -> None:
        report = self.report
        report.duration_s = self._now_s
        report.agent_speech = [(stretch.start_s, stretch.end_s) for stretch in self.agent.stretches]
        if self._ended is not None:
            report.ended_by, report.end_reason = self._ended.by, self._ended.reason
            if not report.completed:
                report.problems.append(f"the call ended before the script: {self._ended.reason}")
        else:
            report.ended_by, report.end_reason = "script", "hangup"
        for turn in report.turns:
            self._measure(turn)

    def _measure(self, turn: CallerTurn) -> None:
        own = self.own.first_after(turn.started_s)
        onset_s = own.start_s if own is not None and turn.kind != "digits" else turn.started_s
        interrupted = self.agent.around(onset_s)
        if interrupted is not None and turn.kind != "digits" and interrupted.end_s > onset_s:
            turn.barge_in_stop_s = interrupted.end_s - onset_s
        if interrupted is None or interrupted.end_s <= turn.ended_s:
            answer = self.agent.first_after(turn.ended_s)
            turn.response_delay_s = answer.start_s - turn.ended_s if answer is not None else None
