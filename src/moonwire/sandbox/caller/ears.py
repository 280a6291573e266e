"""Finds stretches of sound in frames by energy, in frame time; used for the agent's voice and the caller's own."""

from __future__ import annotations

from dataclasses import dataclass

from moonwire.core.audio.energy import rms_of_dbfs
from moonwire.core.audio.frames import FRAME_S
from moonwire.core.audio.g711 import rms

_LOUD_DBFS = -45.0
_LOUD_RMS = rms_of_dbfs(_LOUD_DBFS)
GAP_S = 0.4
"""Silence shorter than this belongs to the stretch around it."""


@dataclass(slots=True)
class Stretch:
    """One stretch of sound, in seconds of media time; `end_s` is the end of its last loud frame so far."""

    start_s: float
    end_s: float


class Ears:
    """Listens to one direction of a call."""

    def __init__(self) -> None:
        self.stretches: list[Stretch] = []

    def hear(self, frame: bytes, at_s: float) -> None:
        """Take the frame that begins at a time."""
        if rms(frame) < _LOUD_RMS:
            return
        end_s = at_s + FRAME_S
        if self.stretches and at_s - self.stretches[-1].end_s < GAP_S:
            self.stretches[-1].end_s = end_s
        else:
            self.stretches.append(Stretch(at_s, end_s))

    def is_speaking(self, now_s: float) -> bool:
        """Say whether the newest stretch may still go on."""
        return bool(self.stretches) and now_s - self.stretches[-1].end_s < GAP_S

    def spoke_since(self, since_s: float) -> bool:
        """Say whether there was sound after a time."""
        return bool(self.stretches) and self.stretches[-1].end_s > since_s

    def silence_s(self, now_s: float) -> float:
        """Return how long it has been silent."""
        return now_s - self.stretches[-1].end_s if self.stretches else now_s

    def first_after(self, at_s: float) -> Stretch | None:
        """Return the first stretch that began at or after a time."""
        return next((stretch for stretch in self.stretches if stretch.start_s >= at_s), None)

    def around(self, at_s: float) -> Stretch | None:
        """Return the stretch that was going on at a time."""
        return next((stretch for stretch in self.stretches if stretch.start_s < at_s < stretch.end_s + GAP_S), None)
