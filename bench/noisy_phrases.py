"""Counts phrases that an offline recogniser understands in noise, untouched and through each suppression engine.

Run: .venv/bin/python -m bench.noisy_phrases [SNR in dB]. The sandbox's sixteen phrases (synthetic voice) in pink noise;
the recogniser (pocketsphinx) chooses among these phrases only. Compare the figures with each other, quote none of them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moonwire.core.audio.g711 import decode_ulaw, encode_ulaw
from moonwire.core.audio.resample import resample
from moonwire.sandbox.deepgram.sphinx_child import open_decoder
from moonwire.sandbox.voices import load_phrasebook
from moonwire.sandbox.voices.phrasebook import plain
from moonwire.vendors.noise.rnnoise.file import RNNOISE
from moonwire.vendors.noise.rnnoise.suppressor import RnnoiseLibrary, RnnoiseSuppressor
from moonwire.vendors.noise.webrtc.suppressor import WebrtcSuppressor
from moonwire.vendors.noise_workers import Suppressor

Line = NDArray[np.float64]
LEAD = 12_000
"""Samples of noise before the voice: engines need some time to know it."""
TAIL = 1_600


class Untouched:
    def clean(self, frame: bytes) -> bytes:
        return frame

    def close(self) -> None: ...


def noisy(voice: Line, snr_db: float, seed: int) -> bytes:
    line = np.concatenate((np.zeros(LEAD), voice, np.zeros(4 * TAIL)))
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(0, 1, len(line)))
    bins = np.maximum(np.arange(len(spectrum)), len(line) / 8000 * 60)
    noise = np.fft.irfft(spectrum / np.sqrt(bins), len(line))
    loud = voice[np.abs(voice) > 300]
    line += noise / noise.std() * np.sqrt((loud**2).mean()) / 10 ** (snr_db / 20)
    return encode_ulaw(np.clip(line, -32768, 32767).astype("<i2").tobytes())


def understood(decoder: Any, engine: Callable[[], Suppressor], delay: int, snr_db: float) -> int:
    count = 0
    for number, (text, audio) in enumerate(load_phrasebook().items()):
        voice = np.frombuffer(decode_ulaw(audio), "<i2").astype(np.float64)
        line, suppressor = noisy(voice, snr_db, number), engine()
        clean = b"".join(suppressor.clean(line[at : at + 160]) for at in range(0, len(line) - 159, 160))
        suppressor.close()
        heard = np.frombuffer(decode_ulaw(clean), "<i2")[LEAD + delay :][: len(voice) + TAIL]
        room = np.random.default_rng(0).normal(0, 30, 2 * len(heard))  # digital silence ruins the features
        decoder.start_utt()
        decoder.process_raw((resample(heard, 8000, 16000) + room).astype("<i2").tobytes(), False, True)
        decoder.end_utt()
        hypothesis = decoder.hyp()
        count += hypothesis is not None and hypothesis.hypstr == plain(text)
    return count


def main() -> None:
    snr_db = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    decoder = open_decoder([plain(text) for text in load_phrasebook()])
    engines: dict[str, tuple[Callable[[], Suppressor], int]] = {
        "untouched": (Untouched, 0),
        "webrtc": (lambda: WebrtcSuppressor(100), 64),
    }
    path = RNNOISE.find(Path("var"), None)
    if path is not None:
        library = RnnoiseLibrary(path)
        engines["rnnoise"] = (lambda: RnnoiseSuppressor(library, 100), 176)
    found: Mapping[str, int] = {
        f"{name}_understood": understood(decoder, make, delay, snr_db) for name, (make, delay) in engines.items()
    }
    print(json.dumps({"snr_db": snr_db, "phrases": len(load_phrasebook()), **found}))


if __name__ == "__main__":
    main()
