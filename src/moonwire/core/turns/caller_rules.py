"""Decides what follows from what the caller does; the theory stands at the top of machine.py."""

from __future__ import annotations

from typing import Final

from moonwire.core.turns.commands import CommitUserTurn
from moonwire.core.turns.events import EndOfTurn, FinalTranscript, InterimTranscript, SpeechEnded, SpeechStarted
from moonwire.core.turns.floors import Floors
from moonwire.core.turns.interruption import has_word, is_interruption

WORD_VOICE_S: Final = 0.2
"""Voice that must have been heard before an interim word confirms an interruption; clicks are shorter."""

CallerEvent = SpeechStarted | SpeechEnded | InterimTranscript | FinalTranscript | EndOfTurn


class CallerRules:
    """Turns of the caller: begin, interruption, end."""

    def __init__(self, floors: Floors) -> None:
        self._floors = floors
        self._settings = floors.settings
        self._orders = floors.orders
        self._caller = floors.caller
        self._agent = floors.agent

    def reported(self, event: CallerEvent) -> None:
        """Take a fact about the caller."""
        match event:
            case SpeechStarted(at=at):
                self._caller.voice = True
                self._speech_started(at)
            case SpeechEnded(at=at):
                self._caller.voice = False
                self._speech_ended(at)
            case InterimTranscript(at=at, text=text):
                if has_word(text):
                    self._interim_words(at, text)
            case FinalTranscript(at=at, text=text):
                if has_word(text):
                    self._caller.words.append(text.strip())
                    self._final_words(at, text)
            case EndOfTurn(at=at):
                self._end_of_turn(at)

    def _speech_started(self, at: float) -> None:
        if self._caller.floor in {"onset", "speaking"}:
            return
        if self._agent.floor == "listening":
            self._caller.take_floor(at)
        elif self._agent.floor == "thinking":
            self._caller.enter_onset(at)
        elif self._settings.barge_in:
            self._agent.hold()
            self._caller.enter_onset(at)

    def _speech_ended(self, at: float) -> None:
        if self._caller.floor == "speaking":
            self._caller.open_end(at, quiet_since=at)
        elif self._caller.floor == "onset":
            if self._agent.floor == "held" and self._settings.sticky:
                self._interrupt()
                self._caller.open_end(at, quiet_since=at)
            else:
                self._agent.resume()
                self._caller.leave_onset(at)

    def _interim_words(self, at: float, text: str) -> None:
        if self._caller.floor == "silent" and self._caller.voice:
            # The voice never stopped since the last turn was taken to be over: the caller goes on.
            self._speech_started(at)
        match self._caller.floor:
            case "onset":
                if is_interruption(text, self._settings):
                    self._words_over_reply(at)
            case "speaking":
                self._orders.arm("user_turn", at + self._settings.user_turn_s)
            case "paused":
                if self._caller.quiet_since is None:
                    # No voice detector vouches for the silence, and the words are still growing.
                    self._orders.arm("end_of_turn", at + self._settings.end_of_turn_s)
            case "silent":
                if self._orders.due("no_response") is not None:
                    self._caller.expect_answer(at)

    def _words_over_reply(self, at: float) -> None:
        due = self._caller.voice_began + WORD_VOICE_S
        if at >= due:
            self.confirm_interruption(at)
        elif due < (self._orders.due("barge_in") or due):
            self._orders.arm("barge_in", due)

    def _final_words(self, at: float, text: str) -> None:
        match self._caller.floor:
            case "onset":
                if self._agent.floor == "thinking" or is_interruption(text, self._settings):
                    self.confirm_interruption(at)
            case "speaking":
                self._orders.arm("user_turn", at + self._settings.user_turn_s)
            case "paused":
                if self._caller.decided:
                    self._commit_turn(at)
            case "silent":
                self._unannounced_words(at)

    def _unannounced_words(self, at: float) -> None:
        """Words of a caller who is thought to be silent: late ones, or soft ones that the voice detector missed."""
        if self._agent.floor == "speaking" and not self._settings.barge_in:
            return
        if self._agent.floor == "thinking":
            self._agent.cut("superseded")
        elif self._caller.voice:
            self._agent.cut("barge_in")
        self._caller.give_floor(at)

    def _end_of_turn(self, at: float) -> None:
        if self._caller.floor not in {"speaking", "paused"}:
            return
        if self._caller.words:
            self._commit_turn(at)
        elif not self._caller.decided:
            if self._caller.floor == "speaking":
                self._caller.open_end(at, quiet_since=at)
            self._caller.decide_end(at + self._settings.final_wait_s)

    def _interrupt(self) -> None:
        self._agent.cut("barge_in")
        self._caller.owed = "no_response"

    def confirm_interruption(self, at: float) -> None:
        """The voice over the reply counts: drop the reply, the caller has the floor."""
        self._interrupt()
        self._caller.take_floor(at)

    def _commit_turn(self, at: float) -> None:
        self._agent.cut("barge_in")
        text = " ".join(self._caller.words)
        self._caller.words.clear()
        self._caller.fall_silent()
        self._orders.give(CommitUserTurn(text))
        self._floors.start(at, "user")

    def _give_up_turn(self, at: float) -> None:
        self._caller.fall_silent()
        if self._caller.owed is not None:
            self._floors.start(at, self._caller.owed)
        else:
            self._floors.rest(at)

    def floor_timed_out(self, at: float) -> None:
        """Timer user_turn fired: the caller has held the floor too long without a word."""
        if self._caller.words:
            self._caller.open_end(at, quiet_since=None)
        else:
            self._give_up_turn(at)

    def silence_timed_out(self, at: float) -> None:
        """Timer end_of_turn fired."""
        quiet_since = self._caller.quiet_since
        words_due = at if quiet_since is None else quiet_since + self._settings.final_wait_s
        if self._caller.words:
            self._commit_turn(at)
        elif self._caller.decided or words_due <= at:
            self._give_up_turn(at)
        else:
            self._caller.decide_end(words_due)
