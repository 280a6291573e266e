"""The agent's ear: what vendors say becomes turn events; voices in the background are told apart from the caller's."""

from __future__ import annotations

import pytest

from moonwire.call.hearing import Hearing, TurnEngine
from moonwire.call.timeline import Timeline
from moonwire.core.audio.energy import rms_of_dbfs
from moonwire.core.audio.g711 import encode_ulaw
from moonwire.core.turns import events as ev
from moonwire.errors import VendorError, VendorUnavailableError
from moonwire.ports.vad import VadListener, VadStream

SILENCE = b"\xff" * 160


class HandClock:
    """Implements ports.clock.Clock; moved by the test."""

    now_s = 100.0

    def monotonic_s(self) -> float:
        return self.now_s

    def utc_s(self) -> float:
        return self.now_s


class Ears:
    """A voice detector that says what the test says, and a recogniser that only counts."""

    def __init__(self) -> None:
        self.listener: VadListener | None = None
        self.frames = 0
        self.finalized = 0

    def open(self, listener: VadListener) -> VadStream:
        self.listener = listener
        return self

    def push(self, frame: bytes) -> None: ...

    def send_audio(self, frame: bytes) -> None:
        self.frames += 1

    def finalize(self) -> None:
        self.finalized += 1

    def close(self) -> None: ...


class Stt(Ears):
    async def close(self) -> None: ...  # pyright: ignore[reportIncompatibleMethodOverride]


class Bed:
    def __init__(self, engine: TurnEngine, *, vad: bool = True, asked: bool = False) -> None:
        self.clock = HandClock()
        self.timeline = Timeline(self.clock)
        self.events: list[ev.TurnEvent] = []
        self.failures: list[VendorError] = []
        self.vad, self.stt = Ears(), Stt()
        self.hearing = Hearing(engine, self.timeline, self.events.append, self.failures.append, lambda: asked)
        self.hearing.attach(self.stt, self.vad if vad else None)

    def hear(self, dbfs: float, seconds: float) -> None:
        """Let the caller's line carry a steady level."""
        level = rms_of_dbfs(dbfs)
        frame = encode_ulaw(level.to_bytes(2, "little", signed=True) * 160)
        for _ in range(round(seconds * 50)):
            self.clock.now_s += 0.02
            self.hearing.on_frame(frame)

    def voice(self, dbfs: float, seconds: float) -> None:
        """Let somebody speak at a level; the detector hears it."""
        assert self.vad.listener
        self.hear(dbfs, 0.1)
        self.vad.listener.on_voice_started(0.08)
        self.hear(dbfs, seconds)
        self.hear(-80, 0.2)
        self.vad.listener.on_voice_ended(0.2)

    @property
    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.events]


SILENCE_TIMER = TurnEngine("silence", vendor_ends_turn=False)
STT = TurnEngine("stt", vendor_ends_turn=True)


def test_the_callers_voice_becomes_events_and_words_are_asked_for() -> None:
    bed = Bed(SILENCE_TIMER)
    bed.voice(-25, 1.0)
    assert bed.kinds == ["SpeechStarted", "SpeechEnded"]
    assert bed.events[0].at == pytest.approx(0.02)
    assert bed.stt.finalized == 1
    assert bed.stt.frames == 65


def test_a_recogniser_that_ends_turns_is_not_hurried() -> None:
    bed = Bed(STT)
    bed.voice(-25, 1.0)
    bed.hearing.on_stt_end_of_turn()
    assert bed.stt.finalized == 0
    assert bed.kinds[-1] == "EndOfTurn"
    assert bed.hearing.ended_by == "stt"


def test_the_recogniser_ends_turns_whose_voice_nobody_else_hears() -> None:
    bed = Bed(SILENCE_TIMER)
    bed.hear(-30, 1.0)
    bed.hearing.on_stt_interim("hello")
    bed.hearing.on_stt_final("Hello there.", 0.9)
    bed.hearing.on_stt_end_of_turn()
    assert bed.kinds == ["SpeechStarted", "InterimTranscript", "FinalTranscript", "SpeechEnded", "EndOfTurn"]
    assert bed.hearing.ended_by == "stt"
    bed.voice(-30, 1.0)
    bed.hearing.on_stt_final("And now aloud.", 0.9)
    bed.hearing.on_stt_end_of_turn()
    assert bed.kinds.count("EndOfTurn") == 1, "a voice that is heard is judged by its pauses"


def test_background_voices_do_not_reach_the_machine_once_the_caller_is_known() -> None:
    bed = Bed(SILENCE_TIMER)
    bed.voice(-25, 1.0)
    bed.hearing.on_stt_final("Hello.", 0.9)
    bed.hearing.turn_over(answered=True)
    bed.hear(-80, 3.0)
    bed.events.clear()
    bed.voice(-40, 2.0)
    bed.hearing.on_stt_interim("and now")
    bed.hearing.on_stt_final("And now the weather.", 0.9)
    assert bed.kinds == ["InterimTranscript", "FinalTranscript"]
    assert all(event.distant for event in bed.events)  # pyright: ignore[reportAttributeAccessIssue]
    bed.voice(-26, 1.0)
    bed.hearing.on_stt_final("Wait.", 0.9)
    assert bed.kinds[2:] == ["SpeechStarted", "SpeechEnded", "FinalTranscript"]
    assert not bed.events[-1].distant  # pyright: ignore[reportAttributeAccessIssue]


def test_words_say_whether_the_agent_has_just_asked() -> None:
    bed = Bed(SILENCE_TIMER, asked=True)
    bed.hearing.on_stt_interim("yes")
    assert bed.events[-1] == ev.InterimTranscript(0.0, "yes", asked=True)


def test_without_a_detector_the_recognisers_onset_counts() -> None:
    bed = Bed(STT, vad=False)
    bed.hearing.on_stt_speech_started()
    bed.hearing.on_stt_end_of_turn()
    assert bed.kinds == ["SpeechStarted", "SpeechEnded", "EndOfTurn"]


def test_native_turn_taking_speaks_the_same_words() -> None:
    bed = Bed(STT)
    bed.hearing.on_stt_early_end_of_turn("what does it cost")
    bed.hearing.on_stt_turn_resumed()
    assert bed.kinds == ["InterimTranscript", "EarlyEndOfTurn", "TurnResumed"]


def test_an_engines_verdicts_are_translated_with_its_name() -> None:
    bed = Bed(SILENCE_TIMER)
    for verdict in ("probably", "resumed", "ended"):
        bed.hearing.on_turn_verdict(verdict, 0.9, "smart-turn")
    assert bed.kinds == ["EarlyEndOfTurn", "TurnResumed", "EndOfTurn"]
    assert bed.hearing.ended_by == "smart-turn"


async def test_a_lost_recogniser_ends_the_agent() -> None:
    bed = Bed(SILENCE_TIMER)
    bed.hearing.on_stt_failed(VendorUnavailableError("gone", vendor="stt"))
    assert bed.kinds == ["AgentFailed"]
    assert len(bed.failures) == 1
    await bed.hearing.close()
    bed.hearing.on_frame(SILENCE)
    assert bed.stt.frames == 0
