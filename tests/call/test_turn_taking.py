"""Turn taking in whole calls: back-channels, keys, early answers, engines; in virtual time, with real audio."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from moonwire.cli.inspect import replay
from moonwire.core.audio.frames import FRAME_S
from moonwire.core.turns.agreement import AgreementSettings
from moonwire.ports.interruption_predictor import InterruptionListener
from moonwire.ports.turn_detector import TurnListener
from moonwire.sandbox.caller import HangUp, Interrupt, Pause, Say, SendDigits, WaitForSilence, WaitForSpeech
from moonwire.sandbox.moonshot import Fault, Pacing
from moonwire.sandbox.virtual_time import virtual_time

from .stage import AGENT, Stage, staged

HOURS = "Hello, what are your opening hours?"
STORY = "Please tell me a story about the moon."
WAIT = "Wait, stop please."


class Marks:
    """An engine without a model: an early sign and a verdict at fixed silences."""

    name = "smart-turn"

    def __init__(self, early_s: float = 0.25, end_s: float = 0.8) -> None:
        self.marks: dict[float, Any] = {early_s: "probably", end_s: "ended"}
        self.asked: list[AgreementSettings] = []

    def open(self, listener: TurnListener, settings: AgreementSettings) -> MarksStream:
        self.asked.append(settings)
        return MarksStream(listener, self.marks)


class MarksStream:
    def __init__(self, listener: TurnListener, marks: dict[float, Any]) -> None:
        self.listener, self.marks = listener, marks
        self.quiet_s: float | None = None
        self.due: list[float] = []

    def push(self, frame: bytes) -> None:
        if self.quiet_s is None:
            return
        self.quiet_s += FRAME_S
        while self.due and self.quiet_s >= self.due[0]:
            self.listener.on_turn_verdict(self.marks[self.due.pop(0)], 0.9, "smart-turn")

    def voice_began(self, ago_s: float) -> None:
        self.quiet_s = None

    def voice_ended(self, ago_s: float) -> None:
        self.quiet_s, self.due = ago_s, sorted(self.marks)

    def reset(self) -> None:
        self.quiet_s = None

    def close(self) -> None:
        self.quiet_s = None


def turn_events(stage: Stage) -> list[str]:
    return [line["type"] for line in stage.named("turn.event") + stage.named("turn.command")]


@pytest.mark.agent_row("bargeIn.strategy: vad", "false alarm")
@virtual_time
async def test_an_okay_over_the_agent_does_not_stop_it(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.deepgram.set_hearing([STORY, "Okay."])
        await stage.call(WaitForSilence(), Say(STORY), Interrupt(WAIT, after_s=2.0), WaitForSilence(), HangUp())
        assert stage.named("turn", interrupted=True) == []
        assert stage.named("turn.command", type="ResumePlayback")
        story = stage.named("turn", cause="user")[0]["pii_heard"]
        assert len(story) > 200, "the whole story was heard"
        assert [chat.messages[-1]["content"] for chat in stage.moonshot.chats][-1] == STORY
        assert replay(stage.lines).difference is None


@pytest.mark.agent_row("bargeIn.minWords")
@virtual_time
async def test_duration_alone_decides_with_min_words_0(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.run_application([AGENT | {"bargeIn": {"minWords": 0, "minSpeechDuration": 0.5}}])
        stage.deepgram.set_hearing([STORY, "Okay."])
        await stage.call(WaitForSilence(), Say(STORY), Interrupt(WAIT, after_s=2.0), WaitForSilence(), HangUp())
        assert len(stage.named("turn", interrupted=True)) == 1
        assert stage.named("call", name="agent_started")[0]["barge_in"]["engine"] == "duration"


@pytest.mark.agent_row("keys")
@virtual_time
async def test_keys_reach_the_agent_and_interrupt(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.deepgram.set_hearing([STORY])
        await stage.call(
            WaitForSilence(), Say(STORY), WaitForSpeech(), Pause(1.0), SendDigits("42#"), WaitForSilence(), HangUp()
        )
        assert len(stage.named("turn", interrupted=True)) == 1
        assert stage.moonshot.chats[-1].messages[-1]["content"] == "(keypad: 42)"
        assert all("pii_digit" in line for line in stage.named("turn.event", type="DigitPressed"))


@pytest.mark.agent_row("earlyGeneration", "earlyGeneration: hit", "turn_end.latency.preflight")
@virtual_time
async def test_an_early_answer_saves_the_wait_for_the_verdict(tmp_path: Path) -> None:
    delays: dict[bool, float] = {}
    for early in (False, True):
        marks = Marks()
        async with staged(tmp_path, turns=marks) as stage:
            stage.moonshot.world.pacing = Pacing(first_token_s=0.4)
            stage.run_application([AGENT | {"earlyGeneration": early}])
            stage.deepgram.set_hearing([HOURS])
            await stage.call(WaitForSilence(), Say(HOURS), WaitForSilence(), HangUp())
            turn = stage.named("turn", cause="user")[0]
            delays[early] = turn["latency"]["response_ms"]
            assert turn["latency"].get("preflight", {}).get("result") == ("hit" if early else None)
            assert ("model_latency" in turn["latency"]) is not early
            assert len(stage.moonshot.chats) == 2, "greeting and answer, nothing twice"
            assert stage.moonshot.chats[-1].messages[-1]["content"] == HOURS
            committed = stage.named("turn.command", type="CommitUserTurn")[0]["at_s"]
            audible = stage.named("turn.event", type="PlaybackStarted")[-1]["at_s"]
            assert audible >= committed, "nothing is heard before the turn has ended"
            assert replay(stage.lines).difference is None
    assert delays[False] - delays[True] >= 380, "as much as the model needs for its first token"


@pytest.mark.agent_row("earlyGeneration: miss")
@virtual_time
async def test_a_wrong_early_answer_is_never_heard_or_stored(tmp_path: Path) -> None:
    async with staged(tmp_path, turns=Marks(early_s=0.25, end_s=1.2)) as stage:
        stage.run_application([AGENT | {"earlyGeneration": True}])
        stage.deepgram.set_hearing([HOURS, STORY])
        await stage.call(WaitForSilence(), Say(HOURS), Pause(0.6), Say(STORY), WaitForSilence(), HangUp())
        turns = stage.named("turn", cause="user")
        assert len(turns) == 1
        assert "Once upon a time" in turns[0]["pii_heard"]
        assert stage.named("turn.command", type="StartEarlyReply")[0]["pii_text"].startswith("Hello")
        assert stage.named("llm", name="early_reply_dropped")
        last = [str(message["content"]) for message in stage.moonshot.chats[-1].messages]
        assert last[-1] == f"{HOURS} {STORY}"
        assert not any("eleven" in text for text in last)


@virtual_time
async def test_an_early_reply_that_fails_is_made_again(tmp_path: Path) -> None:
    async with staged(tmp_path, turns=Marks()) as stage:
        stage.run_application([AGENT | {"earlyGeneration": True, "greeting": False}])
        stage.moonshot.faults.add(Fault("permission", times=1))
        stage.deepgram.set_hearing([HOURS])
        await stage.call(Say(HOURS), WaitForSilence(), HangUp())
        assert [line["cause"] for line in stage.named("turn")] == ["user"]
        assert "eleven" in stage.named("turn")[0]["pii_heard"]
        assert stage.named("llm", name="early_reply_failed")
        assert stage.books.alerts == []


class Predictor:
    """A predictor without a model: says yes when a voice has lasted some time."""

    name = "krisp"

    def __init__(self, after_s: float) -> None:
        self.after_s = after_s
        self.thresholds: list[float] = []
        self.voice_s: float | None = None

    def open(self, listener: InterruptionListener, threshold: float) -> Predictor:
        self.thresholds.append(threshold)
        self.listener = listener
        return self

    def push(self, frame: bytes) -> None:
        if self.voice_s is not None:
            self.voice_s += FRAME_S
            if self.voice_s >= self.after_s:
                self.voice_s = None
                self.listener.on_interruption(0.9, "krisp")

    def voice_changed(self, *, on: bool) -> None:
        self.voice_s = 0.0 if on else None

    def close(self) -> None:
        self.voice_s = None


@pytest.mark.agent_row("bargeIn.strategy: interruptPrediction")
@virtual_time
async def test_a_predictor_tells_who_means_to_interrupt(tmp_path: Path) -> None:
    predictor = Predictor(0.3)
    async with staged(tmp_path, interruptions=predictor) as stage:
        choice = {"strategy": "interruptPrediction", "threshold": 0.7}
        stage.run_application([AGENT | {"greeting": "Hello.", "bargeIn": choice}])
        stage.deepgram.set_hearing([STORY, ""])
        await stage.call(WaitForSilence(), Say(STORY), Interrupt(WAIT, after_s=2.0), WaitForSilence(), HangUp())
        assert predictor.thresholds == [0.7]
        (started,) = stage.named("call", name="agent_started")
        assert started["barge_in"] == {"asked": "interruptPrediction", "engine": "krisp"}
        onset = stage.named("turn.event", type="SpeechStarted")[-1]["at_s"]
        heard = [line["at_s"] for line in stage.named("turn.event", type="InterruptionPredicted")]
        (cut,) = stage.named("turn.command", type="CancelReply", reason="barge_in")
        assert cut["at_s"] in heard
        assert cut["at_s"] - onset < 0.45, "before words or duration would have told"
        assert replay(stage.lines).difference is None


@pytest.mark.agent_row("turnDetection: krisp", "turnDetection.threshold")
@virtual_time
async def test_the_engine_that_ended_the_turn_is_named(tmp_path: Path) -> None:
    marks = Marks(end_s=0.5)
    async with staged(tmp_path, turns=marks) as stage:
        detection = {"mode": "krisp", "threshold": 0.7, "agreeAt": [0.3], "otherwise": 1.1}
        stage.run_application([AGENT | {"turnDetection": detection}])
        stage.deepgram.set_hearing([HOURS])
        await stage.call(WaitForSilence(), Say(HOURS), WaitForSilence(), HangUp())
        assert stage.named("call", name="agent_started")[0]["turn_detection"] == {
            "asked": "krisp",
            "engine": "smart-turn",
        }
        assert marks.asked == [AgreementSettings(threshold=0.7, marks_s=(0.3,), otherwise_s=1.1)]
        assert stage.named("turn.event", type="EndOfTurn")[0]["engine"] == "smart-turn"


@pytest.mark.agent_row("turnDetection: krisp")
@virtual_time
async def test_without_the_model_silence_ends_turns(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.deepgram.set_hearing([HOURS])
        await stage.call(WaitForSilence(), Say(HOURS), WaitForSilence(), HangUp())
        assert stage.named("call", name="agent_started")[0]["turn_detection"]["engine"] == "silence"
