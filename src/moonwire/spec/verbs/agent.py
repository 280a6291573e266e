"""The `agent` verb: speech-to-text, language model, text-to-speech, turn detection and barge-in in one.

Everything is optional; what is missing comes from the application's defaults. Unions of the wire (string or object) are
read into one shape here, so that the engine sees only that one.

Source: @jambonz/schema 0.4.15, verbs/agent; jambonz-python-sdk 0.4.0, whose schema is newer (`noResponseMaxPrompts`,
`speak`; its `speechCleanup` is always on here); jambonz changelog up to 11.1.11 for `greeting` as text and
`vendorParams`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from moonwire.spec.components import NoiseIsolation, Recognizer, Synthesizer, VerbModel, WireModel
from moonwire.spec.hooks import HookField
from moonwire.spec.leniency import Location
from moonwire.spec.transfers import Handoff
from moonwire.spec.verbs.agent_llm import AgentLlm, SeedMessage


def _as_mode(value: object) -> object:
    return {"mode": value} if isinstance(value, str) else value


def _as_switch(value: object) -> object:
    return {"enable": value} if isinstance(value, bool) else value


def _as_presence(value: object) -> object:
    if value is False:
        return None
    return {} if value is True else value


def _off_as_none(value: object) -> object:
    return None if value is False else value


class TurnDetection(WireModel):
    """How the end of the caller's turn is found; `stt` and `krisp` may also stand alone as a string."""

    mode: Literal["stt", "krisp"] = "stt"
    threshold: float | None = Field(default=None, ge=0, le=1)
    """Confidence of the acoustic model; lower ends turns earlier. None = the engine's own (0.5)."""
    model: str | None = None
    agree_at: list[Annotated[float, Field(gt=0, le=5)]] = Field(default_factory=list[float], max_length=8)
    """Ours: seconds of silence at which the acoustic model is asked; it must agree at all of them. Empty = default."""
    otherwise: float | None = Field(default=None, gt=0, le=10)
    """Ours: seconds of silence that end the turn when the model does not agree."""


class BargeIn(WireModel):
    """Whether and how the caller may interrupt."""

    enable: bool = True
    strategy: Literal["vad", "interruptPrediction"] = "vad"
    vendor: str | None = None
    threshold: float | None = Field(default=None, ge=0, le=1)
    min_speech_duration: float = Field(default=0.5, ge=0, allow_inf_nan=False)
    """Seconds of speech that confirm an interruption; the first word that is no back-channel does so sooner."""
    min_words: int = Field(default=1, ge=0, le=20)
    """Ours: words that make an interruption, back-channels aside; 0 = `minSpeechDuration` alone decides."""
    sticky: bool = False
    """Once interrupted, a reply is never resumed."""


class McpServer(WireModel):
    """An external tool server."""

    url: str
    auth: dict[str, Any] | None = Field(default=None, repr=False)
    roots: list[dict[str, Any]] = Field(default_factory=list[dict[str, Any]])


class ToolFiller(WireModel):
    """What the caller hears while tools run."""

    type: Literal["audio", "backchannel"]
    start_delay_secs: float = Field(default=2, ge=0)
    url: str | None = None
    style: str | None = None
    escalation_secs: float = Field(default=10, ge=0)


class ThinkingFiller(WireModel):
    """Ours: what the caller hears while a model thinks that cannot answer without thinking."""

    start_delay_secs: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    """Silence after which a short phrase is spoken."""
    escalation_secs: float = Field(default=6, ge=0, allow_inf_nan=False)
    """Waiting time after which a longer phrase explains."""
    text: str | None = None
    """Spoken instead of the short phrase in the agent's language."""


class HangupTool(WireModel):
    """The built-in hangup tool."""

    reason: str | None = None


class Agent(VerbModel):
    """A complete voice agent."""

    verb: Literal["agent"] = "agent"
    stt: Recognizer | None = None
    tts: Synthesizer | None = None
    llm: AgentLlm = Field(default_factory=AgentLlm)
    turn_detection: Annotated[TurnDetection, BeforeValidator(_as_mode)] = Field(default_factory=TurnDetection)
    barge_in: Annotated[BargeIn, BeforeValidator(_as_switch)] = Field(default_factory=BargeIn)
    greeting: bool | str = True
    """False = the caller speaks first; True = the model greets; a text = spoken as it stands."""
    greeting_turn_end: bool | None = None
    """Ours: whether the greeting has a `turn_end`, as in jambonz since 11.1.11; None = as the operator says."""
    no_response_timeout: float = Field(default=0, ge=0, allow_inf_nan=False)
    """Seconds of silence after the agent spoke before it asks again; 0 = never."""
    no_response_max_prompts: int = Field(default=0, ge=0)
    """End the agent after so many unanswered prompts in a row; 0 = never."""
    speak: bool = True
    """False = the agent's text is never spoken; history and events have it all the same."""
    early_generation: bool = False
    noise_isolation: Annotated[NoiseIsolation | None, BeforeValidator(_off_as_none)] = None
    """Suppression of noise while this agent runs; absent = as the session has it."""
    auto_lock_language: bool | Literal["always"] = False
    language_config: dict[str, dict[str, Any]] = Field(default_factory=dict[str, dict[str, Any]])
    mcp_servers: list[McpServer] = Field(default_factory=list[McpServer])
    handoff: Handoff | None = None
    hangup: Annotated[HangupTool | None, BeforeValidator(_as_presence)] = None
    tool_filler: Annotated[ToolFiller | None, BeforeValidator(_off_as_none)] = None
    thinking_filler: Annotated[ThinkingFiller | None, BeforeValidator(_as_presence), BeforeValidator(_off_as_none)] = (
        Field(default_factory=ThinkingFiller)
    )
    """Ours: false = the caller waits in silence."""
    action_hook: HookField | None = None
    """Hears that the agent has ended, with `completion_reason`; its answer are the next verbs."""
    event_hook: HookField | None = None
    """Hears user_transcript, llm_response, user_interruption and turn_end."""
    tool_hook: HookField | None = None

    @property
    def system_prompt(self) -> str:
        """`llmOptions.systemPrompt`, then every system entry of the seed messages; empty when there is none."""
        return self.llm.llm_options.instructions

    @property
    def seed_messages(self) -> tuple[SeedMessage, ...]:
        """The conversation so far, as the application gave it, system entries taken out."""
        return self.llm.llm_options.seed_messages


def may_drop(place: Location) -> bool:
    """Say whether an agent can run without the member at this place.

    It cannot when that member chooses whom it talks to or on whose account: all of `stt` and `tts`, and vendor, model,
    label and credential of `llm`, and the instructions.
    """
    match place:
        case ("stt" | "tts", *_):
            return len(place) > 1 and place[1] not in ("vendor", "label", "language", "model", "voice")
        case ("llm",) | ("llm", "vendor" | "model" | "label" | "auth", *_):
            return False
        case ("llm", "llmOptions" | "connectOptions") | ("llm", "llmOptions", "systemPrompt"):
            return False
        case _:
            return True
