"""The agent's ear: sends the caller's audio to recogniser and voice detector, turns what they say into turn events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from moonwire.call.timeline import Timeline
from moonwire.core.turns.events import (
    AgentFailed,
    EndOfTurn,
    FinalTranscript,
    InterimTranscript,
    SpeechEnded,
    SpeechStarted,
    TurnEvent,
)
from moonwire.errors import VendorError
from moonwire.ports.stt import SttStream
from moonwire.ports.vad import VadStream


@dataclass(frozen=True, slots=True)
class TurnEngine:
    """Who ends the caller's turns."""

    name: str
    """As shown in events: `stt`, `silence` ..."""
    vendor_ends_turn: bool
    """The recogniser's own end of utterance counts."""


class Hearing:
    """Implements ports.stt.SttListener and ports.vad.VadListener for one agent."""

    def __init__(
        self,
        engine: TurnEngine,
        timeline: Timeline,
        emit: Callable[[TurnEvent], None],
        on_failure: Callable[[VendorError], None],
    ) -> None:
        self.engine = engine
        self.speech_ended_at: float | None = None
        self.final_at: float | None = None
        self.confidence: float | None = None
        self._timeline = timeline
        self._emit = emit
        self._on_failure = on_failure
        self._stt: SttStream | None = None
        self._vad: VadStream | None = None
        self.muted = False

    def attach(self, stt: SttStream, vad: VadStream | None) -> None:
        """Connect the vendors' streams."""
        self._stt = stt
        self._vad = vad

    def on_frame(self, frame: bytes) -> None:
        """Pass 20 ms of the caller on."""
        if self._stt is not None:
            self._stt.send_audio(frame)
        if self._vad is not None:
            self._vad.push(frame)

    async def close(self) -> None:
        """Let the streams go."""
        stt, self._stt = self._stt, None
        vad, self._vad = self._vad, None
        if vad is not None:
            vad.close()
        if stt is not None:
            await stt.close()

    def on_voice_started(self, ago_s: float) -> None:
        """Translate the detector's onset."""
        self._emit(SpeechStarted(self._timeline.now() - ago_s))

    def on_voice_ended(self, ago_s: float) -> None:
        """Translate the detector's end; words still pending are asked for when the vendor does not end turns."""
        at = self._timeline.now() - ago_s
        self.speech_ended_at = at
        if self._stt is not None and not self.engine.vendor_ends_turn:
            self._stt.finalize()
        self._emit(SpeechEnded(at))

    def on_stt_speech_started(self) -> None:
        """Use the vendor's onset only where there is no detector of ours."""
        if self._vad is None:
            self._emit(SpeechStarted(self._timeline.now()))

    def on_stt_interim(self, text: str) -> None:
        """Translate words that may still change."""
        self._emit(InterimTranscript(self._timeline.now(), text))

    def on_stt_final(self, text: str, confidence: float) -> None:
        """Translate a settled piece."""
        self.final_at = self._timeline.now()
        self.confidence = confidence
        self._emit(FinalTranscript(self.final_at, text))

    def on_stt_end_of_turn(self) -> None:
        """Translate the vendor's end of utterance, when it counts."""
        if self._vad is None:
            self._emit(SpeechEnded(self._timeline.now()))
        if self.engine.vendor_ends_turn:
            self._emit(EndOfTurn(self._timeline.now(), self.engine.name))

    def on_stt_early_end_of_turn(self, text: str) -> None:
        """Nothing is prepared before the turn has ended."""

    def on_stt_turn_resumed(self) -> None:
        """Nothing was prepared."""

    def on_stt_failed(self, error: VendorError) -> None:
        """A recogniser that is lost ends the agent; it must not end in silence."""
        self._on_failure(error)
        self._emit(AgentFailed(self._timeline.now(), error.code))
