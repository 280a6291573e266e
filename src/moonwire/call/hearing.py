"""The agent's ear: the caller's audio goes to recogniser, voice detector and turn engine; their word becomes events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from moonwire.call.caller_voice import CallerVoice
from moonwire.call.timeline import Timeline
from moonwire.core.turns.agreement import AgreementSettings
from moonwire.core.turns.events import (
    AgentFailed,
    EarlyEndOfTurn,
    EndOfTurn,
    FinalTranscript,
    InterimTranscript,
    InterruptionPredicted,
    LanguageHeard,
    SpeechEnded,
    SpeechStarted,
    TurnEvent,
    TurnResumed,
)
from moonwire.core.turns.nearness import Change
from moonwire.errors import VendorError
from moonwire.ports.interruption_predictor import InterruptionPredictor, InterruptionStream
from moonwire.ports.stt import SttStream
from moonwire.ports.turn_detector import TurnDetector, TurnStream, TurnVerdict
from moonwire.ports.vad import VadStream, VoiceActivityDetector

RECOGNISER: Final = "stt"


@dataclass(frozen=True, slots=True)
class TurnEngine:
    """Who ends the caller's turns."""

    name: str
    """As shown in events: `stt`, `silence`, `smart-turn`, `krisp`."""
    vendor_ends_turn: bool
    """The recogniser's own end of utterance counts."""
    detector: TurnDetector | None = None
    """The acoustic engine, where one decides."""
    schedule: AgreementSettings = field(default_factory=AgreementSettings)


@dataclass(frozen=True, slots=True)
class InterruptionEngine:
    """Who tells by sound that a caller means to interrupt."""

    predictor: InterruptionPredictor
    threshold: float


class Hearing:
    """Implements SttListener, TurnListener and InterruptionListener of the ports for one agent."""

    def __init__(
        self,
        engine: TurnEngine,
        timeline: Timeline,
        emit: Callable[[TurnEvent], None],
        on_failure: Callable[[VendorError], None],
        just_asked: Callable[[], bool] = lambda: False,
        on_language: Callable[[str], None] = lambda language: None,
    ) -> None:
        self.engine = engine
        self.ended_by: str | None = None
        """Who said that the caller's latest turn is over; None = the silence timer."""
        self.speech_ended_at: float | None = None
        self.final_at: float | None = None
        self.confidence: float | None = None
        self._timeline = timeline
        self._emit = emit
        self._on_failure = on_failure
        self._just_asked = just_asked
        self._on_language = on_language
        self._stt: SttStream | None = None
        self._vad: VadStream | None = None
        self._turns: TurnStream | None = None
        self._interruptions: InterruptionStream | None = None
        self._voice = CallerVoice(timeline, self._voice_changed)
        self._words_voice = False
        """The recogniser hears words where the detector hears nothing: its word counts as the caller's voice."""
        self._only_words = False
        """The newest words came without a voice: only the recogniser can tell when they are over."""

    def attach(
        self, stt: SttStream, vad: VoiceActivityDetector | None, interruptions: InterruptionEngine | None = None
    ) -> None:
        """Connect recogniser, voice detector and predictor; acoustic engines need the detector."""
        self._stt = stt
        self._vad = vad.open(self._voice) if vad is not None else None
        if self._vad is not None and self.engine.detector is not None:
            self._turns = self.engine.detector.open(self, self.engine.schedule)
        if self._vad is not None and interruptions is not None:
            self._interruptions = interruptions.predictor.open(self, interruptions.threshold)

    def on_frame(self, frame: bytes) -> None:
        """Pass 20 ms of the caller on."""
        if self._stt is not None:
            self._stt.send_audio(frame)
        if self._turns is not None:
            self._turns.push(frame)
        if self._interruptions is not None:
            self._interruptions.push(frame)
        if self._vad is not None:
            self._vad.push(frame)
            self._voice.push(frame)

    def turn_over(self, *, answered: bool = False) -> None:
        """Begin to listen to a new turn: the agent begins to speak, or the caller's turn had words and is answered."""
        if answered:
            self._voice.learn()
        if self._turns is not None:
            self._turns.reset()

    async def close(self) -> None:
        """Let the streams go."""
        stt, self._stt = self._stt, None
        vad, self._vad = self._vad, None
        turns, self._turns = self._turns, None
        interruptions, self._interruptions = self._interruptions, None
        if turns is not None:
            turns.close()
        if interruptions is not None:
            interruptions.close()
        if vad is not None:
            vad.close()
        if stt is not None:
            await stt.close()

    def _voice_changed(self, change: Change, ago_s: float) -> None:
        """The caller's voice began or stopped; words still pending are asked for unless the vendor ends turns."""
        at = self._timeline.now() - ago_s
        if self._interruptions is not None:
            self._interruptions.voice_changed(on=change == "came")
        if change == "came":
            self._words_voice = self._only_words = False
            self.ended_by = None
            if self._turns is not None:
                self._turns.voice_began(ago_s)
            self._emit(SpeechStarted(at))
            return
        self.speech_ended_at = at
        if self._stt is not None and not self.engine.vendor_ends_turn:
            self._stt.finalize()
        if self._turns is not None:
            self._turns.voice_ended(ago_s)
        self._emit(SpeechEnded(at))

    def on_stt_speech_started(self) -> None:
        """Use the vendor's onset only where there is no detector of ours."""
        if self._vad is None:
            self._emit(SpeechStarted(self._timeline.now()))

    def on_stt_interim(self, text: str) -> None:
        """Translate words that may still change."""
        now = self._timeline.now()
        distant = self._voice.is_distant(now)
        unheard = self._vad is not None and not distant and not self._voice.was_heard_lately(now)
        if text and unheard and not self._words_voice:
            self._words_voice = self._only_words = True
            self._emit(SpeechStarted(now))
        self._emit(InterimTranscript(now, text, self._just_asked(), distant))

    def on_stt_final(self, text: str, confidence: float) -> None:
        """Translate a settled piece."""
        self.final_at = self._timeline.now()
        self.confidence = confidence
        self._emit(FinalTranscript(self.final_at, text, self._just_asked(), self._voice.is_distant(self.final_at)))
        if self._words_voice:
            self._words_voice = False
            self._emit(SpeechEnded(self.final_at))

    def on_stt_end_of_turn(self) -> None:
        """Translate the vendor's end of utterance, when it counts: for words without a voice nobody else can tell."""
        if self._vad is None:
            self._emit(SpeechEnded(self._timeline.now()))
        if self.engine.vendor_ends_turn or self._only_words:
            self.ended_by = self.engine.name if self.engine.vendor_ends_turn else RECOGNISER
            self._emit(EndOfTurn(self._timeline.now(), self.ended_by))

    def on_stt_early_end_of_turn(self, text: str) -> None:
        """Translate the vendor's early sign, which comes with the words that it is about."""
        now = self._timeline.now()
        self._emit(InterimTranscript(now, text, self._just_asked(), self._voice.is_distant(now)))
        self._emit(EarlyEndOfTurn(now, self.engine.name))

    def on_stt_turn_resumed(self) -> None:
        """Translate that the vendor takes its early sign back."""
        self._emit(TurnResumed(self._timeline.now(), self.engine.name))

    def on_turn_verdict(self, verdict: TurnVerdict, probability: float, engine: str) -> None:
        """Translate what the acoustic engine says."""
        del probability
        now = self._timeline.now()
        match verdict:
            case "ended":
                self.ended_by = engine
                self._emit(EndOfTurn(now, engine))
            case "probably":
                self._emit(EarlyEndOfTurn(now, engine))
            case "resumed":
                self._emit(TurnResumed(now, engine))

    def on_interruption(self, probability: float, engine: str) -> None:
        """Translate what the predictor says."""
        del probability
        self._emit(InterruptionPredicted(self._timeline.now(), engine))

    def on_stt_language(self, language: str) -> None:
        """Pass on which language is spoken."""
        self._emit(LanguageHeard(self._timeline.now(), language))
        self._on_language(language)

    def on_stt_failed(self, error: VendorError) -> None:
        """A recogniser that is lost ends the agent; it must not end in silence."""
        self._on_failure(error)
        self._emit(AgentFailed(self._timeline.now(), error.code))
