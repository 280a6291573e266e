"""Human speech for the benchmark: Debian's recorded telephone prompts (CC BY-SA 3.0), never part of this repository.

All recordings of the package in the order of their paths, but for its folder of silences: the even ones are for tuning,
the odd ones for reports. The rules below, the schedule and the calibration were settled on the even ones; nothing is
chosen by looking at the odd.

- whole: every recording of at least 1 s without an inner silence of 0.2 s.
- paused: every recording with an inner silence of 0.1 s or more, 0.5 s from the begin and 0.3 s from the end, up to the
  first such silence. Sentences that pause in the middle and whole ones that are followed by another are both in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from moonwire.core.audio.frames import FRAME_BYTES
from moonwire.core.audio.g711 import decode_ulaw, encode_ulaw
from moonwire.core.audio.wav import read_wav

Samples = NDArray[np.int16]
Half = Literal["tuning", "reported"]
PROMPTS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
PACKAGE = "asterisk-core-sounds-en-wav"

LEAST_PAUSE_FRAMES = 5
LONG_PAUSE_FRAMES = 10


@dataclass(frozen=True)
class Prompt:
    """One recording at -25 dBFS, cut to its sound."""

    name: str
    pcm: Samples
    gaps: tuple[tuple[int, int], ...]
    """Inner silences of at least 0.08 s, in frames: first, one behind the last."""

    @property
    def seconds(self) -> float:
        return len(self.pcm) / 8000

    @property
    def has_pauses(self) -> bool:
        return any(b - a >= 7 for a, b in self.gaps)


@dataclass(frozen=True)
class Begun:
    """A recording up to its first inner pause."""

    pcm: Samples
    recorded_frames: int
    """How long the pause is in the recording; most of 0.2 s and more lie between sentences."""


def recordings(half: Half | None = None) -> list[Prompt]:
    """Return one half of the recordings, or all."""
    paths = sorted(PROMPTS.rglob("*.wav"))
    chosen = paths if half is None else paths[(half == "reported") :: 2]
    speech = [path for path in chosen if path.parent.name != "silence"]
    return [prompt for path in speech if (prompt := load(path)) is not None]


def whole(prompts: list[Prompt]) -> list[Samples]:
    """Return the finished utterances."""
    return [one.pcm for one in prompts if one.seconds >= 1 and not any(b - a >= LONG_PAUSE_FRAMES for a, b in one.gaps)]


def paused(prompts: list[Prompt]) -> list[Begun]:
    """Return the utterances that go on after a pause."""
    found: list[Begun] = []
    for one in prompts:
        frames = len(one.pcm) // 160
        inner = [(a, b) for a, b in one.gaps if b - a >= LEAST_PAUSE_FRAMES and a >= 25 and frames - b >= 15]
        if inner:
            first, behind = inner[0]
            found.append(Begun(one.pcm[: first * 160], behind - first))
    return found


def load(path: Path) -> Prompt | None:
    pcm = np.frombuffer(decode_ulaw(read_wav(path.read_bytes())), "<i2").astype(np.float64)
    frames = pcm[: len(pcm) // 160 * 160].reshape(-1, 160)
    power = (frames**2).mean(axis=1) + 1e-9
    loud = np.flatnonzero(power > power.max() / 3000)
    if len(loud) < 10:
        return None
    active = power[power > power.max() / 1000].mean()
    scale = 32768 * 10 ** (-25 / 20) / np.sqrt(active)
    first, last = int(loud[0]), int(loud[-1]) + 1
    cut = np.clip(frames[first:last].reshape(-1) * scale, -32768, 32767).astype(np.int16)
    steps = np.flatnonzero(np.diff(loud) >= 4)
    gaps = tuple((int(loud[i]) + 1 - first, int(loud[i + 1]) - first) for i in steps)
    return Prompt(path.stem, cut, gaps)


def at_level(pcm: NDArray[np.float64], dbfs: float) -> Samples:
    frames = pcm[: len(pcm) // 160 * 160].reshape(-1, 160)
    power = (frames**2).mean(axis=1)
    active = power[power > power.max() / 1000].mean()
    return np.clip(pcm * (32768 * 10 ** (dbfs / 20) / np.sqrt(active)), -32768, 32767).astype(np.int16)


def frames_of(*parts: Samples | float) -> list[bytes]:
    """Join sounds and silences (in seconds) to mu-law frames with a faint line noise."""
    arrays = [np.zeros(round(part * 50) * 160, np.int16) if isinstance(part, float) else part for part in parts]
    joined = np.concatenate([array[: len(array) // 160 * 160] for array in arrays]).astype(np.int32)
    noise = np.random.default_rng(1).normal(0, 12, len(joined)).astype(np.int32)
    audio = encode_ulaw(np.clip(joined + noise, -32768, 32767).astype("<i2").tobytes())
    return [audio[at : at + FRAME_BYTES] for at in range(0, len(audio), FRAME_BYTES)]
