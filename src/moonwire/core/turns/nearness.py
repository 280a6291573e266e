"""Decides, by level, whether a voice is the caller's own: a television or a colleague behind the caller is quieter.

The voice detector hears every voice. This one knows how loud the caller usually is, as far as that was learned from
turns that had words, and lets only voices through that come near it. Loudness is the mean power of a few frames, so
neither a single loud frame of a babble nor a soft consonant of the caller decides.
"""

from __future__ import annotations

import math
from typing import Final, Literal

from moonwire.core.audio.energy import rms_of_dbfs
from moonwire.core.audio.frames import FRAME_S

BELOW_DB: Final = 6.0
"""A voice this much below the caller's level, pauses between words included, is somebody else's."""
RETURN_DB: Final = 3.0
"""How much further a near voice may sink before it counts as gone."""
UNKNOWN_DBFS: Final = -45.0
"""Before the caller's level is known, voices above this are taken for the caller's (telephone speech: -35 to -15)."""
WINDOW_FRAMES: Final = 5
GONE_FRAMES: Final = 15
"""Frames (0.3 s) below the line after which a near voice is gone although some voice goes on; words have dips."""
LEARN_FRAMES: Final = 10
"""Frames of voice (0.2 s) from which a level can be learned."""
LOUDER: Final = 0.5
QUIETER: Final = 0.2
"""Weight of a new utterance in the caller's level: callers move closer at once, and away slowly."""

Change = Literal["came", "went"]


class Nearness:
    """One call's judgement; powers are squares of rms values as of `g711.rms`."""

    def __init__(self) -> None:
        self.voice = False
        """The detector hears somebody."""
        self.near = False
        """The voice is taken for the caller's."""
        self.level_dbfs: float | None = None
        """The caller's usual level; None until learned."""
        self.quiet_s = float("inf")
        """How long nothing has been as loud as the caller, voice or not."""
        self._line = float(rms_of_dbfs(UNKNOWN_DBFS)) ** 2
        self._recent = [0.0] * WINDOW_FRAMES
        self._place = 0
        self._sum = 0.0
        self._quiet_frames = 0
        self._power = 0.0
        self._frames = 0

    def push(self, rms: int) -> Change | None:
        """Take the level of the newest 20 ms and tell whether the caller's voice came or went with it."""
        power = float(rms * rms)
        self._sum += power - self._recent[self._place]
        self._recent[self._place] = power
        self._place = (self._place + 1) % WINDOW_FRAMES
        self.quiet_s = 0.0 if self._sum >= self._line * WINDOW_FRAMES else self.quiet_s + FRAME_S
        if not self.voice:
            return None
        self._power += power
        self._frames += 1
        return self._judge()

    def voice_began(self) -> Change | None:
        """Hear the detector's onset."""
        self.voice = True
        self._power, self._frames = self._sum, WINDOW_FRAMES
        return self._judge()

    def voice_ended(self) -> Change | None:
        """Hear the detector's end."""
        was_near = self.near
        self.voice = self.near = False
        return "went" if was_near else None

    def learn(self) -> None:
        """Take the newest utterance for the caller's: it has become a turn."""
        if self._frames < LEARN_FRAMES or not self._power:
            return
        heard = 10 * math.log10(self._power / self._frames / 32768.0**2)
        self._frames = 0
        if self.level_dbfs is None:
            self.level_dbfs = heard
        else:
            self.level_dbfs += (LOUDER if heard > self.level_dbfs else QUIETER) * (heard - self.level_dbfs)
        self._line = float(rms_of_dbfs(self.level_dbfs - BELOW_DB)) ** 2

    @property
    def window_s(self) -> float:
        """How long ago a voice that just came must have begun."""
        return WINDOW_FRAMES * FRAME_S

    @property
    def gone_s(self) -> float:
        """How long ago a voice that just went was last near."""
        return GONE_FRAMES * FRAME_S

    def _judge(self) -> Change | None:
        mean = self._sum / WINDOW_FRAMES
        if not self.near:
            if mean < self._line:
                return None
            self.near = True
            self._quiet_frames = 0
            return "came"
        if mean >= self._line * 10 ** (-RETURN_DB / 10):
            self._quiet_frames = 0
            return None
        self._quiet_frames += 1
        if self._quiet_frames < GONE_FRAMES:
            return None
        self.near = False
        return "went"
