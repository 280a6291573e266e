"""Facts the turn machine is told, in past tense; `at` is seconds on the call's media clock.

Time enters the machine only through these. The machine never sees audio, tokens or vendor objects.
Names and meaning: ../../../../docs/reference/turns.md (generated from the machine).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TimerName = Literal["barge_in", "end_of_turn", "no_response", "reply_start", "user_turn"]
"""barge_in: speech over a reply counts as an interruption. end_of_turn: the caller is taken to have finished.
While the voice is silent, barge_in is the moment at which a sound without words is taken to have meant nothing.
no_response: the caller has been silent. reply_start: a reply must be audible by now. user_turn: the longest
time the caller may hold the floor without a word being recognised."""


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """The agent may speak from now on."""

    at: float


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller's voice began (VAD, or the STT vendor's own speech start)."""

    at: float


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The caller's voice stopped."""

    at: float


@dataclass(frozen=True, slots=True)
class InterimTranscript:
    """Words recognised so far in the current utterance; they may still change."""

    at: float
    text: str
    asked: bool = False
    """The agent has just asked something, or is about to: the words may be the answer."""
    distant: bool = False
    """Somebody too quiet to be the caller was heard, and nobody else."""


@dataclass(frozen=True, slots=True)
class FinalTranscript:
    """A settled piece of what the caller said; pieces of one turn are joined (words.py)."""

    at: float
    text: str
    asked: bool = False
    """As in InterimTranscript."""
    distant: bool = False
    """As in InterimTranscript."""


@dataclass(frozen=True, slots=True)
class LanguageHeard:
    """The recogniser has heard which language the caller speaks; lists of words are read in it from now on."""

    at: float
    language: str


@dataclass(frozen=True, slots=True)
class InterruptionPredicted:
    """An engine says, by its sound, that the voice over the agent is meant to interrupt; `engine` is who says so."""

    at: float
    engine: str


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """The caller pressed a key of the telephone."""

    at: float
    digit: str


@dataclass(frozen=True, slots=True)
class EarlyEndOfTurn:
    """A detector says that the caller has probably finished; it will confirm that or take it back."""

    at: float
    engine: str


@dataclass(frozen=True, slots=True)
class TurnResumed:
    """The detector takes its EarlyEndOfTurn back."""

    at: float
    engine: str


@dataclass(frozen=True, slots=True)
class EndOfTurn:
    """A detector says that the caller has finished: the STT vendor, or an acoustic engine."""

    at: float
    engine: str


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer that the machine armed has expired."""

    at: float
    timer: TimerName


@dataclass(frozen=True, slots=True)
class PlaybackStarted:
    """The first audio of a reply was sent."""

    at: float
    reply: int


@dataclass(frozen=True, slots=True)
class PlaybackFinished:
    """All audio of a reply has been heard."""

    at: float
    reply: int


@dataclass(frozen=True, slots=True)
class ReplyFailed:
    """A reply cannot be completed; `reason` is an error code."""

    at: float
    reply: int
    reason: str


@dataclass(frozen=True, slots=True)
class ToolsStarted:
    """A reply waits for tools; it is not expected to become audible before they are done."""

    at: float
    reply: int


@dataclass(frozen=True, slots=True)
class ToolsFinished:
    """A reply has the results of its tools and is produced further."""

    at: float
    reply: int


@dataclass(frozen=True, slots=True)
class ReplyRequested:
    """The application wants the agent to speak: when nobody has the floor, or at once."""

    at: float
    interrupt: bool


@dataclass(frozen=True, slots=True)
class AgentFailed:
    """The agent cannot go on at all (for example the recogniser is lost for good)."""

    at: float
    reason: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The call or the agent verb is over."""

    at: float


TurnEvent = (
    CallAnswered
    | SpeechStarted
    | SpeechEnded
    | InterimTranscript
    | FinalTranscript
    | LanguageHeard
    | InterruptionPredicted
    | DigitPressed
    | EarlyEndOfTurn
    | TurnResumed
    | EndOfTurn
    | TimerFired
    | PlaybackStarted
    | PlaybackFinished
    | ReplyFailed
    | ToolsStarted
    | ToolsFinished
    | ReplyRequested
    | AgentFailed
    | CallEnded
)
