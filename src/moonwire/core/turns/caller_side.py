"""Keeps the caller's half of the turn machine: floor, words, voice and the timers that belong to them; no rules."""

from __future__ import annotations

from typing import Final

from moonwire.core.turns.commands import ReplyCause
from moonwire.core.turns.events import TimerName
from moonwire.core.turns.orders import Orders
from moonwire.core.turns.settings import TurnSettings
from moonwire.core.turns.state import UserFloor

DIP_S: Final = 0.5
"""Silence within which voice over a reply counts as the same voice; detectors drop out for 0.1-0.4 s inside words."""

_TIMERS: Final[tuple[TimerName, ...]] = ("barge_in", "end_of_turn", "user_turn", "no_response")


class CallerSide:
    """What we believe the caller is doing. The barge_in timer is armed exactly in onset, end_of_turn exactly in
    paused, user_turn exactly in speaking, no_response only in silent: entering a floor sees to that.
    """

    def __init__(self, settings: TurnSettings, orders: Orders) -> None:
        self._settings = settings
        self._orders = orders
        self.floor: UserFloor = "silent"
        self.words: list[str] = []
        self.voice = False
        self.decided = False
        self.owed: ReplyCause | None = None
        self.quiet_since: float | None = None
        """When the voice stopped; None when silence is only concluded from missing words."""
        self.voice_began = 0.0
        """Start of the voice over a reply, moved back by what was spoken before a dip."""
        self._voiced_s = 0.0
        self._dip_at: float | None = None

    def enter_onset(self, at: float) -> None:
        """Voice over a reply began."""
        same_voice = self._dip_at is not None and at - self._dip_at <= DIP_S
        self.voice_began = at - (self._voiced_s if same_voice else 0.0)
        self._leave()
        self.floor = "onset"
        self._orders.arm("barge_in", self.voice_began + self._settings.min_speech_s)

    def leave_onset(self, at: float) -> None:
        """Voice over a reply stopped before it counted."""
        self._voiced_s = at - self.voice_began
        self._dip_at = at
        self.fall_silent()
        if self.words:
            self.open_end(at, quiet_since=at)

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
        self._orders.arm("end_of_turn", at + self._settings.end_of_turn_s)

    def give_floor(self, at: float) -> None:
        """Words came while the caller was thought silent, or the agent stopped: speaking with voice, else paused."""
        if self.voice:
            self.take_floor(at)
        else:
            self.open_end(at, quiet_since=None)

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
        self._dip_at = None

    def forget(self) -> None:
        """The caller no longer matters."""
        self.fall_silent()
        self.words.clear()
        self.voice = False
        self.owed = None

    def _leave(self) -> None:
        for timer in _TIMERS:
            self._orders.disarm(timer)
        self.decided = False
