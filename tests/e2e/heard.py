"""Understands a caller's recording: which of the texts that voices were asked to speak can really be heard in it."""

from __future__ import annotations

import wave
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from moonwire.sandbox.deepgram.fingerprint import KnownPhrases
from moonwire.sandbox.deepgram.segments import Burst, Samples
from moonwire.sandbox.voices import synthesise
from moonwire.sandbox.voices.phrasebook import plain

RATE_HZ = 8000
FRAME = 160
LOUD = 10 ** (-45 / 20)
PAUSES_S = (0.05, 0.08, 0.12, 0.25, 0.6)
"""Where sentences are parted; what joins two of them in one reading is read well in another."""
MARGIN = 400


def readings(recording: Path, spoken: Iterable[str]) -> list[str]:
    """Return the words in the agent's voice of a stereo recording, as far as they are among the spoken texts."""
    with wave.open(str(recording)) as file:
        both = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    agent = (both[:, 1] / 32768).astype(np.float32)
    phrases = KnownPhrases({text: synthesise(text) for text in set(spoken)})
    found: list[str] = []
    for pause_s in PAUSES_S:
        bursts = [Burst(0.0, len(part) / RATE_HZ, part, RATE_HZ) for part in stretches(agent, pause_s)]
        found.append(" ".join(word.text for burst in bursts for word in phrases.words(burst)))
    return found


def share_heard(text: str, found: Iterable[str]) -> float:
    """Return the share of a text's words that the best reading has; the recogniser misses some, never makes them up."""
    words = plain(text).split()
    return max(sum(word in plain(reading).split() for word in words) / len(words) for reading in found)


def stretches(voice: Samples, pause_s: float) -> list[Samples]:
    """Cut where it is silent for so long."""
    frames = voice[: len(voice) // FRAME * FRAME].reshape(-1, FRAME)
    loud = np.flatnonzero(np.sqrt((frames**2).mean(axis=1)) > LOUD)
    groups = np.split(loud, np.flatnonzero(np.diff(loud) > pause_s * RATE_HZ / FRAME) + 1)
    return [
        voice[max(0, group[0] * FRAME - MARGIN) : (group[-1] + 1) * FRAME + MARGIN] for group in groups if len(group)
    ]
