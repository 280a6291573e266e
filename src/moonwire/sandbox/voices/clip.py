"""Brings a synthesised clip to the call's audio: 8 kHz mu-law, the same loudness for all, no silence at its ends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from moonwire.core.audio import g711
from moonwire.core.audio.frames import SAMPLE_RATE_HZ
from moonwire.core.audio.resample import resample

_PEAK = 16000.0
_AUDIBLE = 200
"""Amplitude below which a synthesiser's lead-in counts as silence."""


def to_call_audio(pcm: NDArray[np.int16], rate_hz: int) -> bytes:
    """Convert a whole clip (linear, mono) to mu-law 8 kHz."""
    clip = _cut_silence(resample(pcm, rate_hz, SAMPLE_RATE_HZ)).astype(np.float64)
    peak = float(np.max(np.abs(clip))) if clip.size else 0.0
    return pcm_to_ulaw(clip * (_PEAK / peak) if peak > 0 else clip)


def pcm_to_ulaw(pcm: NDArray[np.float64]) -> bytes:
    """Encode linear samples (-32768 to 32767)."""
    return g711.encode_ulaw(pcm.astype("<i2").tobytes())


def _cut_silence(pcm: NDArray[np.int16]) -> NDArray[np.int16]:
    audible = np.flatnonzero(np.abs(pcm.astype(np.int32)) > _AUDIBLE)
    if not audible.size:
        return pcm[:0]
    lead, tail = SAMPLE_RATE_HZ // 200, SAMPLE_RATE_HZ // 20
    return pcm[max(0, int(audible[0]) - lead) : int(audible[-1]) + tail]
