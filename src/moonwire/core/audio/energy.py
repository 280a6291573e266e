"""Measures how loud a mu-law frame is; cheap enough to gate every frame of every call."""

from __future__ import annotations

import math

from moonwire.core.audio.g711 import rms

FLOOR_DBFS = -96.0
"""What digital silence measures."""


def level_dbfs(frame: bytes) -> float:
    """Return the level of mu-law samples in dB relative to a full-scale square wave, at least FLOOR_DBFS."""
    value = rms(frame)
    return 20.0 * math.log10(value / 32768.0) if value else FLOOR_DBFS


def rms_of_dbfs(level: float) -> int:
    """Return the rms value (as of `g711.rms`) at a level; compare against it instead of taking logarithms."""
    return round(32768.0 * 10.0 ** (level / 20.0))
