"""Makes mu-law audio quieter by table look-up: fades for cut replies and for concealed losses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from moonwire.core.audio.frames import FRAME_BYTES
from moonwire.core.audio.g711 import ULAW_TO_PCM, encode_ulaw

FADE_FRAMES = 2
"""A cut reply fades over 40 ms: short enough to count as stopped, long enough not to click."""
_STEPS_PER_FRAME = 8
_STEP_BYTES = FRAME_BYTES // _STEPS_PER_FRAME


def gain_table(gain: float) -> bytes:
    """Return the 256-byte table that multiplies mu-law samples by a gain of 0 to 1 (for `bytes.translate`)."""
    scaled = np.rint(ULAW_TO_PCM.astype(np.float64) * gain).astype("<i2")
    return encode_ulaw(scaled.tobytes())


_LADDER = tuple(
    gain_table(1.0 - (step + 1) / (FADE_FRAMES * _STEPS_PER_FRAME)) for step in range(FADE_FRAMES * _STEPS_PER_FRAME)
)


def fade_out(frames: Sequence[bytes]) -> list[bytes]:
    """Return at most the first FADE_FRAMES frames, falling evenly from full level to silence."""
    faded: list[bytes] = []
    for number, frame in enumerate(frames[:FADE_FRAMES]):
        tables = _LADDER[number * _STEPS_PER_FRAME : (number + 1) * _STEPS_PER_FRAME]
        faded.append(
            b"".join(
                frame[step * _STEP_BYTES : (step + 1) * _STEP_BYTES].translate(table)
                for step, table in enumerate(tables)
            )
        )
    return faded


_RISE = np.linspace(0.0, 1.0, FRAME_BYTES, dtype=np.float32)


def crossfade(old: bytes, new: bytes) -> bytes:
    """Go over from one frame's audio to another's within the frame, so that nothing clicks."""
    before, after = (ULAW_TO_PCM[np.frombuffer(frame, np.uint8)].astype(np.float32) for frame in (old, new))
    return encode_ulaw(np.rint(before + (after - before) * _RISE).astype("<i2").tobytes())
