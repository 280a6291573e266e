"""Makes the tones that callers know from telephone networks, as mu-law 8 kHz.

Source: ITU-T E.180 Supplement 2 (North America: 440 and 480 Hz, 2 s on, 4 s off).
"""

from __future__ import annotations

import math
from functools import cache
from struct import pack

from moonwire.core.audio.g711 import encode_ulaw

_RATE = 8000
_AMPLITUDE = 2500


@cache
def ringback() -> bytes:
    """Return one period of the tone that says: it rings over there."""
    sounding = [_ringing(index / _RATE) for index in range(2 * _RATE)]
    return encode_ulaw(pack(f"<{len(sounding)}h", *sounding) + bytes(2 * 4 * _RATE))


def _ringing(at_s: float) -> int:
    return round(_AMPLITUDE * (math.sin(2 * math.pi * 440 * at_s) + math.sin(2 * math.pi * 480 * at_s)))
