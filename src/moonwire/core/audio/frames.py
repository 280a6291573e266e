"""The audio that flows inside a call: G.711 mu-law, 8 kHz, mono, in frames of 20 ms.

Every transport converts at its own edge, once; recognisers and synthesisers take and give mu-law directly.
Decision: docs/adr/0002-mu-law-inside.md.
"""

SAMPLE_RATE_HZ = 8000
FRAME_S = 0.02
FRAME_BYTES = 160
"""One 20 ms frame: 160 mu-law samples, one byte each (RFC 3551 section 4.5.14)."""

SILENCE_BYTE = 0xFF
SILENCE_FRAME = bytes([SILENCE_BYTE]) * FRAME_BYTES
"""20 ms of digital silence in mu-law."""
