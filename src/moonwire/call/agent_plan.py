"""Everything an agent needs to know before it starts: read from the verb, the session's defaults and the record."""

from __future__ import annotations

from dataclasses import dataclass

from moonwire.call.context import Call
from moonwire.call.hearing import InterruptionEngine, TurnEngine
from moonwire.call.speech_choices import chosen_synthesizer, merged
from moonwire.core.turns.agreement import AgreementSettings
from moonwire.core.turns.settings import TurnSettings
from moonwire.errors import CredentialError, ModelUnavailableError
from moonwire.ports.directory import LlmChoice
from moonwire.ports.vendors import LlmSelection
from moonwire.spec.components import NATIVE_TURN_TAKERS, Recognizer, Synthesizer
from moonwire.spec.verbs import Agent

SILENCE_TIMER = TurnEngine("silence", vendor_ends_turn=False)
VENDOR_TURNS = TurnEngine("stt", vendor_ends_turn=True)
VENDOR_PATIENCE_S = 1.6
"""Silence after which a turn ends although the recogniser has not said so."""


@dataclass(frozen=True, slots=True)
class AgentPlan:
    """One agent's choices, complete."""

    verb: Agent
    recognizer: Recognizer
    synthesizer: Synthesizer
    llm: LlmSelection
    engine: TurnEngine
    turns: TurnSettings
    greeting_turn_end: bool
    interruptions: InterruptionEngine | None = None
    """Who judges by sound what interrupts; None = words and duration do."""

    @property
    def interruptions_judged_by(self) -> str:
        """The engine's name, as shown in events."""
        if self.interruptions is not None:
            return self.interruptions.predictor.name
        return "words" if self.turns.min_words else "duration"

    @property
    def language(self) -> str | None:
        """The language the agent speaks, for recorded sentences."""
        return self.synthesizer.language or self.recognizer.language

    @property
    def substituted_engine(self) -> bool:
        """Whether another engine than the one asked for ends turns."""
        return self.verb.turn_detection.mode == "krisp" and self.engine.name != "krisp"


def plan_agent(call: Call, verb: Agent) -> AgentPlan:
    """Complete the verb from the session's defaults.

    Raises:
        CredentialError: no recogniser or synthesiser is named anywhere.
        ModelUnavailableError: no language model is named anywhere.
    """
    recognizer = _recognizer(call, verb.stt)
    native = recognizer.vendor in NATIVE_TURN_TAKERS
    engine = VENDOR_TURNS if native else _engine(call, verb)
    interruptions = _interruptions(call, verb)
    return AgentPlan(
        verb=verb,
        recognizer=recognizer,
        synthesizer=chosen_synthesizer(call, verb.tts),
        llm=_model(call, verb),
        engine=engine,
        turns=TurnSettings(
            greeting=verb.greeting is not False,
            barge_in=verb.barge_in.enable,
            min_speech_s=verb.barge_in.min_speech_duration,
            min_words=verb.barge_in.min_words,
            predicted=interruptions is not None,
            sticky=verb.barge_in.sticky,
            language=recognizer.language or "",
            end_of_turn_s=_silence_s(engine),
            whole_wait_s=0.0 if engine.vendor_ends_turn else TurnSettings().whole_wait_s,
            early=verb.speak and (native or (verb.early_generation and engine.detector is not None)),
            unfinished_wait_s=0.0 if native else TurnSettings().unfinished_wait_s,
            no_response_s=verb.no_response_timeout,
        ),
        interruptions=interruptions,
        greeting_turn_end=call.services.greeting_turn_end if verb.greeting_turn_end is None else verb.greeting_turn_end,
    )


def _engine(call: Call, verb: Agent) -> TurnEngine:
    """Choose who ends turns: the recogniser, or the acoustic engine that this process has; without one a timer."""
    if verb.turn_detection.mode == "stt":
        return VENDOR_TURNS
    detector = call.services.turn_detector
    if detector is None or call.services.vad is None:
        return SILENCE_TIMER
    own = verb.turn_detection
    default = AgreementSettings()
    schedule = AgreementSettings(
        threshold=default.threshold if own.threshold is None else own.threshold,
        marks_s=tuple(own.agree_at) or default.marks_s,
        otherwise_s=own.otherwise or default.otherwise_s,
    )
    return TurnEngine(detector.name, vendor_ends_turn=False, detector=detector, schedule=schedule)


def _interruptions(call: Call, verb: Agent) -> InterruptionEngine | None:
    """Choose who judges interruptions: the predictor that was asked for and is here, else words and duration."""
    predictor = call.services.interruption_predictor
    if verb.barge_in.strategy == "vad" or predictor is None or call.services.vad is None:
        return None
    return InterruptionEngine(predictor, 0.5 if verb.barge_in.threshold is None else verb.barge_in.threshold)


def _silence_s(engine: TurnEngine) -> float:
    if engine.vendor_ends_turn:
        return VENDOR_PATIENCE_S
    return engine.schedule.otherwise_s if engine.detector is not None else TurnSettings().end_of_turn_s


def _recognizer(call: Call, own: Recognizer | None) -> Recognizer:
    if own is not None:
        return merged(own, call.defaults.recognizer)
    if call.defaults.recognizer is None:
        raise CredentialError(
            "no speech-to-text vendor chosen",
            vendor="stt",
            remedy="Name one in agent.stt, or set the application's default recognizer.",
        )
    return call.defaults.recognizer


def _model(call: Call, verb: Agent) -> LlmSelection:
    default = call.application.llm
    llm = verb.llm
    vendor = llm.vendor or (default.vendor if default else None)
    model = llm.model or (default.model if default and default.vendor == vendor else None)
    if vendor is None or model is None:
        raise ModelUnavailableError(
            "no language model chosen",
            vendor=vendor or "llm",
            remedy="Name vendor and model in agent.llm, or set the application's default model.",
        )
    label = llm.label or (default.label if default and default.vendor == vendor else None)
    options = llm.connect_options.model_dump(by_alias=False, exclude_none=True)
    return LlmSelection(LlmChoice(vendor, model, label), llm.auth_fields, options, tuple(call.application.fallback_llm))
