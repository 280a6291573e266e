"""Suppresses noise with the licensed Krisp SDK; called in worker threads, since what it costs depends on the model.

Source: the SDK's Python interface as Pipecat 1.14 uses it (NcSessionConfig, NcInt16), read 2026-11-22; run against a
stand-in only.
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from moonwire.core.audio.g711 import ULAW_TO_PCM, encode_ulaw
from moonwire.vendors.krisp_sdk import KrispSdk

NAME: Final = "krisp"
MODELS: Final = ("KRISP_VIVA_FILTER_MODEL_PATH", "KRISP_VIVA_MODEL_PATH")


class _Session(Protocol):
    """One stream's model in the SDK; the level is a float, the samples must be writable."""

    def process(self, frame: NDArray[np.int16], level: float) -> NDArray[np.int16]: ...


class KrispSuppressor:
    """One stream's state."""

    def __init__(self, sdk: KrispSdk, level: float) -> None:
        rate = sdk.module.SamplingRate.Sr8000Hz
        rates = {"inputSampleRate": rate, "outputSampleRate": rate}
        self._session: _Session | None = sdk.session("NcInt16", "NcSessionConfig", rates, "Fd20ms")
        self._level = float(level)

    def clean(self, frame: bytes) -> bytes:
        """Return 20 ms of mu-law without its noise."""
        if self._session is None:
            return frame
        spoken = self._session.process(ULAW_TO_PCM[np.frombuffer(frame, np.uint8)], self._level)
        return encode_ulaw(np.asarray(spoken, np.int16).astype("<i2").tobytes())

    def close(self) -> None:
        """Let the session go; the SDK itself stays."""
        self._session = None
