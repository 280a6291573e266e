"""Tells the caller's voice from voices in the background: the detector hears both, and only one of them interrupts."""

from __future__ import annotations

from collections.abc import Callable

from moonwire.call.timeline import Timeline
from moonwire.core.audio.g711 import rms
from moonwire.core.turns.nearness import Change, Nearness

BACKGROUND_S = 2.5
"""Words that come so long after a voice may be that voice's: recognisers are late."""


class CallerVoice:
    """Implements ports.vad.VadListener; reports the caller's voice with its age in seconds."""

    def __init__(self, timeline: Timeline, on_change: Callable[[Change, float], None]) -> None:
        self._timeline = timeline
        self._on_change = on_change
        self._nearness = Nearness()
        self._near_at = self._far_at = float("-inf")

    def push(self, frame: bytes) -> None:
        """Take 20 ms of the caller, after the detector has had them."""
        nearness = self._nearness
        change = nearness.push(rms(frame))
        if change is not None:
            self._report(change, nearness.window_s if change == "came" else nearness.gone_s)

    def on_voice_started(self, ago_s: float) -> None:
        """Take the detector's onset; a quiet voice is listened to until it comes near."""
        self._report(self._nearness.voice_began(), ago_s)

    def on_voice_ended(self, ago_s: float) -> None:
        """Take the detector's end."""
        if not self._nearness.near:
            self._far_at = self._timeline.now() - ago_s
        self._report(self._nearness.voice_ended(), ago_s)

    def learn(self) -> None:
        """Take the newest voice for the caller's: its words were a turn."""
        self._nearness.learn()

    def is_distant(self, now: float) -> bool:
        """Tell whether only voices in the background were heard lately; detectors do not hear every murmur."""
        nearness = self._nearness
        if nearness.near or now - self._near_at < BACKGROUND_S or nearness.quiet_s < BACKGROUND_S:
            return False
        return nearness.level_dbfs is not None or nearness.voice or now - self._far_at < BACKGROUND_S

    def was_heard_lately(self, now: float) -> bool:
        """Tell whether the detector heard any voice, near or far, in the last seconds."""
        return self._nearness.voice or now - max(self._near_at, self._far_at) < BACKGROUND_S

    def _report(self, change: Change | None, ago_s: float) -> None:
        if change is None:
            return
        if change == "went":
            self._near_at = self._timeline.now() - ago_s
        self._on_change(change, ago_s)
