"""Decides what of the audio sent ahead the caller has heard; the far end plays in real time and confirms by marks.

No clock of its own: every question carries the time.
"""

from __future__ import annotations

import math

from moonwire.core.audio.frames import FRAME_S

AHEAD_S = 0.1
"""Audio sent before its time: rides out a busy moment, and is what a barge-in has to take back."""
_MARK_LEAD_S = 0.04
_MARK_GRACE_S = 1.0
"""How long after its computed end the far end may still be playing before we stop waiting for its mark."""
_NO_MARK_GRACE_S = 0.1
_MARKS_BELIEVED = 2
_EARLY_S = 0.005


class PlayoutClock:
    """One stream's outgoing audio, by time and marks."""

    __slots__ = ("_confirmed", "_end_s", "_mark", "_missed", "_unmarked", "playing")

    def __init__(self) -> None:
        self.playing = False
        """Something was sent and its end has not been reached yet."""
        self._end_s = 0.0
        self._mark = 0
        self._unmarked = False
        self._confirmed = False
        self._missed = 0

    def room(self, now_s: float) -> int:
        """Return how many frames may be sent now."""
        return int((AHEAD_S + _EARLY_S - max(0.0, self._end_s - now_s)) / FRAME_S)

    def sent(self, frames: int, now_s: float) -> None:
        """Note frames that leave now."""
        self._end_s = max(self._end_s, now_s) + frames * FRAME_S
        self.playing = True
        self._unmarked = True
        self._confirmed = False

    def unheard_frames(self, now_s: float) -> int:
        """Count frames whose playing has not ended; one that is being played counts."""
        return max(0, math.ceil((self._end_s - now_s) / FRAME_S - 0.01))

    def mark_due(self, now_s: float) -> str | None:
        """Return the name of a mark to send now: once per stretch of audio, when its end is near."""
        if not self._unmarked or self._end_s - now_s > _MARK_LEAD_S:
            return None
        self._unmarked = False
        self._mark += 1
        return f"moonwire-{self._mark}"

    def mark_returned(self, name: str) -> None:
        """Take a mark from the far end."""
        if name == f"moonwire-{self._mark}":
            self._missed = 0
            self._confirmed = not self._unmarked

    def played_out(self, now_s: float) -> bool:
        """Say, once per stretch of audio, that all of it has been heard: its mark is back and its time is over."""
        if not self.playing or self._unmarked or now_s < self._end_s:
            return False
        if not self._confirmed:
            grace_s = _MARK_GRACE_S if self._missed < _MARKS_BELIEVED else _NO_MARK_GRACE_S
            if now_s < self._end_s + grace_s:
                return False
            self._missed += 1
        self.playing = False
        return True

    def clear(self, now_s: float) -> int:
        """Forget everything not yet heard; return how many frames that were."""
        dropped = self.unheard_frames(now_s)
        self._end_s = min(self._end_s, now_s)
        self.playing = False
        self._unmarked = False
        return dropped
