"""Properties of the turn machine over random conversations, by a generator that knows the driver's protocol.

I1  at most one reply is alive                    I6  pause, resume, clear and cancel name the living reply
I2  the agent listens exactly when none is        I7  only armed timers are disarmed
I3  each reply ends exactly once                  I8  after the end: nothing alive, nothing armed, no commands
I4  barge_in is armed exactly in onset,           I9  a replay gives the same commands
    held implies onset                            I10 never stuck: a timer is armed, or a reply is audible,
I5  end_of_turn is armed exactly in paused            or the caller simply has the word
I11 no word is lost: heard finals are committed or pending, in order, once (until the agent's last sentence)

MOONWIRE_FUZZ=1 runs the long profile.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from moonwire.core.turns import commands as cmd
from moonwire.core.turns import events as ev
from moonwire.core.turns.agent_side import AgentSide
from moonwire.core.turns.caller_side import CallerSide
from moonwire.core.turns.machine import TurnMachine
from moonwire.core.turns.orders import Orders
from moonwire.core.turns.reply_rules import ReplyRules
from moonwire.core.turns.settings import TurnSettings

LONG = bool(os.environ.get("MOONWIRE_FUZZ"))
EXAMPLES, STEPS = (3000, 120) if LONG else (60, 60)
SEQUENCES = 3000 if LONG else 120

TIMERS: tuple[ev.TimerName, ...] = ("barge_in", "end_of_turn", "no_response", "reply_start", "user_turn")
PAIRS = {
    ("silent", "listening"),
    ("silent", "thinking"),
    ("silent", "speaking"),
    ("onset", "thinking"),
    ("onset", "held"),
    ("speaking", "listening"),
    ("paused", "listening"),
    ("paused", "speaking"),
}


class Call:
    """A driver that carries out commands only in its books, and checks every one of them."""

    def __init__(self, options: TurnSettings) -> None:
        self.options = options
        self.machine = TurnMachine(options)
        self.log: list[tuple[ev.TurnEvent, list[cmd.TurnCommand]]] = []
        self.now = 0.0
        self.armed: dict[ev.TimerName, float] = {}
        self.alive = 0
        self.started = 0
        self.audible = False
        self.held = False
        self.cut_audible = 0
        self.cut_reason = ""
        self.answered = self.ended = self.closing = False
        self.voice = False
        self.said: list[str] = []
        self.committed: list[str] = []
        self.causes: set[str] = set()

    # What the generator may do -----------------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        """Let time pass; armed timers fire in their order."""
        until = self.now + seconds
        while self.armed and min(self.armed.values()) <= until:
            timer = min(self.armed, key=lambda name: self.armed[name])
            self.now = max(self.now, self.armed.pop(timer))
            self.feed(ev.TimerFired(self.now, timer))
        self.now = until

    def feed(self, event: ev.TurnEvent) -> None:
        was_ended = self.ended
        match event:
            case ev.PlaybackStarted(reply=reply) if reply == self.alive:
                self.audible = True
            case ev.CallAnswered():
                self.answered = True
            case ev.AgentFailed():
                self.closing = True
            case ev.CallEnded():
                self.ended = True
            case ev.SpeechStarted():
                self.voice = True
            case ev.SpeechEnded():
                self.voice = False
            case ev.FinalTranscript(text=text) if self.answered and not self.closing and not was_ended:
                self.said.append(text)
            case _:
                pass
        commands = self.machine.handle(event)
        self.log.append((event, commands))
        if was_ended:
            assert not commands, "I8"
        for position, command in enumerate(commands):
            self.check_command(command, commands[position + 1 :])
        self.check_state()

    # Checks ------------------------------------------------------------------------------------------------------

    def check_command(self, command: cmd.TurnCommand, rest: list[cmd.TurnCommand]) -> None:
        match command:
            case cmd.StartReply(reply=reply, cause=cause):
                assert not self.alive, "I1"
                assert not self.cut_audible, "I3"
                assert reply == self.started + 1
                self.started = self.alive = reply
                self.audible = self.held = False
                self.causes.add(cause)
            case cmd.CancelReply(reply=reply, reason=reason):
                assert reply == self.alive, "I6"
                self.cut_audible = reply if self.audible else 0
                self.cut_reason = reason
                self.alive = 0
            case cmd.CommitAgentTurn(reply=reply, interrupted=interrupted):
                cut = self.cut_audible != 0
                assert reply == (self.cut_audible or self.alive) != 0, "I3"
                assert interrupted == (cut and self.cut_reason == "barge_in")
                self.cut_audible = self.alive = 0
            case cmd.PausePlayback(reply=reply):
                assert (reply, self.audible, self.held) == (self.alive, True, False), "I6"
                self.held = True
            case cmd.ResumePlayback(reply=reply):
                assert (reply, self.held) == (self.alive, True), "I6"
                self.held = False
            case cmd.ClearPlayback(reply=reply):
                assert (reply, self.audible) == (self.alive, True), "I6"
            case cmd.CommitUserTurn(text=text):
                assert isinstance(rest[0], cmd.StartReply)
                assert rest[0].cause in {"user", "requested"}
                self.committed.append(text)
            case cmd.ArmTimer(timer=timer, due=due):
                self.armed[timer] = due
            case cmd.DisarmTimer(timer=timer):
                assert timer in self.armed, "I7"
                del self.armed[timer]
            case cmd.EndAgent():
                assert not rest
                self.ended = True

    def check_state(self) -> None:
        state = self.machine.state
        self.closing = self.closing or state.ending is not None
        assert not self.cut_audible, "I3"
        assert state.armed == self.armed
        assert (state.user, state.agent) in PAIRS
        assert (state.agent == "listening") == (self.alive == 0), "I2"
        assert (state.agent in {"speaking", "held"}) == (bool(self.alive) and self.audible)
        assert (state.agent == "held") == (bool(self.alive) and self.held)
        assert ("barge_in" in self.armed) == (state.user == "onset"), "I4"
        assert ("end_of_turn" in self.armed) == (state.user == "paused"), "I5"
        assert ("user_turn" in self.armed) == (state.user == "speaking")
        assert ("reply_start" in self.armed) == (state.agent == "thinking")
        if "no_response" in self.armed:
            assert (state.user, state.agent) == ("silent", "listening")
        if self.ended:
            assert not self.armed, "I8"
            assert not self.alive, "I8"
        elif self.answered:
            waiting = (state.user, state.agent) == ("silent", "listening") and not state.pending_text
            assert self.armed or state.agent == "speaking" or waiting, "I10"
        if not self.closing and not self.ended:
            pending = [state.pending_text] if state.pending_text else []
            assert " ".join(self.committed + pending) == " ".join(self.said), "I11"

    def check_replay(self) -> None:
        again = TurnMachine(self.options)
        for event, commands in self.log:
            assert again.handle(event) == commands, "I9"


OPTIONS = st.builds(
    TurnSettings,
    greeting=st.booleans(),
    barge_in=st.sampled_from([True, True, False]),
    min_speech_s=st.sampled_from([0.0, 0.1, 0.5, 1.5]),
    sticky=st.booleans(),
    end_of_turn_s=st.sampled_from([0.2, 0.7, 3.0]),
    no_response_s=st.sampled_from([0.0, 4.0]),
    user_turn_s=st.sampled_from([3.0, 30.0]),
)
WAITS = (0.0, 0.0, 0.01, 0.1, 0.3, 0.8, 2.0, 6.0)


def old_reply(call: Call, pick: int) -> int:
    """A reply that is over, or was never started."""
    return next(number for number in (pick % (call.started + 1), 0, 99) if number != call.alive)


def move(call: Call, name: str, pick: int) -> None:
    """One step of the protocol; moves that make no sense now do nothing."""
    now = call.now
    moves: dict[str, Callable[[], ev.TurnEvent | None]] = {
        "answer": lambda: ev.CallAnswered(now),
        "voice on": lambda: None if call.voice else ev.SpeechStarted(now - (pick % 3) * 0.05),
        "voice off": lambda: ev.SpeechEnded(now - (pick % 3) * 0.05) if call.voice else None,
        "voice again": lambda: ev.SpeechStarted(now) if call.voice else ev.SpeechEnded(now),
        "interim": lambda: ev.InterimTranscript(now, ("so", "so what", "?")[pick % 3]),
        "final": lambda: ev.FinalTranscript(now, f"word{len(call.said)}"),
        "end of turn": lambda: ev.EndOfTurn(now, "stt"),
        "audio": lambda: ev.PlaybackStarted(now, call.alive) if call.alive and not call.audible else None,
        "heard": lambda: ev.PlaybackFinished(now, call.alive) if call.alive and call.audible else None,
        "nothing to say": lambda: ev.PlaybackFinished(now, call.alive) if call.alive else None,
        "failed": lambda: ev.ReplyFailed(now, call.alive, "vendor-timeout") if call.alive else None,
        "tools": lambda: ev.ToolsStarted(now, call.alive) if call.alive else None,
        "results": lambda: ev.ToolsFinished(now, call.alive) if call.alive else None,
        "wish": lambda: ev.ReplyRequested(now, interrupt=False),
        "urgent wish": lambda: ev.ReplyRequested(now, interrupt=True),
        "late results": lambda: ev.ToolsFinished(now, old_reply(call, pick)),
        "late audio": lambda: ev.PlaybackStarted(now, old_reply(call, pick)),
        "late heard": lambda: ev.PlaybackFinished(now, old_reply(call, pick)),
        "late failed": lambda: ev.ReplyFailed(now, old_reply(call, pick), "vendor-timeout"),
        "late timer": lambda: ev.TimerFired(min([now, *call.armed.values()]) - 0.5, TIMERS[pick % 5]),
        "agent failed": lambda: ev.AgentFailed(now, "stt-lost"),
        "end": lambda: ev.CallEnded(now),
    }
    event = moves[name]()
    if event is not None:
        call.feed(event)


TALK = ("voice on", "voice off", "interim", "final", "end of turn", "audio", "heard", "tools", "results")
TROUBLE = (
    "failed",
    "nothing to say",
    "voice again",
    "late audio",
    "late heard",
    "late failed",
    "late results",
    "late timer",
    "wish",
    "urgent wish",
    "answer",
)


class Conversations(RuleBasedStateMachine):
    call: Call

    @initialize(options=OPTIONS, answered=st.sampled_from([True, True, True, False]))
    def begin(self, options: TurnSettings, answered: bool) -> None:
        self.call = Call(options)
        if answered:
            self.call.feed(ev.CallAnswered(0.0))

    @rule(name=st.sampled_from(TALK), seconds=st.sampled_from(WAITS), pick=st.integers(0, 20))
    def talk(self, name: str, seconds: float, pick: int) -> None:
        self.call.wait(seconds)
        move(self.call, name, pick)

    @rule(name=st.sampled_from(TALK), pick=st.integers(0, 20))
    def talk_at_once(self, name: str, pick: int) -> None:
        move(self.call, name, pick)

    @rule(name=st.sampled_from(TROUBLE), seconds=st.sampled_from(WAITS), pick=st.integers(0, 20))
    def trouble(self, name: str, seconds: float, pick: int) -> None:
        self.call.wait(seconds)
        move(self.call, name, pick)

    @precondition(lambda self: len(self.call.log) > 25)
    @rule(name=st.sampled_from(["agent failed", "end", "late heard"]))
    def finish(self, name: str) -> None:
        move(self.call, name, 0)

    def teardown(self) -> None:
        if hasattr(self, "call"):
            self.call.check_replay()
            self.call.feed(ev.CallEnded(self.call.now))
            assert self.call.machine.handle(ev.SpeechStarted(self.call.now)) == []


TestConversations = Conversations.TestCase
TestConversations.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    derandomize=not LONG,
    suppress_health_check=[HealthCheck.too_slow],
)


def converse(seed: int, steps: int = 60) -> Call:
    """One random conversation without hypothesis: quick, and the same for the same seed."""
    dice = random.Random(seed)
    call = Call(
        TurnSettings(
            greeting=dice.random() < 0.7,
            barge_in=dice.random() < 0.8,
            sticky=dice.random() < 0.3,
            no_response_s=dice.choice([0.0, 4.0]),
        )
    )
    call.feed(ev.CallAnswered(0.0))
    for _ in range(steps):
        call.wait(dice.choice(WAITS))
        move(call, dice.choice(TALK if dice.random() < 0.8 else TROUBLE), dice.randrange(20))
    if dice.random() < 0.3:
        call.feed(ev.AgentFailed(call.now, "stt-lost"))
        call.wait(1.0)
    call.check_replay()
    call.feed(ev.CallEnded(call.now))
    call.wait(60.0)
    return call


def test_random_conversations_meet_every_cause() -> None:
    causes: set[str] = set()
    for seed in range(SEQUENCES):
        causes |= converse(seed).causes
    assert causes == {"greeting", "user", "no_response", "requested", "apology"}


# Planted faults: each must be found, or the invariants above are decoration. ------------------------------------------


def forget_to_disarm(patch: pytest.MonkeyPatch) -> None:
    right = Orders.disarm

    def wrong(self: Orders, timer: ev.TimerName) -> None:
        if timer != "barge_in":
            right(self, timer)

    patch.setattr(Orders, "disarm", wrong)


def leave_old_reply_running(patch: pytest.MonkeyPatch) -> None:
    right = AgentSide.cut

    def wrong(self: AgentSide, reason: cmd.CancelReason) -> None:
        if reason != "superseded":
            right(self, reason)

    patch.setattr(AgentSide, "cut", wrong)


def believe_late_reports(patch: pytest.MonkeyPatch) -> None:
    right = ReplyRules.reported

    def wrong(self: ReplyRules, event: Any) -> None:
        right(self, type(event)(event.at, self._agent.reply, *([event.reason] if hasattr(event, "reason") else [])))

    patch.setattr(ReplyRules, "reported", wrong)


def keep_the_old_reply_number(patch: pytest.MonkeyPatch) -> None:
    right = AgentSide.finish

    def wrong(self: AgentSide) -> None:
        number = self.reply
        right(self)
        self.reply = number

    patch.setattr(AgentSide, "finish", wrong)


def believe_unarmed_timers(patch: pytest.MonkeyPatch) -> None:
    def wrong(self: Orders, timer: ev.TimerName) -> float | None:
        return -1000.0

    patch.setattr(Orders, "due", wrong)


def lose_words_over_the_agent(patch: pytest.MonkeyPatch) -> None:
    right = CallerSide.take_floor

    def wrong(self: CallerSide, at: float) -> None:
        self.words.clear()
        right(self, at)

    patch.setattr(CallerSide, "take_floor", wrong)


FAULTS = [
    forget_to_disarm,
    leave_old_reply_running,
    believe_late_reports,
    keep_the_old_reply_number,
    believe_unarmed_timers,
    lose_words_over_the_agent,
]


@pytest.mark.parametrize("plant", FAULTS)
def test_planted_fault_is_found(plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    found = 0
    for seed in range(100):
        try:
            converse(seed)
        except AssertionError:
            found += 1
    assert found >= 10
