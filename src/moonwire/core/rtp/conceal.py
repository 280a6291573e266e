"""Decides what to play in place of audio that did not arrive: the last frame, fading, then silence."""

from __future__ import annotations

from moonwire.core.audio.fade import gain_table
from moonwire.core.audio.frames import SILENCE_FRAME

_GAINS = (gain_table(0.8), gain_table(0.5), gain_table(0.25))


class Concealer:
    """One direction's loss concealment."""

    __slots__ = ("_gap", "_last")

    def __init__(self) -> None:
        self._last = SILENCE_FRAME
        self._gap = len(_GAINS)

    def heard(self, frame: bytes) -> None:
        """Remember a frame that did arrive."""
        self._last = frame
        self._gap = 0

    def conceal(self) -> bytes:
        """Return 20 ms of mu-law for the next missing frame of a gap."""
        gap = self._gap
        if gap >= len(_GAINS):
            return SILENCE_FRAME
        self._gap = gap + 1
        return self._last.translate(_GAINS[gap])
