"""Measures how long the caller's voice has been heard over a reply; pauses are taken off, not forgotten."""

from __future__ import annotations


class VoiceMeter:
    """The voice detector's reports, summed up; times are media seconds."""

    def __init__(self) -> None:
        self.on = False
        self.quiet_at: float | None = None
        """When the voice last stopped."""
        self.began_at = 0.0
        """When it last began."""
        self._voiced_s = 0.0
        self._changed_at: float | None = None

    def began(self, at: float) -> None:
        """Voice began; what was heard before a pause still counts, less the length of the pause."""
        if not self.on:
            gap_s = 0.0 if self._changed_at is None else max(0.0, at - self._changed_at)
            self._voiced_s = max(0.0, self._voiced_s - gap_s)
            self._changed_at = self.began_at = at
            self.on = True

    def ended(self, at: float) -> None:
        """Voice stopped."""
        self._voiced_s = self.voiced_s(at)
        self._changed_at = self.quiet_at = at
        self.on = False

    def voiced_s(self, at: float) -> float:
        """Return how much voice there has been."""
        if not self.on or self._changed_at is None:
            return self._voiced_s
        return self._voiced_s + max(0.0, at - self._changed_at)

    def reaches(self, limit_s: float, at: float) -> float:
        """Return when there will have been so much voice, if it goes on; `at` is now."""
        if self._changed_at is None:
            self._changed_at = at
        return self._changed_at + limit_s - self._voiced_s

    def returned_s(self, since: float) -> float:
        """Return how long voice that began after a moment has lasted, once it is over; otherwise 0."""
        if self.on or self.quiet_at is None or self.began_at < since:
            return 0.0
        return self.quiet_at - self.began_at

    def start_again(self) -> None:
        """Measure afresh: a reply begins."""
        self._voiced_s = 0.0
        self._changed_at = None
