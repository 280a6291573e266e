"""Makes the stand-in's audio: any documented encoding and rate, with each word's place in proportion to its length."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from moonwire.core.audio import g711
from moonwire.core.audio.frames import SAMPLE_RATE_HZ

_SAMPLE_BYTES = {"pcm_f32le": 4, "pcm_s16le": 2, "pcm_mulaw": 1, "pcm_alaw": 1}
_PAUSE_CHARS = {",": 3, ";": 3, ":": 3, ".": 6, "!": 6, "?": 6}
"""How many characters long a pause after such a word counts."""


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word and its seconds from the start of the clip."""

    text: str
    start_s: float
    end_s: float


def time_words(text: str, clip_s: float) -> Sequence[TimedWord]:
    """Spread the words of a text over its clip; inline tags count as words too, as they do at the vendor."""
    words = re.findall(r"\S+", text)
    weights = [len(word) + 1 + _PAUSE_CHARS.get(word[-1], 0) for word in words]
    unit_s = clip_s / sum(weights) if weights else 0.0
    timed: list[TimedWord] = []
    at_s = 0.0
    for word, weight in zip(words, weights, strict=True):
        timed.append(TimedWord(word, round(at_s, 3), round(at_s + (len(word) + 0.5) * unit_s, 3)))
        at_s += weight * unit_s
    return timed


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """The bytes that a context asked for."""

    encoding: str
    rate_hz: int

    @classmethod
    def of(cls, output_format: dict[str, Any]) -> AudioFormat:
        """Read a checked `output_format`."""
        return cls(output_format["encoding"], output_format["sample_rate"])

    @property
    def bytes_per_s(self) -> int:
        """Bytes of one second."""
        return self.rate_hz * _SAMPLE_BYTES[self.encoding]

    def convert(self, ulaw: bytes) -> bytes:
        """Convert mu-law 8 kHz."""
        if self.encoding == "pcm_mulaw" and self.rate_hz == SAMPLE_RATE_HZ:
            return ulaw
        pcm = np.frombuffer(g711.decode_ulaw(ulaw), dtype="<i2").astype(np.float64)
        count = int(pcm.size * self.rate_hz / SAMPLE_RATE_HZ)
        positions = np.arange(count) * (SAMPLE_RATE_HZ / self.rate_hz)
        wide = np.interp(positions, np.arange(pcm.size), pcm) if pcm.size else pcm
        match self.encoding:
            case "pcm_f32le":
                return (wide / 32768.0).astype("<f4").tobytes()
            case "pcm_s16le":
                return wide.astype("<i2").tobytes()
            case "pcm_alaw":
                return g711.encode_alaw(wide.astype("<i2").tobytes())
            case _:
                return g711.encode_ulaw(wide.astype("<i2").tobytes())
