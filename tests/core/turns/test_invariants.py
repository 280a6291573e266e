"""Properties of the turn machine over random conversations, by a generator that knows the driver's protocol.

I1  at most one reply is alive                    I6  pause, resume, clear and cancel name the living reply
I2  the agent listens exactly when none is        I7  only armed timers are disarmed
I3  each reply ends exactly once                  I8  after the end: nothing alive, nothing armed, no commands
I4  barge_in is armed exactly in onset,           I9  a replay gives the same commands
    held implies onset                            I10 never stuck: a timer is armed, or a reply is audible,
I5  end_of_turn is armed exactly in paused            or the caller simply has the word
I11 no word is lost: heard finals and keys are committed or pending, in order, once (until the agent's last sentence);
    only back-channels and words from afar over a reply may be dropped
I12 an early reply is neither audible nor committed before its release, and released only for its own words
I13 a reply that waits for tools has the tools' time, and no more than a reply's once they are done
I14 the application's wishes are granted, each once: what waits is said as soon as nobody has the floor

MOONWIRE_FUZZ=1 runs the long profile: more than a million events, in about two minutes on an idle machine.
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

from moonwire.core.turns import caller_rules
from moonwire.core.turns import commands as cmd
from moonwire.core.turns import events as ev
from moonwire.core.turns.agent_side import AgentSide
from moonwire.core.turns.caller_side import CallerSide
from moonwire.core.turns.floors import Floors
from moonwire.core.turns.machine import TurnMachine
from moonwire.core.turns.orders import Orders
from moonwire.core.turns.reply_rules import ReplyRules
from moonwire.core.turns.settings import TurnSettings
from moonwire.core.turns.words import tokens

LONG = bool(os.environ.get("MOONWIRE_FUZZ"))
EXAMPLES, STEPS = (3000, 120) if LONG else (60, 60)
SEQUENCES = 20_000 if LONG else 120

TIMERS: tuple[ev.TimerName, ...] = ("barge_in", "end_of_turn", "no_response", "reply_start", "user_turn")
PAIRS = {
    ("silent", "listening"),
    ("silent", "thinking"),
    ("silent", "speaking"),
    ("onset", "thinking"),
    ("onset", "held"),
    ("speaking", "listening"),
    ("paused", "listening"),
    ("speaking", "preflight"),
    ("paused", "preflight"),
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
        self.early_text: str | None = None
        self.releases = 0
        self.wishes = self.granted = 0
        self.patience_until: float | None = None

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
        deaf = not self.answered or self.closing or was_ended
        over_reply = self.alive != 0
        match event:
            case ev.PlaybackStarted(reply=reply) if reply == self.alive and self.early_text is None:
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
            case ev.FinalTranscript(text=text, distant=distant) if not deaf:
                optional = over_reply and (distant or text == "Okay.")
                self.said.append(f"?{text}" if optional else text)
            case ev.DigitPressed(digit=digit) if not deaf:
                self.press(digit)
            case ev.ReplyRequested() if not self.closing and not was_ended:
                self.wishes += 1
            case _:
                pass
        commands = self.machine.handle(event)
        self.log.append((event, commands))
        if was_ended:
            assert not commands, "I8"
        match event:
            case ev.ToolsStarted(at=at, reply=reply) if reply == self.alive:
                self.patience_until = at + self.options.tool_wait_s
            case ev.ToolsFinished(at=at, reply=reply) if reply == self.alive:
                self.patience_until = at + self.options.reply_start_s
            case _:
                pass
        for position, command in enumerate(commands):
            self.check_command(command, commands[position + 1 :])
        self.check_state()

    def press(self, digit: str) -> None:
        pending = self.machine.state.pending_text
        going_on = pending.endswith(")")
        if digit == "#" and going_on:
            return
        if going_on:
            last = max(place for place, piece in enumerate(self.said) if piece.startswith("(keypad"))
            self.said[last] = f"{self.said[last][:-1]}{digit})"
        else:
            self.said.append(f"(keypad: {digit})")

    # Checks ------------------------------------------------------------------------------------------------------

    def check_command(self, command: cmd.TurnCommand, rest: list[cmd.TurnCommand]) -> None:
        match command:
            case cmd.StartReply(reply=reply, cause=cause):
                assert not self.alive, "I1"
                assert not self.cut_audible, "I3"
                assert reply == self.started + 1
                self.started = self.alive = reply
                self.audible = self.held = False
                self.early_text = None
                self.patience_until = None
                self.causes.add(cause)
                self.granted += cause == "requested"
            case cmd.StartEarlyReply(reply=reply, text=text):
                assert not self.alive, "I1"
                assert reply == self.started + 1
                self.started = self.alive = reply
                self.audible = self.held = False
                self.early_text = text
                self.patience_until = None
            case cmd.ReleaseReply(reply=reply):
                assert reply == self.alive, "I6"
                assert self.early_text is not None, "I12"
                assert tokens(self.early_text) == tokens(self.committed[-1]), "I12"
                self.early_text = None
                self.patience_until = None
                self.releases += 1
            case cmd.CancelReply(reply=reply, reason=reason):
                assert reply == self.alive, "I6"
                self.cut_audible = reply if self.audible else 0
                self.cut_reason = reason
                self.early_text = None
                self.alive = 0
            case cmd.CommitAgentTurn(reply=reply, interrupted=interrupted):
                cut = self.cut_audible != 0
                assert reply == (self.cut_audible or self.alive) != 0, "I3"
                assert self.early_text is None, "I12"
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
                match rest[0]:
                    case cmd.StartReply(cause=cause):
                        assert cause in {"user", "requested"}
                    case other:
                        assert isinstance(other, cmd.ReleaseReply)
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
        assert (state.agent == "preflight") == (self.early_text is not None), "I12"
        if state.agent == "thinking" and self.patience_until is not None:
            assert self.armed["reply_start"] == round(self.patience_until, 3), "I13"
        if not self.closing and not self.ended:
            waiting = self.machine._floors.requests
            assert self.granted + waiting == self.wishes, "I14"
            assert not waiting or not self.answered or self.armed or self.alive or state.pending_text, "I14"
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
            assert is_told(" ".join(self.committed + pending), self.said), "I11"

    def check_replay(self) -> None:
        again = TurnMachine(self.options)
        for event, commands in self.log:
            assert again.handle(event) == commands, "I9"


def is_told(told: str, said: list[str]) -> bool:
    """Tell whether a text is all that was said, in order, optional pieces (marked with ?) left out or not."""
    places = {0}
    for piece in said:
        words = f" {piece.removeprefix('?')}"
        after = {place + len(words) for place in places if f" {told}".startswith(words, place)}
        places = after | places if piece.startswith("?") else after
    return len(f" {told}".rstrip()) in places or (not told and 0 in places)


OPTIONS = st.builds(
    TurnSettings,
    greeting=st.booleans(),
    barge_in=st.sampled_from([True, True, False]),
    min_speech_s=st.sampled_from([0.0, 0.1, 0.5, 1.5]),
    sticky=st.booleans(),
    end_of_turn_s=st.sampled_from([0.2, 0.7, 3.0]),
    whole_wait_s=st.sampled_from([0.0, 0.8]),
    no_response_s=st.sampled_from([0.0, 4.0]),
    user_turn_s=st.sampled_from([3.0, 30.0]),
    predicted=st.booleans(),
    min_words=st.sampled_from([1, 1, 0, 2]),
    early=st.booleans(),
    language=st.sampled_from(["", "en"]),
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
        "interim right": lambda: ev.InterimTranscript(now, f"Word{len(call.said)}."),
        "final": lambda: ev.FinalTranscript(now, f"word{len(call.said)}", asked=pick == 0),
        "question": lambda: ev.FinalTranscript(now, f"word{len(call.said)}?"),
        "half a sentence": lambda: ev.FinalTranscript(now, f"word{len(call.said)} and the"),
        "okay": lambda: ev.FinalTranscript(now, "Okay."),
        "mm-hm": lambda: ev.InterimTranscript(now, "mm-hm"),
        "from afar": lambda: ev.FinalTranscript(now, f"afar{len(call.said)}", distant=True),
        "predicted": lambda: ev.InterruptionPredicted(now, "krisp"),
        "digit": lambda: ev.DigitPressed(now, "1234#"[pick % 5]),
        "early end": lambda: ev.EarlyEndOfTurn(now, "flux"),
        "resumed": lambda: ev.TurnResumed(now, "flux"),
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


TALK = (
    *("voice on", "voice off", "interim", "interim right", "final", "end of turn", "audio", "heard", "early end"),
    *("voice on", "voice off", "final", "end of turn", "audio", "heard", "early end", "tools", "results"),
    *("half a sentence", "question", "okay", "mm-hm", "digit"),
)
TROUBLE = (
    "from afar",
    "predicted",
    "resumed",
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
            min_words=dice.choice([1, 1, 0, 2]),
            end_of_turn_s=dice.choice([0.7, 1.6]),
            early=dice.random() < 0.7,
            language=dice.choice(["", "en"]),
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


def test_random_conversations_meet_every_cause_and_early_replies(
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    causes: set[str] = set()
    releases = events = 0
    for seed in range(SEQUENCES):
        call = converse(seed)
        causes |= call.causes
        releases += call.releases
        events += len(call.log)
    record_testsuite_property("events", events)
    assert events > (1_000_000 if LONG else 5_000)
    assert causes == {"greeting", "user", "no_response", "requested", "apology"}
    assert releases > SEQUENCES / 20


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


def release_for_other_words(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(AgentSide, "foresaw", lambda self, text: self.floor == "preflight")


def keep_the_early_reply_when_the_turn_is_given_up(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(AgentSide, "miss", lambda self: None)


def think_an_early_reply_audible(patch: pytest.MonkeyPatch) -> None:
    right = AgentSide.start_early

    def wrong(self: AgentSide, text: str) -> None:
        right(self, text)
        self.floor = "thinking"

    patch.setattr(AgentSide, "start_early", wrong)


def wait_for_the_verdict_for_ever(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(CallerSide, "await_verdict", lambda self, _at: self._orders.disarm("barge_in"))


def take_real_words_for_a_backchannel(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(caller_rules, "worth_of", lambda text, settings, *, asked: "backchannel")


def speculate_twice(patch: pytest.MonkeyPatch) -> None:
    def wrong(self: caller_rules.CallerRules, at: float) -> None:
        if self._settings.early and self._caller.words and self._agent.floor in {"listening", "preflight"}:
            self._agent.start_early(self._caller.words.text())

    patch.setattr(caller_rules.CallerRules, "_early_end", wrong)


def hurry_tools(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(AgentSide, "allow", lambda self, due: None)


def stay_patient_after_tools(patch: pytest.MonkeyPatch) -> None:
    right = ReplyRules.reported

    def wrong(self: ReplyRules, event: Any) -> None:
        if not isinstance(event, ev.ToolsFinished):
            right(self, event)

    patch.setattr(ReplyRules, "reported", wrong)


def forget_a_wish(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Floors, "rest", lambda self, at: self.caller.expect_answer(at))


def grant_a_wish_twice(patch: pytest.MonkeyPatch) -> None:
    right = Floors.rest

    def wrong(self: Floors, at: float) -> None:
        waiting = self.requests
        right(self, at)
        self.requests = waiting

    patch.setattr(Floors, "rest", wrong)


def drop_the_callers_words_at_an_urgent_wish(patch: pytest.MonkeyPatch) -> None:
    right = ReplyRules.requested

    def wrong(self: ReplyRules, at: float, *, interrupt: bool) -> None:
        if interrupt:
            self._caller.words.clear()
        right(self, at, interrupt=interrupt)

    patch.setattr(ReplyRules, "requested", wrong)


FAULTS = [
    speculate_twice,
    hurry_tools,
    stay_patient_after_tools,
    forget_a_wish,
    grant_a_wish_twice,
    drop_the_callers_words_at_an_urgent_wish,
    release_for_other_words,
    keep_the_early_reply_when_the_turn_is_given_up,
    think_an_early_reply_audible,
    wait_for_the_verdict_for_ever,
    take_real_words_for_a_backchannel,
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
    for seed in range(200):
        try:
            converse(seed)
        except AssertionError:
            found += 1
    assert found >= 5
