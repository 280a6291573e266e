from __future__ import annotations

import numpy as np
import pytest

from moonwire.core.audio import g711
from moonwire.core.audio.energy import FLOOR_DBFS, level_dbfs, rms_of_dbfs
from moonwire.core.audio.frames import SILENCE_FRAME

CODES = bytes(range(256))


def test_known_codes() -> None:
    """Extremes and zero of ITU-T G.711 tables 2a and 2b."""
    assert g711.decode_ulaw(b"\xff") == b"\x00\x00"
    assert np.frombuffer(g711.decode_ulaw(b"\x00\x80"), "<i2").tolist() == [-32124, 32124]
    assert np.frombuffer(g711.decode_alaw(b"\x2a\xaa"), "<i2").tolist() == [-32256, 32256]
    assert g711.encode_alaw(b"\x00\x00") == b"\xd5"


def test_decoding_and_encoding_agree() -> None:
    again = g711.encode_ulaw(g711.decode_ulaw(CODES))
    assert g711.decode_ulaw(again) == g711.decode_ulaw(CODES)
    assert g711.encode_alaw(g711.decode_alaw(CODES)) == CODES


def test_tables_equal_the_long_way() -> None:
    assert g711.alaw_to_ulaw(CODES) == g711.encode_ulaw(g711.decode_alaw(CODES))
    assert g711.ulaw_to_alaw(CODES) == g711.encode_alaw(g711.decode_ulaw(CODES))


def test_batch_equals_single() -> None:
    codes = np.frombuffer(CODES, np.uint8).reshape(2, 128)
    assert g711.decode_ulaw_batch(codes).astype("<i2").tobytes() == g711.decode_ulaw(CODES)


def test_levels() -> None:
    assert level_dbfs(SILENCE_FRAME) == FLOOR_DBFS
    assert level_dbfs(b"") == FLOOR_DBFS
    assert level_dbfs(b"\x00\x80" * 80) == pytest.approx(-0.17, abs=0.02)
    assert rms_of_dbfs(level_dbfs(b"\x20" * 160)) == g711.rms(b"\x20" * 160)
