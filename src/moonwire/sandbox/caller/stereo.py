"""Keeps both voices of a call frame by frame and writes them as a stereo WAV: left the caller, right the agent."""

from __future__ import annotations

from pathlib import Path

from moonwire.core.audio.frames import FRAME_BYTES, SAMPLE_RATE_HZ, SILENCE_BYTE, SILENCE_FRAME
from moonwire.core.audio.wav import interleave, wav_header


class StereoRecording:
    """Grows in memory: 16 KB per second of call."""

    def __init__(self) -> None:
        self._caller = bytearray()
        self._agent = bytearray()

    def add_caller(self, frame: bytes) -> None:
        """Append 20 ms of the caller."""
        self._caller += frame

    def add_agent(self, frame: bytes, *, at_frame: int) -> None:
        """Put 20 ms of the agent at its place; a gap before it is silence."""
        missing = at_frame - len(self._agent) // FRAME_BYTES
        if missing > 0:
            self._agent += SILENCE_FRAME * missing
        self._agent += frame

    @property
    def duration_s(self) -> float:
        """Length so far."""
        return max(len(self._caller), len(self._agent)) / SAMPLE_RATE_HZ

    def write(self, path: Path) -> None:
        """Write 16-bit PCM, 8 kHz, two channels."""
        length = max(len(self._caller), len(self._agent))
        left, right = (bytes(voice).ljust(length, bytes([SILENCE_BYTE])) for voice in (self._caller, self._agent))
        audio = interleave(left, right, encoding="pcm16")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(wav_header(len(audio), encoding="pcm16", channels=2) + audio)
