"""Ends turns with Krisp: every 20 ms go through the model of the call, together with our voice detector's word.

Unlike a model that is asked in pauses, this one speaks all the time; what counts is that it crosses the threshold after
the caller has spoken and is silent.
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from moonwire.core.audio.g711 import ULAW_TO_PCM
from moonwire.core.turns.agreement import AgreementSettings
from moonwire.ports.turn_detector import TurnListener, TurnStream
from moonwire.vendors.krisp_sdk import KrispSdk

NAME: Final = "krisp"
EARLY_BELOW: Final = 0.2
"""An early sign is so much below the threshold, and at least EARLY_LEAST."""
EARLY_LEAST: Final = 0.3


class _Session(Protocol):
    """One call's model in the SDK."""

    def process(self, frame: NDArray[np.float32], voice: bool, reserved: bool) -> float: ...


class KrispTurns:
    """Implements ports.turn_detector.TurnDetector."""

    def __init__(self, sdk: KrispSdk) -> None:
        self._sdk = sdk

    @property
    def name(self) -> str:
        """As shown in events."""
        return NAME

    def open(self, listener: TurnListener, settings: AgreementSettings) -> TurnStream:
        """Begin to listen to a call."""
        rate = {"inputSampleRate": self._sdk.module.SamplingRate.Sr8000Hz}
        session = self._sdk.session("TtFloat", "TtSessionConfig", rate, "Fd20ms")
        return _Stream(session, listener, settings.threshold)


class _Stream:
    def __init__(self, session: _Session, listener: TurnListener, threshold: float) -> None:
        self._session: _Session | None = session
        self._listener = listener
        self._threshold = threshold
        self._voice = self._spoken = self._early = False

    def push(self, frame: bytes) -> None:
        """Take 20 ms of the caller."""
        if self._session is None:
            return
        samples = ULAW_TO_PCM[np.frombuffer(frame, np.uint8)].astype(np.float32) / 32768.0
        probability = float(self._session.process(samples, self._voice, False))
        if self._voice or not self._spoken:
            return
        if probability >= self._threshold:
            self._spoken = self._early = False
            self._listener.on_turn_verdict("ended", probability, NAME)
        elif not self._early and probability >= max(EARLY_LEAST, self._threshold - EARLY_BELOW):
            self._early = True
            self._listener.on_turn_verdict("probably", probability, NAME)

    def voice_began(self, ago_s: float) -> None:
        """The caller speaks."""
        del ago_s
        self._voice = self._spoken = True
        if self._early:
            self._early = False
            self._listener.on_turn_verdict("resumed", 0.0, NAME)

    def voice_ended(self, ago_s: float) -> None:
        """The caller pauses."""
        del ago_s
        self._voice = False

    def reset(self) -> None:
        """Begin a new turn."""
        self._spoken = self._early = False

    def close(self) -> None:
        """Let the session go; the SDK itself stays."""
        self._session = None
