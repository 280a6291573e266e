"""Turns a caller's turn into what Smart Turn sees: the log-mel picture of Whisper, in single precision.

Source: the model's contract as published with Smart Turn v3 (BSD-2-Clause): 16 kHz, the last 8 s, zeros in front, zero
mean and unit variance over all of it, 400-point periodic Hann, hop 160, reflected edges, power, 80 Slaney mel bands to
8 kHz, log10 not more than 8 below the maximum, (x + 4) / 4, last frame dropped. Bands: M. Slaney, Auditory Toolbox.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from moonwire.core.audio.frames import SAMPLE_RATE_HZ
from moonwire.core.audio.g711 import ULAW_TO_PCM
from moonwire.core.audio.resample import resample

Floats = NDArray[np.float32]

MODEL_HZ: Final = 16000
SECONDS: Final = 8
BANDS: Final = 80
FRAMES: Final = 800
_WINDOW: Final = 400
_HOP: Final = 160


def _hz_of_mel(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Invert the Slaney scale: linear below 1 kHz (15 mel), logarithmic above."""
    return np.where(mel < 15.0, mel * 200.0 / 3.0, 1000.0 * np.exp((mel - 15.0) * np.log(6.4) / 27.0))


def _filter_bank() -> Floats:
    """Return (80, 201) triangles of equal area."""
    bins = np.linspace(0.0, MODEL_HZ / 2, _WINDOW // 2 + 1)
    top = 15.0 + 27.0 * math.log(8.0) / math.log(6.4)
    edges = _hz_of_mel(np.linspace(0.0, top, BANDS + 2))
    rising = (bins[None, :] - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins[None, :]) / np.diff(edges)[1:, None]
    area = 2.0 / (edges[2:] - edges[:-2])
    return (np.maximum(0.0, np.minimum(rising, falling)) * area[:, None]).astype(np.float32)


_FILTERS: Final = _filter_bank()
_BANDS_OF: Final = tuple(
    (int(np.argmax(row > 0)), _WINDOW // 2 + 1 - int(np.argmax(row[::-1] > 0))) for row in _filter_bank()
)
"""First and last bin of each triangle: band by band is ten times quicker than one product, which wakes BLAS threads."""
_HANN: Final[Floats] = (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(_WINDOW) / _WINDOW)).astype(np.float32)


def samples_of(audio: bytes) -> Floats:
    """Return the last 8 s of mu-law 8 kHz audio as 128,000 samples at 16 kHz in -1..1, zeros in front."""
    codes = np.frombuffer(audio[-SECONDS * SAMPLE_RATE_HZ :], np.uint8)
    wide = resample(ULAW_TO_PCM[codes], SAMPLE_RATE_HZ, MODEL_HZ)
    samples = np.zeros(SECONDS * MODEL_HZ, np.float32)
    if len(wide):
        samples[-len(wide) :] = wide.astype(np.float32) / 32768.0
    return samples


def log_mel(samples: Floats) -> Floats:
    """Return the picture (80, 800) of 128,000 samples; the frames of the zeros in front are alike and made once."""
    first = int(np.argmax(samples != 0))
    alike = max(0, (first - _WINDOW) // _HOP - 1)
    normal = (samples - samples.mean()) / np.sqrt(samples.var() + np.float32(1e-7))
    padded = np.pad(normal, _WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP][alike:FRAMES]
    spectrum = np.fft.rfft(frames * _HANN, axis=1)
    power = np.ascontiguousarray((spectrum.real**2 + spectrum.imag**2).astype(np.float32).T)
    energy = np.stack([row[low:high] @ power[low:high] for row, (low, high) in zip(_FILTERS, _BANDS_OF, strict=True)])
    bands = np.log10(np.maximum(energy, np.float32(1e-10)))
    picture = (np.maximum(bands, bands.max() - 8.0) + 4.0) / np.float32(4.0)
    return np.hstack((np.repeat(picture[:, :1], alike, axis=1), picture)).astype(np.float32)
