"""What a call and a transport say to each other about audio; everything here runs on the event loop, per frame.

Frames are 160 bytes of mu-law (core/audio/frames.py). No call in this file may block, log or allocate needlessly.
"""

from __future__ import annotations

from typing import Protocol


class AudioSink(Protocol):
    """Takes the caller's audio: the call engine, or a scripted caller."""

    def on_frame(self, frame: bytes) -> None:
        """Take one 20 ms frame (160 bytes mu-law), in order, gaps already concealed."""
        ...

    def on_digit(self, digit: str, duration_ms: int) -> None:
        """Take one DTMF digit, reported once per key press."""
        ...


class AudioSource(Protocol):
    """Gives the audio to be sent: pulled by the transport's pacing, once per 20 ms of audio."""

    def next_frame(self) -> bytes | None:
        """Return the next 20 ms frame, or None when there is nothing to say now."""
        ...

    def on_played_out(self) -> None:
        """Hear that everything handed over so far has been played to the caller."""
        ...


class MediaLeg(Protocol):
    """One leg's audio path, in both directions."""

    def attach(self, sink: AudioSink, source: AudioSource) -> None:
        """Connect the leg to a call; replaces an earlier connection."""
        ...

    def wake(self) -> None:
        """Say that the source has frames again; a leg that may send ahead does so at once."""
        ...

    def unheard_frames(self) -> int:
        """Count frames handed over but not yet played to the caller (0 where we pace in real time)."""
        ...

    def clear(self) -> int:
        """Drop audio handed over but not yet played; return how many frames were dropped."""
        ...
