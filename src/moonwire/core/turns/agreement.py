"""Decides when a model is asked whether the caller has finished, and what its answers mean: by agreement.

A single yes ends too many turns in the middle, and asking again until there is one is worse than not asking. So the
model is asked at the first mark of a pause; only after a yes is it asked at the next one; the turn has ended when all
marks agree. After a no the pause is left to the turn machine's silence timer. The first answer is an early sign unless
it is a clear no: a reply prepared for nothing costs less than one that is not ready when the timer ends the turn.
A model that does not answer in time is not waited for: silence decides, and that is counted.

Time is media time of the caller's audio in seconds; the schedule is data, an application may bring its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class AgreementSettings:
    """One agent's schedule."""

    threshold: float = 0.5
    """Probability that counts as a yes: lower ends turns sooner and cuts off more callers."""
    marks_s: tuple[float, ...] = (0.2, 0.35)
    """Silence after which the model is asked, in rising order."""
    otherwise_s: float = 1.6
    """Silence that ends the turn without agreement (the turn machine's timer)."""
    late_silence_s: float = 0.7
    """Silence that ends the turn when the model did not answer in time."""
    early: float = 0.1
    """Probability at the first mark that is an early sign, although it may be no yes."""


Verdict = Literal["ended", "probably"]


class Agreement:
    """One call's pauses."""

    def __init__(self, settings: AgreementSettings) -> None:
        self._settings = settings
        self._quiet_at: float | None = None
        self._mark = 0
        self._asked = False
        self._late = False
        self.pause = 0
        """Number of the current pause; an answer about another one is worthless."""

    def voice_began(self) -> None:
        """The pause is over."""
        self._quiet_at = None
        self.pause += 1

    def voice_ended(self, at: float) -> None:
        """A pause begins."""
        self.pause += 1
        self._quiet_at = at
        self._mark = 0
        self._asked = self._late = False

    def forget(self) -> None:
        """Nobody's turn is watched."""
        self.voice_began()

    @property
    def mark_at(self) -> float:
        """When the current mark lies; the model is to hear nothing after it."""
        return 0.0 if self._quiet_at is None else self._quiet_at + self._settings.marks_s[self._mark]

    def wants_answer(self, now: float) -> bool:
        """Tell, once per mark, that the model is to be asked now."""
        quiet_at = self._quiet_at
        if quiet_at is None or self._asked or self._late or self._mark >= len(self._settings.marks_s):
            return False
        self._asked = now >= quiet_at + self._settings.marks_s[self._mark] - 0.001
        return self._asked

    def gave_up(self, now: float) -> bool:
        """Tell, once, that silence ends a turn about which the model was late."""
        if not self._late or self._quiet_at is None or now < self._quiet_at + self._settings.late_silence_s:
            return False
        self._quiet_at = None
        return True

    def answered(self, probability: float) -> Verdict | None:
        """Take the model's answer for the current pause; None when the silence timer has the word."""
        if self._quiet_at is None or not self._asked:
            return None
        if probability < self._settings.threshold:
            first, self._quiet_at = self._mark == 0, None
            return "probably" if first and probability >= self._settings.early else None
        self._asked = False
        self._mark += 1
        if self._mark < len(self._settings.marks_s):
            return "probably"
        self._quiet_at = None
        return "ended"

    def was_late(self) -> None:
        """The model did not answer in time."""
        if self._quiet_at is not None:
            self._late = True
            self._asked = False
