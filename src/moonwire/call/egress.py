"""The agent's mouth: one stretch of audio at a time, pulled frame by frame by the transport's pacing.

A segment keeps all its audio until it is over, so that holding and resuming are a matter of a position, also on
transports that had taken some frames ahead of the caller's ear.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from moonwire.core.audio.fade import FADE_FRAMES, fade_out
from moonwire.core.audio.frames import FRAME_BYTES, FRAME_S, SILENCE_BYTE
from moonwire.core.audio.g711 import rms
from moonwire.ports.media import AudioSource, MediaLeg

WORD_FRAMES = 12
"""How far back (0.24 s) a held reply may go to begin again with a whole word."""


class Segment:
    """One reply's, prompt's or recording's audio on its way to the caller."""

    __slots__ = (
        "_finished",
        "_on_finished",
        "_on_started",
        "audio",
        "complete",
        "kept_back",
        "played",
        "position",
        "started",
    )

    def __init__(self, on_started: Callable[[], None], on_finished: Callable[[], None]) -> None:
        self.audio = bytearray()
        self.position = 0
        """Bytes handed over to the transport."""
        self.complete = False
        """No more audio will be appended."""
        self.started = False
        self.played = False
        """The transport says that all handed over audio has been heard."""
        self.kept_back = False
        """Not to be heard yet, only made ready; `Egress.resume` lets it begin."""
        self._finished = False
        self._on_started = on_started
        self._on_finished = on_finished

    @property
    def audio_s(self) -> float:
        """Seconds of audio received so far."""
        return len(self.audio) / FRAME_BYTES * FRAME_S

    def start(self) -> None:
        """Note the first frame."""
        self.started = True
        self._on_started()

    def finish_if_over(self) -> bool:
        """Report the end once everything has been heard."""
        over = self.complete and self.position >= len(self.audio) and (self.played or not self.audio)
        if over and not self._finished:
            self._finished = True
            self._on_finished()
        return over


class Egress:
    """Implements ports.media.AudioSource for a call."""

    def __init__(self, leg: MediaLeg) -> None:
        self.audio_ready = asyncio.Event()
        """Set once the current segment has something to be heard."""
        self.silence = asyncio.Event()
        """Set each time the transport has played out what it had."""
        self.patched: AudioSource | None = None
        """Somebody else speaks to the caller instead: a person that the call is connected with."""
        self.shape: Callable[[bytes], bytes] | None = None
        """Changes every frame that goes out."""
        self.record: Callable[[bytes], None] | None = None
        """Takes a copy of every frame that goes out."""
        self._leg = leg
        self._segment: Segment | None = None
        self._held = False
        self._fading: list[bytes] = []
        """Frames that make a cut inaudible; sent before anything else."""

    def play(self, segment: Segment) -> None:
        """Make this the segment that is heard; an unfinished earlier one is dropped."""
        if self._segment is not None:
            self.clear(self._segment)
            self._fading = []
        self._segment = segment
        self._held = segment.kept_back
        self.audio_ready.clear()
        if segment.audio:
            self.audio_ready.set()
            self._leg.wake()

    def append(self, segment: Segment, audio: bytes) -> None:
        """Add audio to a segment; ignored once the segment has been dropped."""
        if segment is not self._segment:
            return
        segment.audio += audio
        segment.played = False
        self.audio_ready.set()
        if not self._held:
            self._leg.wake()

    def complete(self, segment: Segment) -> None:
        """Say that the segment has all its audio; the last frame is padded with silence."""
        if segment is not self._segment:
            return
        segment.complete = True
        self.pad(segment)
        self._leg.wake()
        self._settle(segment)

    def pad(self, segment: Segment) -> None:
        """Fill the last frame with silence, so that it goes out although no audio follows for now."""
        rest = len(segment.audio) % FRAME_BYTES
        if rest:
            self.append(segment, bytes([SILENCE_BYTE]) * (FRAME_BYTES - rest))

    def drop_tail(self, segment: Segment) -> None:
        """Forget the segment's audio that has not been heard; more may be appended."""
        if segment is self._segment:
            if not self._held:
                self._rewind(segment)
                self._fade(segment)
            del segment.audio[segment.position :]
            segment.played = True

    def hold(self, segment: Segment) -> None:
        """Stop sounding, with a short fade, and remember where; audio may still be appended."""
        if segment is self._segment and not self._held:
            self._held = True
            self._rewind(segment)
            self._fade(segment)

    def resume(self, segment: Segment) -> None:
        """Go on from where the caller last heard something, with the word that was cut."""
        if segment is self._segment and self._held:
            self._held = False
            self._fading = []
            segment.position = word_start(segment.audio, segment.position)
            self._leg.wake()
            self._settle(segment)

    def clear(self, segment: Segment) -> None:
        """Drop the segment, with a short fade; `heard_s` stays true for it."""
        if segment is not self._segment:
            return
        if not self._held:
            self._rewind(segment)
            self._fade(segment)
        self._segment = None
        self._held = False

    def heard_s(self, segment: Segment) -> float:
        """Return how many seconds of the segment the caller has heard."""
        sounding = segment is self._segment and not self._held
        ahead = self._leg.unheard_frames() if sounding else 0
        return max(0.0, segment.position / FRAME_BYTES - ahead) * FRAME_S

    @property
    def is_idle(self) -> bool:
        """Whether nothing is left to be heard."""
        return self._segment is None

    def next_frame(self) -> bytes | None:
        """Give the transport its next frame."""
        frame = self._take_frame()
        if frame is None:
            return None
        if self.shape is not None:
            frame = self.shape(frame)
        if self.record is not None:
            self.record(frame)
        return frame

    def _take_frame(self) -> bytes | None:
        if self._fading:
            return self._fading.pop(0)
        if self.patched is not None:
            return self.patched.next_frame()
        segment = self._segment
        if segment is None or self._held:
            return None
        start = segment.position
        frame = bytes(segment.audio[start : start + FRAME_BYTES])
        if len(frame) < FRAME_BYTES:
            return None
        segment.position = start + FRAME_BYTES
        if not segment.started:
            segment.start()
        return frame

    def on_played_out(self) -> None:
        """Take the transport's word that all has been heard."""
        self.silence.set()
        if self.patched is not None:
            self.patched.on_played_out()
        segment = self._segment
        if segment is not None and not self._held:
            segment.played = True
            self._settle(segment)

    def _settle(self, segment: Segment) -> None:
        if not self._held and segment.finish_if_over() and self._segment is segment:
            self._segment = None

    def _fade(self, segment: Segment) -> None:
        start = segment.position
        if start:
            audio = bytes(segment.audio[start : start + FADE_FRAMES * FRAME_BYTES])
            whole = range(0, len(audio) - FRAME_BYTES + 1, FRAME_BYTES)
            self._fading = fade_out([audio[at : at + FRAME_BYTES] for at in whole])
            self._leg.wake()

    def _rewind(self, segment: Segment) -> None:
        dropped = self._leg.clear()
        segment.position = max(0, segment.position - dropped * FRAME_BYTES)
        segment.played = False


def word_start(audio: bytes | bytearray, position: int) -> int:
    """Return the quietest frame shortly before a position, if it is quiet as between words; else the position."""
    first = max(0, position - WORD_FRAMES * FRAME_BYTES)
    levels = {at: rms(bytes(audio[at : at + FRAME_BYTES])) for at in range(first, position, FRAME_BYTES)}
    if not levels:
        return position
    quietest = min(levels, key=lambda at: (levels[at], -at))
    return quietest if levels[quietest] * 4 <= max(levels.values()) else position
