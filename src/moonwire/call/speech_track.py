"""Keeps the books of a reply's speech: its parts, which of them are fillers, and what of each was heard."""

from __future__ import annotations

from dataclasses import dataclass, field

from moonwire.call.egress import Egress, Segment
from moonwire.core.audio.frames import FRAME_BYTES, FRAME_S
from moonwire.core.dialog.heard import heard_text
from moonwire.ports.tts import Utterance


@dataclass(slots=True)
class Part:
    """One utterance, recording or sound."""

    text: str = ""
    filler: bool = False
    """Heard, but no part of the conversation."""
    waiting: list[str] = field(default_factory=list[str])
    """Clauses that wait for the part before."""
    words: list[tuple[str, float, float]] = field(default_factory=list[tuple[str, float, float]])
    start: int = 0
    """Byte of the segment at which the part begins."""
    size: int = 0
    utterance: Utterance | None = None
    closed: bool = False
    """No more text follows."""
    voiced: bool = False
    """All its audio is there."""


class SpeechTrack:
    """All parts of one reply's speech, in order, and the one stretch of audio they share."""

    def __init__(self, egress: Egress, segment: Segment) -> None:
        self.segment = segment
        self.parts: list[Part] = []
        self.current = 0
        """Index of the part being synthesised."""
        self._egress = egress

    @property
    def active(self) -> Part | None:
        """The part being synthesised."""
        return self.parts[self.current] if self.current < len(self.parts) else None

    @property
    def is_quiet(self) -> bool:
        """Whether all text given so far has been voiced and its audio handed over."""
        return self.current >= len(self.parts) and self.segment.position >= len(self.segment.audio)

    async def heard_out(self) -> None:
        """Wait until everything given so far has been heard."""
        while not self.is_quiet:
            self._egress.silence.clear()
            await self._egress.silence.wait()

    def text(self, first: int = 0, last: int | None = None) -> str:
        """Return the text of some parts, fillers left out, parts parted by a space."""
        texts = (part.text.strip() for part in self.parts[first:last] if not part.filler)
        return " ".join(text for text in texts if text)

    def heard(self, first: int = 0, last: int | None = None) -> str:
        """Return what the caller has heard of some parts, fillers left out."""
        heard_s = self._egress.heard_s(self.segment)
        texts = (_heard_of(part, heard_s) for part in self.parts[first:last] if not part.filler)
        return " ".join(text for text in texts if text)


def _heard_of(part: Part, heard_s: float) -> str:
    start_s, audio_s = part.start / FRAME_BYTES * FRAME_S, part.size / FRAME_BYTES * FRAME_S
    own_s = min(heard_s - start_s, audio_s)
    if own_s <= 0:
        return ""
    return heard_text(part.text, part.words, own_s, audio_s, complete=part.voiced).strip()
