"""Translates between linear PCM and the two G.711 laws; the one file that knows `audioop`."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

with warnings.catch_warnings():
    # Deprecated since 3.11, removed in 3.13, where the audioop-lts package takes its name and place.
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

_ALL_CODES = bytes(range(256))

ALAW_TO_ULAW = audioop.lin2ulaw(audioop.alaw2lin(_ALL_CODES, 2), 2)
"""Translation table, 256 bytes, for `bytes.translate`."""
ULAW_TO_ALAW = audioop.lin2alaw(audioop.ulaw2lin(_ALL_CODES, 2), 2)
"""Translation table, 256 bytes, for `bytes.translate`."""
ULAW_TO_PCM: NDArray[np.int16] = np.frombuffer(audioop.ulaw2lin(_ALL_CODES, 2), dtype="<i2").astype(np.int16)
"""Linear value of each mu-law code; index it with a uint8 array to decode many frames at once."""


def encode_ulaw(pcm: bytes) -> bytes:
    """Encode linear PCM as G.711 mu-law.

    Args:
        pcm: 2*N bytes, signed 16-bit little-endian.

    Returns:
        N bytes, one sample each.

    Source: ITU-T G.711; RFC 3551 section 4.5.14, payload type 0.
    """
    return audioop.lin2ulaw(pcm, 2)


def decode_ulaw(payload: bytes) -> bytes:
    """Decode G.711 mu-law to linear PCM.

    Args:
        payload: N bytes, one sample each.

    Returns:
        2*N bytes, signed 16-bit little-endian.

    Source: ITU-T G.711; RFC 3551 section 4.5.14, payload type 0.
    """
    return audioop.ulaw2lin(payload, 2)


def encode_alaw(pcm: bytes) -> bytes:
    """Encode linear PCM (2*N bytes, little-endian) as N bytes of G.711 A-law (RFC 3551, payload type 8)."""
    return audioop.lin2alaw(pcm, 2)


def decode_alaw(payload: bytes) -> bytes:
    """Decode N bytes of G.711 A-law (RFC 3551, payload type 8) to 2*N bytes of linear PCM, little-endian."""
    return audioop.alaw2lin(payload, 2)


def alaw_to_ulaw(payload: bytes) -> bytes:
    """Change A-law samples into mu-law samples, byte for byte."""
    return payload.translate(ALAW_TO_ULAW)


def ulaw_to_alaw(payload: bytes) -> bytes:
    """Change mu-law samples into A-law samples, byte for byte."""
    return payload.translate(ULAW_TO_ALAW)


def decode_ulaw_batch(codes: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Decode an array of mu-law codes of any shape to linear values of the same shape."""
    return ULAW_TO_PCM[codes]


def rms(frame: bytes) -> int:
    """Return the root mean square, 0 to 32767, of mu-law samples; 0 for no samples."""
    return audioop.rms(audioop.ulaw2lin(frame, 2), 2)
