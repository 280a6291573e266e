"""Decides what follows from what the caller does; the theory stands at the top of machine.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from moonwire.core.turns.commands import CommitUserTurn
from moonwire.core.turns.events import (
    DigitPressed,
    EarlyEndOfTurn,
    EndOfTurn,
    FinalTranscript,
    InterimTranscript,
    InterruptionPredicted,
    LanguageHeard,
    SpeechEnded,
    SpeechStarted,
    TurnResumed,
)
from moonwire.core.turns.floors import Floors
from moonwire.core.turns.interruption import Worth, has_word, worth_of
from moonwire.core.turns.patience import patience_s
from moonwire.core.turns.unfinished import is_unfinished
from moonwire.core.turns.whole import is_whole

WORD_VOICE_S: Final = 0.2
"""Voice that must have been heard before an interim word confirms an interruption; clicks are shorter."""

WORDY_S: Final = 0.25
"""Voice after the newest words that is waited for with the end of the turn: it continues what was said."""

CallerEvent = (
    SpeechStarted
    | SpeechEnded
    | InterimTranscript
    | FinalTranscript
    | LanguageHeard
    | InterruptionPredicted
    | DigitPressed
    | EarlyEndOfTurn
    | TurnResumed
    | EndOfTurn
)


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
                self._caller.voice.began(at)
                self._speech_started(at)
            case SpeechEnded(at=at):
                was_voice = self._caller.voice.on
                self._caller.voice.ended(at)
                self._speech_ended(at, was_voice=was_voice)
            case InterimTranscript() | FinalTranscript():
                self._words(event)
            case LanguageHeard(language=language):
                self._settings = replace(self._settings, language=language)
                self._caller.language = language
            case InterruptionPredicted(at=at):
                if self._caller.floor == "onset" and self._settings.barge_in:
                    self.confirm_interruption(at)
            case DigitPressed(at=at, digit=digit):
                self._digit(at, digit)
            case EarlyEndOfTurn(at=at):
                self._early_end(at)
            case TurnResumed():
                self._caller.early = False
                self._agent.miss()
            case EndOfTurn(at=at):
                self._end_of_turn(at)

    # Voice ---------------------------------------------------------------------------------------------------------

    def _speech_started(self, at: float) -> None:
        if self._caller.floor == "speaking":
            self._agent.miss()
        elif self._agent.floor in {"listening", "preflight"}:
            self._agent.miss()
            self._caller.take_floor(at)
        elif self._agent.floor == "thinking" or self._caller.floor == "onset":
            self._caller.enter_onset(at)
        elif self._settings.barge_in:
            self._agent.hold()
            self._caller.enter_onset(at)

    def _speech_ended(self, at: float, *, was_voice: bool) -> None:
        if self._caller.floor == "speaking":
            self._caller.open_end(at, quiet_since=at)
        elif self._caller.floor == "onset" and was_voice:
            if self._agent.floor == "held" and self._settings.sticky:
                self._interrupt()
                self._caller.open_end(at, quiet_since=at)
            else:
                self._caller.await_verdict(at)

    def onset_timed_out(self, at: float) -> None:
        """Timer barge_in fired: voice has lasted long enough, or a sound has had no words for long enough."""
        if self._caller.voice.on:
            self.confirm_interruption(at)
        else:
            self._wave_through()

    def confirm_interruption(self, at: float) -> None:
        """The voice over the reply counts: drop the reply, the caller has the floor."""
        self._interrupt()
        self._caller.give_floor(at)

    def _interrupt(self) -> None:
        self._agent.cut("barge_in")
        self._caller.owed = "no_response"

    def _wave_through(self) -> None:
        """Nothing was meant: the agent goes on."""
        self._caller.words.interim = ""
        self._agent.resume()
        self._caller.fall_silent()

    # Words ---------------------------------------------------------------------------------------------------------

    def _words(self, event: InterimTranscript | FinalTranscript) -> None:
        if not has_word(event.text) or self._from_afar(event):
            return
        if isinstance(event, FinalTranscript):
            self._final_words(event)
        else:
            self._interim_words(event.at, event.text, asked=event.asked)

    def _from_afar(self, event: InterimTranscript | FinalTranscript) -> bool:
        """Tell whether the words are somebody else's, spoken in the background while the agent has a reply."""
        over_reply = self._agent.reply != 0 and self._caller.floor in {"silent", "onset"}
        return event.distant and over_reply

    def _worth(self, text: str, *, asked: bool) -> Worth:
        """Judge words over a reply; what is said to an agent that only thinks always counts."""
        if self._agent.floor == "thinking":
            return "interruption"
        return worth_of(text, self._settings, asked=asked)

    def _interim_words(self, at: float, text: str, *, asked: bool) -> None:
        self._caller.words.interim = text
        if self._agent.floor == "preflight" and not self._agent.foresaw(self._caller.words.foreseen()):
            self._agent.miss()
        if self._caller.floor == "silent" and self._caller.voice.on:
            # The voice never stopped since the last turn was taken to be over: the caller goes on.
            self._speech_started(at)
        match self._caller.floor:
            case "onset":
                self._interim_over_reply(at, self._worth(text, asked=asked))
            case "speaking":
                self._orders.arm("user_turn", at + self._settings.user_turn_s)
            case "paused":
                if self._caller.quiet_since is None:
                    # No voice detector vouches for the silence, and the words are still growing.
                    self._orders.arm("end_of_turn", at + self._settings.end_of_turn_s)
            case "silent":
                if self._orders.due("no_response") is not None:
                    self._caller.expect_answer(at)

    def _interim_over_reply(self, at: float, worth: Worth) -> None:
        if worth == "interruption" and self._settings.barge_in and not self._settings.predicted:
            missing_s = WORD_VOICE_S - self._caller.voice.voiced_s(at)
            due = self._orders.due("barge_in")
            if missing_s < 0.001:
                self.confirm_interruption(at)
            elif self._caller.voice.on and due is not None and at + missing_s < due:
                self._orders.arm("barge_in", at + missing_s)
        elif worth == "backchannel" and self._caller.voice.on:
            self._caller.expect_more(at)

    def _final_words(self, event: FinalTranscript) -> None:
        caller, at = self._caller, event.at
        over_reply = self._agent.floor in {"speaking", "held"} and caller.floor in {"silent", "onset"}
        worth = self._worth(caller.words.text(event.text), asked=event.asked)
        if over_reply and worth == "backchannel":
            caller.words.interim = ""
            self._backchannel(at)
            return
        caller.words.settle(event.text, at)
        if over_reply and worth == "little":
            return
        match caller.floor:
            case "onset":
                self.confirm_interruption(at)
            case "speaking":
                self._orders.arm("user_turn", at + self._settings.user_turn_s)
            case "paused":
                self._words_after_pause(at)
            case "silent":
                self._unannounced_words(at)

    def _backchannel(self, at: float) -> None:
        """An "okay" over the agent, settled; whoever goes on talking is listened to."""
        if self._caller.floor != "onset":
            return
        if self._caller.voice.on:
            self._caller.expect_more(at)
        else:
            self._wave_through()

    def _words_after_pause(self, at: float) -> None:
        text = self._caller.words.text()
        if self._agent.floor == "preflight" and not self._agent.foresaw(text):
            self._agent.miss()
        if self._caller.decided:
            self._end_of_turn(at)
        else:
            self._hurry(at)
            if self._caller.early:
                self._early_end(at)

    def _hurry(self, at: float) -> None:
        """The new words may be whole by themselves: then less silence will do."""
        caller, due = self._caller, self._orders.due("end_of_turn")
        if caller.quiet_since is not None and due is not None and is_whole(caller.words.text(), caller.language):
            wait_s = patience_s(self._settings, caller.words, caller.quiet_since, caller.language)
            sooner = max(at, round(caller.quiet_since + wait_s, 3))
            if sooner < due:
                self._orders.arm("end_of_turn", sooner)

    def _unannounced_words(self, at: float) -> None:
        """Words of a caller who is thought to be silent: late ones, or soft ones that the voice detector missed."""
        if self._agent.floor == "speaking" and not self._settings.barge_in:
            return
        if self._agent.floor == "speaking":
            self._interrupt()
        else:
            self._agent.cut("superseded")
        self._caller.give_floor(at)

    def _digit(self, at: float, digit: str) -> None:
        caller = self._caller
        if digit != "#" or not caller.words.keying:
            caller.words.press(digit)
        if self._agent.floor in {"speaking", "held"}:
            if not self._settings.barge_in:
                return
            self._interrupt()
        self._agent.miss()
        self._agent.cut("superseded")
        if digit == "#" and caller.words.keying:
            self._commit_turn(at)
        else:
            caller.open_end(at, quiet_since=at)

    # End of the turn -----------------------------------------------------------------------------------------------

    def _early_end(self, at: float) -> None:
        caller = self._caller
        if not self._settings.early or caller.floor not in {"speaking", "paused"} or caller.words.keying:
            return
        caller.early = True
        text = caller.words.foreseen()
        if has_word(text) and self._agent.floor == "listening" and not self._is_vetoed(at, text):
            self._agent.start_early(text)

    def _end_of_turn(self, at: float) -> None:
        caller = self._caller
        if caller.floor not in {"speaking", "paused"} or caller.words.keying:
            return
        if not caller.words or self._words_are_missing():
            if caller.decided:
                return
            if caller.floor == "speaking":
                caller.open_end(at, quiet_since=at)
            caller.decide_end(at + self._settings.final_wait_s)
        elif self._is_vetoed(at, caller.words.text()):
            if caller.floor == "speaking":
                caller.open_end(at, quiet_since=at)
            since = at if caller.quiet_since is None else caller.quiet_since
            caller.decided = False
            self._orders.arm("end_of_turn", max(at, since + self._settings.unfinished_wait_s))
        else:
            self._commit_turn(at)

    def _words_are_missing(self) -> bool:
        """Tell whether the voice came back after the newest words, for so long that it must have had words too."""
        words = self._caller.words
        return not words.keying and self._caller.voice.returned_s(words.settled_at) >= WORDY_S

    def _is_vetoed(self, at: float, text: str) -> bool:
        """Tell whether the last words cannot be the last, and the silence is not long enough to overrule that."""
        wait_s, since = self._settings.unfinished_wait_s, self._caller.quiet_since
        if self._caller.floor != "paused" or since is None:
            since = at
        return at < round(since + wait_s, 3) and is_unfinished(text, self._settings.language)

    def _commit_turn(self, at: float) -> None:
        text = self._caller.words.text()
        foreseen = self._agent.foresaw(text)
        if not foreseen:
            self._agent.miss()
        self._caller.end_turn()
        self._orders.give(CommitUserTurn(text))
        if foreseen:
            self._floors.release(at)
        else:
            self._floors.start(at, "user")

    def _give_up_turn(self, at: float) -> None:
        self._agent.miss()
        self._caller.fall_silent()
        self._caller.words.interim = ""
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
        late = self._caller.decided or words_due <= at
        if self._caller.words and (late or not self._words_are_missing()):
            self._silence_after_words(at)
        elif late:
            self._give_up_turn(at)
        else:
            self._caller.decide_end(words_due)

    def _silence_after_words(self, at: float) -> None:
        """The veto of an unfinished sentence holds here too, once: silence alone ends the turn a little later."""
        caller = self._caller
        if caller.quiet_since is None or not self._is_vetoed(at, caller.words.text()) or caller.words.keying:
            self._commit_turn(at)
        else:
            self._orders.arm("end_of_turn", caller.quiet_since + self._settings.unfinished_wait_s)
