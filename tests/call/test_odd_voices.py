"""Voices that our detector does not hear but the recogniser does: words outrank voice."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from moonwire.core.audio.g711 import encode_ulaw
from moonwire.sandbox.caller import HangUp, Pause, PlayAudio, WaitForSilence, WaitForSpeech
from moonwire.sandbox.virtual_time import virtual_time

from .stage import staged


def hum(duration_s: float) -> bytes:
    """A 440 Hz tone: no voice to the detector, speech to a recogniser that goes by energy."""
    times = np.arange(int(8000 * duration_s)) / 8000
    return encode_ulaw((8000 * np.sin(2 * np.pi * 440 * times)).astype("<i2").tobytes())


@virtual_time
async def test_words_without_voice_interrupt_the_agent(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.deepgram.set_hearing(["Please tell me a story about the moon.", "Wait, stop please."])
        report, _ = await stage.call(
            WaitForSilence(),
            PlayAudio("story", hum(1.5)),
            WaitForSpeech(),
            Pause(2.5),
            PlayAudio("stop", hum(1.2)),
            WaitForSilence(),
            HangUp(),
        )
        assert report.ok, report.problems
        stop = report.turns[1].barge_in_stop_s
        assert stop is not None
        assert stop < 1.3
        assert [line["interrupted"] for line in stage.named("turn", cause="user")] == [True, False]
