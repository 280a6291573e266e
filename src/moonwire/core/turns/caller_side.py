"""Keeps the caller's half of the turn machine: floor, words, voice and the timers that belong to them; no rules."""

from __future__ import annotations

from typing import Final

from moonwire.core.turns.commands import ReplyCause
from moonwire.core.turns.events import TimerName
from moonwire.core.turns.orders import Orders
from moonwire.core.turns.patience import patience_s
from moonwire.core.turns.pending_words import PendingWords
from moonwire.core.turns.settings import TurnSettings
from moonwire.core.turns.state import UserFloor
from moonwire.core.turns.voice_meter import VoiceMeter

FILLER_FACTOR: Final = 2.0
"""Speech over a reply that is known to be "uh-huh, okay" so far must last this much longer to count."""

_TIMERS: Final[tuple[TimerName, ...]] = ("barge_in", "end_of_turn", "user_turn", "no_response")


class CallerSide:
    """What we believe the caller is doing. The barge_in timer is armed exactly in onset, end_of_turn exactly in
    paused, user_turn exactly in speaking, no_response only in silent: entering a floor sees to that.
    """

    def __init__(self, settings: TurnSettings, orders: Orders) -> None:
        self._settings = settings
        self._orders = orders
        self.floor: UserFloor = "silent"
        self.words = PendingWords()
        self.voice = VoiceMeter()
        self.language = settings.language
        """What the caller speaks, as far as is known."""
        self.decided = False
        """The end of the turn is decided, only its words are missing."""
        self.early = False
        """Somebody thinks that this silence ends the turn."""
        self.owed: ReplyCause | None = None
        self.quiet_since: float | None = None
        """Start of the silence in paused; None when silence is only concluded from missing words."""
        self._onset_at = 0.0
        self._filler = False

    def enter_onset(self, at: float) -> None:
        """There is voice over a reply."""
        if self.floor != "onset":
            self._leave()
            self.floor = "onset"
            self._onset_at = at
            self._filler = False
        due = self._confirmed_at(at)
        if self._orders.due("barge_in") != round(due, 3):
            self._orders.arm("barge_in", due)

    def await_verdict(self, at: float) -> None:
        """Voice over a reply stopped; its words may still come."""
        self._orders.arm("barge_in", at + self._settings.verdict_s)

    def expect_more(self, at: float) -> None:
        """What is said over the reply is only an "okay" so far; floor is onset, voice goes on."""
        if not self._filler:
            self._filler = True
            self._orders.arm("barge_in", self._confirmed_at(at))

    def take_floor(self, at: float) -> None:
        """The caller is speaking."""
        self._leave()
        self.floor = "speaking"
        self._orders.arm("user_turn", at + self._settings.user_turn_s)

    def open_end(self, at: float, *, quiet_since: float | None) -> None:
        """The caller may have finished; the silence timer decides unless somebody knows better."""
        self._leave()
        self.floor = "paused"
        self.quiet_since = quiet_since
        wait_s = patience_s(self._settings, self.words, quiet_since, self.language)
        self._orders.arm("end_of_turn", max(at, (at if quiet_since is None else quiet_since) + wait_s))

    def give_floor(self, at: float) -> None:
        """Words came while the caller was thought silent, or the agent stopped: speaking with voice, else paused."""
        if self.voice.on:
            self.take_floor(at)
        else:
            self.open_end(at, quiet_since=self.voice.quiet_at if self.floor == "onset" else None)

    def decide_end(self, words_due: float) -> None:
        """The turn is over, but its words are missing; floor is paused."""
        self.decided = True
        self._orders.arm("end_of_turn", words_due)

    def fall_silent(self) -> None:
        """Nothing is expected of the caller; words are kept."""
        self._leave()
        self.floor = "silent"

    def expect_answer(self, at: float) -> None:
        """Prompt a caller who stays silent, where that is configured; floor is silent."""
        if self._settings.no_response_s > 0:
            self._orders.arm("no_response", at + self._settings.no_response_s)

    def new_reply(self) -> None:
        """A reply begins: nothing is owed, and voice over it is measured afresh."""
        self._orders.disarm("no_response")
        self.owed = None
        self.voice.start_again()

    def end_turn(self) -> None:
        """The words have been taken over into the history."""
        self.words.clear()
        self.fall_silent()

    def forget(self) -> None:
        """The caller no longer matters."""
        self.end_turn()
        self.voice.on = False
        self.owed = None

    def _confirmed_at(self, at: float) -> float:
        """When voice that goes on counts as an interruption; bounded also for voice that comes and goes."""
        limit_s = self._settings.min_speech_s
        if self._settings.min_words > 0:
            limit_s = max(limit_s, self._settings.wordless_s) * (FILLER_FACTOR if self._filler else 1.0)
        return max(self._onset_at, min(self.voice.reaches(limit_s, at), self._onset_at + 2 * limit_s))

    def _leave(self) -> None:
        for timer in _TIMERS:
            self._orders.disarm(timer)
        self.decided = False
        self.early = False
