"""Noisy telephone speech, and what an engine makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moonwire.core.audio.g711 import decode_ulaw, encode_ulaw
from moonwire.core.audio.wav import read_wav
from moonwire.sandbox.voices import load_phrasebook

Line = NDArray[np.float64]
PROMPT = Path("/usr/share/asterisk/sounds/en_US_f_Allison/vm-intro.wav")
_QUIET = np.zeros(8000)


def linear(ulaw: bytes) -> Line:
    return np.frombuffer(decode_ulaw(ulaw), "<i2").astype(np.float64)


def voices() -> dict[str, Line]:
    """Speech with a second of silence around it: synthetic, and recorded where Debian's prompts are installed."""
    phrase = max(load_phrasebook().values(), key=len)
    found = {"flite": linear(phrase)}
    if PROMPT.is_file():
        found["human"] = linear(read_wav(PROMPT.read_bytes()))
    return {name: np.concatenate((_QUIET, voice, _QUIET, _QUIET)) for name, voice in found.items()}


def pink(count: int) -> Line:
    spectrum = np.fft.rfft(np.random.default_rng(7).normal(0, 1, count))
    bins = np.maximum(np.arange(len(spectrum)), count / 8000 * 60)
    noise = np.fft.irfft(spectrum / np.sqrt(bins), count)
    return noise / noise.std()


def level(line: Line) -> float:
    return 20 * float(np.log10(np.sqrt((line**2).mean()) + 0.1))


@dataclass(frozen=True)
class Effect:
    noise_db: float
    """Change of the noise behind the speech."""
    speech_db: float
    """Change of the speech itself, by its projection on the clean speech."""
    delay_ms: float


def effect(voice: Line, snr_db: float, clean: Callable[[bytes], bytes]) -> Effect:
    """Send a voice in pink noise through an engine, 20 ms at a time."""
    loud = voice[np.abs(voice) > 300]
    noise = pink(len(voice)) * np.sqrt((loud**2).mean()) / 10 ** (snr_db / 20)
    noisy = encode_ulaw(np.clip(voice + noise, -32768, 32767).astype("<i2").tobytes())
    frames = [noisy[at : at + 160] for at in range(0, len(noisy) - 159, 160)]
    got = linear(b"".join(clean(frame) for frame in frames))
    size = 2 * len(got)
    match = np.fft.irfft(np.fft.rfft(got, size) * np.conj(np.fft.rfft(voice[: len(got)], size)))
    delay = int(np.argmax(match[:800]))
    spoken = np.abs(voice[: len(got) - delay]) > 1000
    here, there = got[delay:][spoken], voice[: len(got) - delay][spoken]
    gain = float((here * there).sum() / (there**2).sum())
    end = slice(len(got) - 6400, len(got))
    return Effect(level(got[end]) - level(linear(noisy)[end]), 20 * float(np.log10(abs(gain))), delay / 8)
