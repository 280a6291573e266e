"""Brings synthesised PCM of any rate to the call's audio: band-limited, 8 kHz, mu-law, without leading silence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from moonwire.core.audio import g711
from moonwire.core.audio.frames import SAMPLE_RATE_HZ

_TAPS = 63
_CUTOFF_HZ = 3600.0
_PEAK = 16000.0
_AUDIBLE = 200.0
"""Amplitude below which a synthesiser's lead-in counts as silence."""


def to_call_audio(pcm: NDArray[np.float64], rate_hz: int) -> bytes:
    """Convert a whole clip (linear, mono) to mu-law 8 kHz, cutting the silence at both ends."""
    clip = _cut_silence(_to_8_khz(pcm, rate_hz))
    peak = float(np.max(np.abs(clip))) if clip.size else 0.0
    return pcm_to_ulaw(clip * (_PEAK / peak) if peak > 0 else clip)


def pcm_to_ulaw(pcm: NDArray[np.float64]) -> bytes:
    """Encode linear samples (-32768 to 32767)."""
    return g711.encode_ulaw(pcm.astype("<i2").tobytes())


def _to_8_khz(pcm: NDArray[np.float64], rate_hz: int) -> NDArray[np.float64]:
    if rate_hz == SAMPLE_RATE_HZ or not pcm.size:
        return pcm
    if rate_hz > SAMPLE_RATE_HZ:
        offsets = np.arange(_TAPS) - _TAPS // 2
        taps: NDArray[np.float64] = np.sinc(2 * _CUTOFF_HZ / rate_hz * offsets) * np.blackman(_TAPS)
        pcm = np.convolve(pcm, taps / taps.sum(), mode="same").astype(np.float64)
    count = int(pcm.size * SAMPLE_RATE_HZ / rate_hz)
    positions = np.arange(count) * (rate_hz / SAMPLE_RATE_HZ)
    return np.asarray(np.interp(positions, np.arange(pcm.size), pcm), dtype=np.float64)


def _cut_silence(pcm: NDArray[np.float64]) -> NDArray[np.float64]:
    audible = np.flatnonzero(np.abs(pcm) > _AUDIBLE)
    if not audible.size:
        return pcm[:0]
    lead, tail = SAMPLE_RATE_HZ // 200, SAMPLE_RATE_HZ // 20
    return pcm[max(0, int(audible[0]) - lead) : int(audible[-1]) + tail]
