"""Decides who has the floor: facts about a call go in, orders to the call's driver come out; carries nothing out.

Theory
======

A conversation is two small machines that watch each other, one for each side of the line:

    caller   silent | onset | speaking | paused
    agent    listening | preflight | thinking | speaking | held

The caller's floor says what we believe the caller is doing; the agent's floor says what has become of the one reply
that may be alive. Of the twenty pairs only nine can occur, and each of them is safe to be in for a known time:

    caller    agent      the pair ends by
    --------  ---------  -----------------------------------------------------------------
    silent    listening  the caller (or timer no_response, where it is configured)
    silent    thinking   playback, failure, or timer reply_start
    silent    speaking   the end of the audio
    onset     thinking   words, or timer barge_in
    onset     held       the same
    speaking  listening  the end of the voice, an end of turn, or timer user_turn
    speaking  preflight  the same
    paused    listening  words, voice, or timer end_of_turn
    paused    preflight  the same

So nothing can hang: wherever a side is waited for, a timer is armed, and a caller is never forgotten.

Nine ideas explain every transition.

1. **Hold at once, stop on words.** Voice over a reply *holds* the playback (onset / held). What it was is decided by
   words: one that is more than a back-channel ("mm-hm", "okay", by language in backchannels.py) drops the reply at
   once, an interim one when the voice has lasted 0.2 s, so that a click which the recogniser mistakes for a word does
   not stop the agent. A back-channel lets the agent go on, and is forgotten. Where the agent has just asked something,
   every word may be the answer and counts. Without words duration decides: voice must last `min_speech_s` and
   `wordless_s`; pauses inside it are taken off. A sound that stops earlier is given `verdict_s` for its words, then
   the agent goes on, unless `sticky`. With `min_words` at 0 duration alone decides, after `min_speech_s`.
2. **Words outrank voice.** Detectors miss soft callers and hear doors; recognisers are late. Words that arrive while
   the caller is thought to be silent open a turn all the same. If the agent is still thinking, its reply answers half
   a sentence and is cancelled: the history merges both pieces and the next reply answers the whole. Only words from
   afar, somebody's in the background, do not disturb a reply.
3. **An end of turn needs words, and words that can be the last.** When the end is decided first, the turn waits
   `final_wait_s` for them and ends with the first that come; also when the caller went on after some words, and the
   words of that part are missing. When none come, the caller has said nothing, and the agent
   gives what it owes: after an interruption a check on the caller, after a failure the apology that it kept back
   because the caller spoke. When the last word cannot end a sentence (unfinished.py), no detector ends the turn, only
   `unfinished_wait_s` of silence does.
4. **A probable end is worth a guess.** With `early`, an early end of turn starts a reply to what was heard so far
   (preflight): not spoken, not stored. It is released when the turn ends with exactly those words, and dropped as soon
   as the caller goes on or the words turn out to be others. At most one is alive.
5. **Keys are words.** Digits interrupt, are collected until `#` or a pause, and end the turn like words.
6. **A failed reply is apologised for, once.** A failed apology is followed by one more attempt to speak after
   `final_wait_s`; the third failure without an audible success ends the agent, and so does AgentFailed, each after a
   last sentence that the caller cannot interrupt. An early reply that fails was never promised: nobody hears of it.
7. **Only the living reply is spoken of.** Reports about replies that are over, and expiries of timers that are not
   armed, are normal (they were on their way when the decision fell) and change nothing.
8. **Tools do not make a second reply.** While a reply waits for tools it stays what it is, thinking or, when something
   was said before, speaking; it only gets more time to become audible. It can be interrupted and superseded as ever;
   the results then belong to the history, not to a reply.
9. **The application may ask for a reply.** It waits until nobody has the floor, or, when it is urgent, replaces what
   is being said: words of the caller that wait are committed first, so the reply may answer them.

Time enters only as `event.at`; `at` may step back a little because detectors report an onset after the fact. Every
sequence of events is legal, also a nonsensical one. The table of all transitions is docs/reference/turns.md, generated
from this machine; the invariants are checked in tests/core/turns/test_invariants.py.

This file routes events and timers. The rules stand in caller_rules.py (what the caller does) and reply_rules.py (what
becomes of replies); caller_side.py and agent_side.py keep the books of the two halves (which floor, which words, which
timers belong to it), orders.py collects the commands. A new rule goes into one of the two rule files.
"""

from __future__ import annotations

from typing import Final

from moonwire.core.turns.caller_rules import CallerRules
from moonwire.core.turns.commands import TurnCommand
from moonwire.core.turns.events import (
    AgentFailed,
    CallAnswered,
    CallEnded,
    PlaybackFinished,
    PlaybackStarted,
    ReplyFailed,
    ReplyRequested,
    TimerFired,
    TimerName,
    ToolsFinished,
    ToolsStarted,
    TurnEvent,
)
from moonwire.core.turns.floors import Floors
from moonwire.core.turns.reply_rules import ReplyRules
from moonwire.core.turns.settings import TurnSettings
from moonwire.core.turns.state import TurnState

STALE_S: Final = 0.02
"""An expiry earlier than this before its due time belongs to an earlier arming of the same timer (one audio frame)."""


class TurnMachine:
    """One agent's turn taking; same events, same commands, always."""

    def __init__(self, settings: TurnSettings) -> None:
        self._floors = Floors(settings)
        self._orders = self._floors.orders
        self._caller_rules = CallerRules(self._floors)
        self._reply_rules = ReplyRules(self._floors)

    @property
    def state(self) -> TurnState:
        """Return a snapshot."""
        caller, agent = self._floors.caller, self._floors.agent
        return TurnState(
            phase=self._floors.phase,
            user=caller.floor,
            agent=agent.floor,
            reply=agent.reply,
            cause=agent.cause if agent.reply else None,
            armed=self._orders.armed,
            pending_text=caller.words.text(),
            voice=caller.voice.on,
            decided=caller.decided,
            owed=caller.owed,
            failures=agent.failures,
            ending=self._floors.ending,
        )

    def handle(self, event: TurnEvent) -> list[TurnCommand]:
        """Take one fact and return what to do about it, in order; never raises."""
        if self._floors.phase == "ended":
            return []
        match event:
            case CallAnswered(at=at):
                self._call_answered(at)
            case CallEnded():
                self._floors.close()
            case AgentFailed(at=at, reason=reason):
                self._reply_rules.agent_failed(at, reason)
            case TimerFired(at=at, timer=timer):
                self._timer_fired(at, timer)
            case ReplyRequested(at=at, interrupt=interrupt):
                self._reply_rules.requested(at, interrupt=interrupt)
            case PlaybackStarted() | PlaybackFinished() | ReplyFailed() | ToolsStarted() | ToolsFinished():
                self._reply_rules.reported(event)
            case _:
                if self._floors.phase == "live" and self._floors.ending is None:
                    self._caller_rules.reported(event)
        return self._orders.take()

    def _call_answered(self, at: float) -> None:
        floors = self._floors
        if floors.phase != "new":
            return
        floors.phase = "live"
        if floors.ending is not None:
            floors.start(at, "apology")
        elif floors.settings.greeting:
            floors.start(at, "greeting")
        else:
            floors.rest(at)

    def _timer_fired(self, at: float, timer: TimerName) -> None:
        due = self._orders.due(timer)
        if due is None:
            return
        if at < due - STALE_S:
            self._orders.arm(timer, due)
            return
        self._orders.expired(timer)
        match timer:
            case "barge_in":
                self._caller_rules.onset_timed_out(at)
            case "end_of_turn":
                self._caller_rules.silence_timed_out(at)
            case "user_turn":
                self._caller_rules.floor_timed_out(at)
            case "no_response":
                self._floors.start(at, "no_response")
            case "reply_start":
                self._reply_rules.failed(at, "reply-timeout")
