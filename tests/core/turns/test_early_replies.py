"""Ten thousand random turns with early replies: what is heard is always an answer to what the caller has said."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush

from moonwire.core.turns import commands as cmd
from moonwire.core.turns import events as ev
from moonwire.core.turns.machine import TurnMachine
from moonwire.core.turns.settings import TurnSettings
from moonwire.core.turns.words import tokens

RUNS = 10_000
WORDS = ("book", "a", "table", "for", "two", "please", "tomorrow", "no", "at", "eight")


@dataclass
class Agent:
    """A driver, a model and a mouth: answers are known by the words that they answer."""

    dice: random.Random
    now: float = 0.0
    turns: list[str] = field(default_factory=list[str])
    answers: dict[int, str] = field(default_factory=dict[int, str])
    kept_back: set[int] = field(default_factory=set[int])
    heard: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    hits: int = 0
    misses: int = 0

    def __post_init__(self) -> None:
        self.machine = TurnMachine(TurnSettings(greeting=False, early=True, end_of_turn_s=1.6, language="en"))
        self.timers: dict[ev.TimerName, float] = {}
        self.coming: list[tuple[float, int]] = []
        self.alive = 0

    def feed(self, event: ev.TurnEvent) -> None:
        for command in self.machine.handle(event):
            self.carry_out(command)

    def carry_out(self, command: cmd.TurnCommand) -> None:
        match command:
            case cmd.ArmTimer(timer, due):
                self.timers[timer] = due
            case cmd.DisarmTimer(timer):
                del self.timers[timer]
            case cmd.StartReply(reply):
                self.think(reply, self.turns[-1] if self.turns else "")
            case cmd.StartEarlyReply(reply, text):
                assert not self.alive, "one speculative request at a time"
                self.think(reply, text)
                self.kept_back.add(reply)
            case cmd.ReleaseReply(reply):
                self.kept_back.discard(reply)
                self.hits += 1
                heappush(self.coming, (self.now, reply))
            case cmd.CancelReply(reply, reason):
                self.alive = 0
                self.misses += reason == "preflight_miss"
            case cmd.CommitUserTurn(text):
                self.turns.append(text)
            case cmd.CommitAgentTurn():
                self.alive = 0
            case _:
                pass

    def think(self, reply: int, about: str) -> None:
        self.alive = reply
        self.answers[reply] = about
        heappush(self.coming, (self.now + self.dice.choice((0.05, 0.3, 0.9)), reply))

    def wait(self, seconds: float) -> None:
        until = self.now + seconds
        while True:
            timer = min(self.timers, key=lambda name: self.timers[name], default=None)
            timer_at = self.timers[timer] if timer else until + 1
            audio_at = self.coming[0][0] if self.coming else until + 1
            if min(timer_at, audio_at) > until:
                break
            self.now = max(self.now, min(timer_at, audio_at))
            if timer is not None and timer_at <= audio_at:
                del self.timers[timer]
                self.feed(ev.TimerFired(self.now, timer))
            else:
                self.speak(heappop(self.coming)[1])
        self.now = until

    def speak(self, reply: int) -> None:
        if reply == self.alive and reply not in self.kept_back:
            self.heard.append((self.answers[reply], self.turns[-1] if self.turns else ""))
            self.feed(ev.PlaybackStarted(self.now, reply))


def talk(dice: random.Random) -> Agent:
    """One turn of one to three stretches of speech, misheard at times, with early and final signs at any moment."""
    agent = Agent(dice)
    agent.feed(ev.CallAnswered(0.0))
    for _ in range(dice.randint(1, 3)):
        agent.feed(ev.SpeechStarted(agent.now))
        words = dice.choices(WORDS, k=dice.randint(1, 4))
        agent.wait(dice.choice((0.3, 0.6)))
        agent.feed(ev.InterimTranscript(agent.now, " ".join(words[:-1] if dice.random() < 0.4 else words)))
        signs: list[ev.TurnEvent] = [ev.SpeechEnded(agent.now)]
        if dice.random() < 0.3:
            words[-1] = dice.choice(WORDS)
        settled = " ".join(words).capitalize() + dice.choice((".", "", "?"))
        later = [
            ev.EarlyEndOfTurn(0, "smart-turn"),
            ev.EarlyEndOfTurn(0, "smart-turn"),
            ev.TurnResumed(0, "flux"),
            ev.EndOfTurn(0, "smart-turn"),
            ev.FinalTranscript(0, settled),
        ]
        signs += [sign for sign in dice.sample(later, len(later)) if dice.random() < 0.7]
        for sign in signs:
            agent.feed(replace(sign, at=agent.now))
            agent.wait(dice.choice((0.0, 0.0, 0.02, 0.2)))
        agent.wait(dice.choice((0.0, 0.1, 0.5, 1.0)))
        if agent.turns:
            break
    agent.wait(4.0)
    return agent


def test_no_wrong_reply_is_heard_in_ten_thousand_turns() -> None:
    hits = misses = heard = 0
    for seed in range(RUNS):
        agent = talk(random.Random(seed))
        hits, misses, heard = hits + agent.hits, misses + agent.misses, heard + len(agent.heard)
        for answered, said in agent.heard:
            assert tokens(answered) == tokens(said), f"seed {seed}: answered {answered!r}, but {said!r} was said"
    assert hits > RUNS / 10
    assert misses > RUNS / 10
    assert heard > RUNS / 2
