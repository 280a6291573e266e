"""Decides what follows from what becomes of replies: heard, failed, too late; the theory stands in machine.py."""

from __future__ import annotations

from typing import Final

from moonwire.core.turns.commands import CommitUserTurn, EndAgent
from moonwire.core.turns.events import PlaybackFinished, PlaybackStarted, ReplyFailed, ToolsFinished, ToolsStarted
from moonwire.core.turns.floors import Floors

MAX_FAILURES: Final = 3
"""Failures in a row after which the agent ends."""

ReplyEvent = PlaybackStarted | PlaybackFinished | ReplyFailed | ToolsStarted | ToolsFinished


class ReplyRules:
    """Replies of the agent: audible, over, failed."""

    def __init__(self, floors: Floors) -> None:
        self._floors = floors
        self._settings = floors.settings
        self._orders = floors.orders
        self._caller = floors.caller
        self._agent = floors.agent

    def reported(self, event: ReplyEvent) -> None:
        """Take a report about a reply; reports about any but the living one are late and ignored."""
        if not self._agent.reply or event.reply != self._agent.reply:
            return
        match event:
            case PlaybackStarted():
                if self._agent.floor == "thinking":
                    self._playback_started()
            case PlaybackFinished(at=at):
                if self._agent.floor != "preflight":
                    self._playback_finished(at)
            case ReplyFailed(at=at, reason=reason):
                if self._agent.floor == "preflight":
                    self._agent.cut("failed")  # nobody waits for it yet: the turn's end starts another
                else:
                    self.failed(at, reason)
            case ToolsStarted(at=at):
                self._agent.allow(at + self._settings.tool_wait_s)
            case ToolsFinished(at=at):
                self._agent.allow(at + self._settings.reply_start_s)

    def _playback_started(self) -> None:
        self._agent.become_audible()
        if self._caller.floor == "onset":
            if self._settings.barge_in:
                self._agent.hold()
            else:
                self._caller.fall_silent()

    def _playback_finished(self, at: float) -> None:
        """Also ends a reply that had nothing to say: it was never audible, and nothing of it was heard."""
        self._agent.finish()
        if self._floors.ending is not None:
            self._end_agent(self._floors.ending)
        elif self._caller.floor == "paused":
            return
        elif self._caller.voice.on or self._caller.words:
            self._caller.give_floor(at)
        else:
            self._caller.fall_silent()
            self._floors.rest(at)

    def requested(self, at: float, *, interrupt: bool) -> None:
        """The application wants the agent to speak; what the caller has said so far is answered by the way."""
        floors = self._floors
        if floors.ending is not None:
            return
        nobody_speaks = self._agent.floor == "listening" and self._caller.floor == "silent" and not self._caller.words
        if floors.phase == "live" and interrupt:
            self._agent.cut("replaced")
            words = self._caller.words.text()
            self._caller.end_turn()
            if words:
                self._orders.give(CommitUserTurn(words))
            floors.start(at, "requested")
        elif floors.phase == "live" and nobody_speaks:
            floors.start(at, "requested")
        else:
            floors.requests += 1

    def failed(self, at: float, reason: str) -> None:
        """The living reply cannot be completed, or is not audible in time."""
        self._agent.cut("failed")
        self._agent.failures += 1
        if self._floors.ending is None and self._agent.failures >= MAX_FAILURES:
            self._floors.ending = reason
        if self._floors.ending is not None:
            self._say_last_words(at, self._floors.ending)
        elif self._caller.floor == "silent" and not self._caller.words:
            self._apologise(at)
        else:
            self._caller.owed = "no_response" if self._agent.cause == "apology" else "apology"
            if self._caller.floor != "paused":
                self._caller.give_floor(at)

    def _apologise(self, at: float) -> None:
        if self._agent.cause == "apology":
            # It was the apology that failed. The caller has heard nothing and waits: try once more, soon.
            self._orders.arm("no_response", at + (self._settings.no_response_s or self._settings.final_wait_s))
        else:
            self._floors.start(at, "apology")

    def _say_last_words(self, at: float, reason: str) -> None:
        self._caller.forget()
        if self._agent.cause == "apology":
            self._end_agent(reason)
        else:
            self._floors.start(at, "apology")

    def _end_agent(self, reason: str) -> None:
        self._floors.close()
        self._orders.give(EndAgent(reason))

    def agent_failed(self, at: float, reason: str) -> None:
        """The agent cannot go on at all: a last sentence, then the end."""
        if self._floors.ending is not None:
            return
        self._floors.ending = reason
        if self._floors.phase == "new":
            return
        self._caller.forget()
        if self._agent.reply and self._agent.cause == "apology":
            self._agent.resume()
        else:
            self._agent.cut("failed")
            self._floors.start(at, "apology")
