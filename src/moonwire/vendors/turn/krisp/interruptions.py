"""Tells interruptions from back-channels with Krisp: every 20 ms go through the model, with our voice detector's word.

The first probability at or above the threshold decides a voice; what follows of the same voice says nothing new.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from moonwire.core.audio.g711 import ULAW_TO_PCM
from moonwire.ports.interruption_predictor import InterruptionListener, InterruptionStream
from moonwire.vendors.krisp_sdk import MODULE, KrispSdk, load_krisp
from moonwire.vendors.turn.krisp.detector import NAME

MODEL: Final = "KRISP_VIVA_IP_MODEL_PATH"


class _Session(Protocol):
    """One call's model in the SDK."""

    def process(self, frame: NDArray[np.float32], voice: bool) -> float: ...


def open_krisp_interruptions(environment: Mapping[str, str], module: str = MODULE) -> KrispInterruptions | None:
    """Return the engine, or None with the reason in the log; arguments as for open_krisp."""
    sdk = load_krisp(environment, (MODEL,), module)
    return KrispInterruptions(sdk) if sdk is not None else None


class KrispInterruptions:
    """Implements ports.interruption_predictor.InterruptionPredictor."""

    def __init__(self, sdk: KrispSdk) -> None:
        self._sdk = sdk

    @property
    def name(self) -> str:
        """As shown in events."""
        return NAME

    def open(self, listener: InterruptionListener, threshold: float) -> InterruptionStream:
        """Begin to listen to a call."""
        rate = {"inputSampleRate": self._sdk.module.SamplingRate.Sr8000Hz}
        session = self._sdk.session("IpFloat", "IpSessionConfig", rate, "Fd20ms")
        return _Stream(session, listener, threshold)


class _Stream:
    def __init__(self, session: _Session, listener: InterruptionListener, threshold: float) -> None:
        self._session: _Session | None = session
        self._listener = listener
        self._threshold = threshold
        self._voice = self._told = False

    def push(self, frame: bytes) -> None:
        """Take 20 ms of the caller."""
        if self._session is None:
            return
        samples = ULAW_TO_PCM[np.frombuffer(frame, np.uint8)].astype(np.float32) / 32768.0
        probability = float(self._session.process(samples, self._voice))
        if self._voice and not self._told and probability >= self._threshold:
            self._told = True
            self._listener.on_interruption(probability, NAME)

    def voice_changed(self, *, on: bool) -> None:
        """The caller speaks, or stops."""
        self._voice = on
        self._told = False

    def close(self) -> None:
        """Let the session go; the SDK itself stays."""
        self._session = None
