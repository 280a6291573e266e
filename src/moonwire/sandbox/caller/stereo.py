"""Keeps both voices of a call frame by frame and writes them as a stereo WAV: left the caller, right the agent."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from moonwire.core.audio.frames import FRAME_BYTES, SAMPLE_RATE_HZ, SILENCE_FRAME
from moonwire.core.audio.g711 import decode_ulaw_batch


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
        count = max(len(self._caller), len(self._agent))
        voices = np.full((count, 2), SILENCE_FRAME[0], dtype=np.uint8)
        for column, voice in enumerate((self._caller, self._agent)):
            voices[: len(voice), column] = np.frombuffer(bytes(voice), dtype=np.uint8)
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE_HZ)
            file.writeframes(decode_ulaw_batch(voices).astype("<i2").tobytes())
