from __future__ import annotations

from moonwire.core.audio.frames import SILENCE_FRAME
from moonwire.core.audio.g711 import rms
from moonwire.core.rtp.conceal import Concealer

LOUD = bytes([0x80, 0x00]) * 80


def test_a_gap_fades_into_silence() -> None:
    concealer = Concealer()
    assert concealer.conceal() == SILENCE_FRAME
    concealer.heard(LOUD)
    levels = [rms(concealer.conceal()) for _ in range(5)]
    assert levels[0] > levels[1] > levels[2] > 0
    assert levels[3:] == [0, 0]
    concealer.heard(LOUD)
    assert rms(concealer.conceal()) == levels[0]
