"""Payloads that applications receive, as JSON-ready dicts with the names of the wire.

The engine fills the small frozen dataclasses of this file; transports add envelopes and signatures. Members that do not
apply are left out. Source: @jambonz/schema 0.4.15, callbacks/; jambonz feature-server 0.9.8; read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from moonwire.spec.components import Recognizer, Synthesizer

CallStatus = Literal[
    "trying", "ringing", "early-media", "in-progress", "completed", "failed", "busy", "no-answer", "queued"
]
CompletionReason = Literal[
    "normal conversation end",
    "connection failure",
    "disconnect from remote end",
    "server failure",
    "server error",
    "client error calling function",
    "client error calling mcp function",
    "no_response",
]
"""Why an agent ended; jambonz's words for its llm verb, and for a caller who answers no prompt."""

FINAL_STATUSES = frozenset({"completed", "failed", "busy", "no-answer"})


@dataclass(frozen=True, slots=True)
class CallSnapshot:
    """One call at one moment."""

    call_sid: str
    account_sid: str
    direction: Literal["inbound", "outbound"]
    from_: str
    to: str
    call_id: str
    call_status: CallStatus
    sip_status: int
    sip_reason: str
    application_sid: str | None = None
    sbc_callid: str | None = None
    """Call-ID at the edge; the call_id when None."""
    caller_id: str | None = None
    """The calling number when None."""
    caller_name: str = ""
    trace_id: str = ""
    sip_address: str = ""
    """Our own `host:port` for SIP."""
    public_ip: str = ""
    api_base_url: str = ""
    """`https://host/v1`."""
    parent_call_sid: str | None = None
    originating_sip_ip: str | None = None
    originating_sip_trunk_name: str | None = None
    call_termination_by: Literal["caller", "jambonz"] | None = None
    duration_s: int | None = None
    """Whole seconds since answer, on final statuses."""
    customer_data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What `tag` collected; delivered untouched."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """The `X-` headers of the INVITE."""
    sip_reason_header: str | None = None


def base_payload(call: CallSnapshot, *, verb_id: str | None = None) -> dict[str, Any]:
    """Build what every hook receives.

    Source: @jambonz/schema 0.4.15, callbacks/base.
    """
    payload: dict[str, Any] = {
        "call_sid": call.call_sid,
        "direction": call.direction,
        "from": call.from_,
        "to": call.to,
        "call_id": call.call_id,
        "sbc_callid": call.sbc_callid or call.call_id,
        "sip_status": call.sip_status,
        "sip_reason": call.sip_reason,
        "call_status": call.call_status,
        "caller_id": call.caller_id or call.from_,
        "account_sid": call.account_sid,
        "application_sid": call.application_sid,
        "trace_id": call.trace_id or None,
        "fs_sip_address": call.sip_address or None,
        "fs_public_ip": call.public_ip or None,
        "api_base_url": call.api_base_url or None,
        "parent_call_sid": call.parent_call_sid,
        "originating_sip_ip": call.originating_sip_ip,
        "originating_sip_trunk_name": call.originating_sip_trunk_name,
        "sip_reason_header": call.sip_reason_header,
        "call_termination_by": call.call_termination_by if call.call_status in FINAL_STATUSES else None,
        "duration": call.duration_s if call.call_status in FINAL_STATUSES else None,
        "customerData": dict(call.customer_data) or None,
        "headers": dict(call.headers) or None,
        "verb_id": verb_id,
    }
    return {name: value for name, value in payload.items() if value is not None}


@dataclass(frozen=True, slots=True)
class SessionDetails:
    """What the first message of a call tells beyond the base payload."""

    service_provider_sid: str | None = None
    has_recording: bool = False
    synthesizer: Synthesizer | None = None
    """The application's default voice."""
    recognizer: Recognizer | None = None
    env_vars: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The operator's values for the application; delivered untouched."""
    sip: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The INVITE; empty where there was none."""


def session_new(call: CallSnapshot, details: SessionDetails) -> dict[str, Any]:
    """Build the data of `session:new`, which is also the initial webhook's body.

    Both spellings of our own addresses are there: jambonz dumps another object here than in later hooks.
    Source: @jambonz/schema 0.4.15, callbacks/session-new.
    """
    payload = base_payload(call)
    payload["caller_name"] = call.caller_name
    payload["has_recording"] = details.has_recording
    payload["defaults"] = {
        "synthesizer": _speech_defaults(details.synthesizer),
        "recognizer": _speech_defaults(details.recognizer),
    }
    payload["env_vars"] = dict(details.env_vars)
    optional = {
        "service_provider_sid": details.service_provider_sid,
        "local_sip_address": call.sip_address or None,
        "public_ip": call.public_ip or None,
        "sip": dict(details.sip) or None,
    }
    return payload | {name: value for name, value in optional.items() if value is not None}


_DEFAULTS = (
    "vendor",
    "label",
    "language",
    "voice",
    "fallback_vendor",
    "fallback_label",
    "fallback_language",
    "fallback_voice",
)


def _speech_defaults(choice: Synthesizer | Recognizer | None) -> dict[str, Any]:
    if choice is None:
        return {}
    members = choice.model_dump(by_alias=False)
    return {name: members[name] for name in _DEFAULTS if members.get(name) is not None}


def call_status(call: CallSnapshot) -> dict[str, Any]:
    """Build a `call:status`; `duration` and `call_termination_by` appear on final statuses.

    Source: @jambonz/schema 0.4.15, callbacks/call-status.
    """
    return base_payload(call)


def user_transcript(transcript: str) -> dict[str, Any]:
    """Build the event just before the model is prompted. Source: callbacks/agent-turn."""
    return {"type": "user_transcript", "transcript": transcript}


def llm_response(response: str) -> dict[str, Any]:
    """Build the event of a complete answer. Source: callbacks/agent-turn."""
    return {"type": "llm_response", "response": response}


def user_interruption() -> dict[str, Any]:
    """Build the event of a confirmed barge-in. Source: callbacks/agent-turn."""
    return {"type": "user_interruption"}


@dataclass(frozen=True, slots=True)
class ToolReport:
    """One tool call of a turn; milliseconds."""

    tool_call_id: str
    name: str
    arguments: Mapping[str, Any]
    result_ms: float | None = None


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Tokens of a turn or of a call; the cached ones are not among the input tokens."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    total_tokens: int = 0
    """Everything together, as the vendor or TokenUsage.total counts it."""

    def document(self) -> dict[str, int]:
        """Return it as applications and REST see it."""
        return {
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "total_tokens": self.total_tokens,
            "cache_read_tokens": self.cache_read_tokens,
            "cache_write_tokens": self.cache_write_tokens,
        }


@dataclass(frozen=True, slots=True)
class TurnReport:
    """One complete turn; all durations in milliseconds, None = does not apply."""

    transcript: str
    response: str
    interrupted: bool
    transcriber_ms: float | None = None
    """End of speech to final transcript."""
    turn_detection_ms: float | None = None
    """Additional wait for the end of turn."""
    model_ms: float | None = None
    """Ready to prompt to first token."""
    voice_ms: float | None = None
    """First text to the voice to its first audio."""
    tool_ms: float | None = None
    preflight: Literal["hit", "miss", "pending"] | None = None
    preflight_tokens: int | None = None
    """Only on a hit."""
    confidence: float | None = None
    tool_calls: Sequence[ToolReport] = ()
    usage: UsageReport | None = None
    model: str | None = None
    """`vendor:model` that really answered."""
    turn_detection: str | None = None
    """The engine that ended the turn."""
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """More members of ours; cannot replace one of the names above."""


def turn_end(turn: TurnReport) -> dict[str, Any]:
    """Build the event that closes a turn.

    `latency` has the schema's names and, beside them, the `*_ms` names that jambonz 10.1 sends.
    Source: @jambonz/schema 0.4.15, callbacks/agent-turn.
    """
    payload: dict[str, Any] = {
        "type": "turn_end",
        "transcript": turn.transcript,
        "response": turn.response,
        "interrupted": turn.interrupted,
        "latency": _latency(turn),
    }
    if turn.confidence is not None:
        payload["confidence"] = round(turn.confidence, 4)
    if turn.tool_calls:
        payload["tool_calls"] = [_tool_call(call) for call in turn.tool_calls]
    if turn.usage is not None:
        payload["usage"] = turn.usage.document()
    if turn.model is not None:
        payload["model"] = turn.model
    if turn.turn_detection is not None:
        payload["turn_detection"] = turn.turn_detection
    return payload | {name: value for name, value in turn.extra.items() if name not in payload}


def _latency(turn: TurnReport) -> dict[str, Any]:
    measured = (
        (turn.transcriber_ms, ("transcriber_latency", "stt_ms")),
        (turn.turn_detection_ms, ("turn_detection_latency", "eot_ms")),
        (turn.model_ms, ("model_latency", "llm_ms")),
        (turn.voice_ms, ("voice_latency", "tts_ms")),
        (turn.tool_ms, ("tool_ms",)),
    )
    latency: dict[str, Any] = {name: _whole(value) for value, names in measured if value is not None for name in names}
    if turn.preflight is not None:
        preflight: dict[str, Any] = {"result": turn.preflight}
        if turn.preflight == "hit" and turn.preflight_tokens is not None:
            preflight["tokens"] = turn.preflight_tokens
        latency["preflight"] = preflight
    return latency


def _whole(value_ms: float) -> int:
    return max(0, round(value_ms))


def _tool_call(call: ToolReport) -> dict[str, Any]:
    report: dict[str, Any] = {"tool_call_id": call.tool_call_id, "name": call.name, "arguments": dict(call.arguments)}
    return report if call.result_ms is None else {**report, "result_ms": _whole(call.result_ms)}


def tool_call(tool_call_id: str, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Build what a toolHook receives; `arguments` stay as the model wrote them."""
    return {"tool_call_id": tool_call_id, "name": name, "arguments": dict(arguments)}


def agent_complete(
    call: CallSnapshot,
    reason: CompletionReason,
    *,
    error: str | None = None,
    usage: UsageReport | None = None,
    verb_id: str | None = None,
) -> dict[str, Any]:
    """Build the payload of the agent's actionHook.

    `error` says more about a failure, without secrets; `usage` is what the call's models have counted so far.
    """
    payload = base_payload(call, verb_id=verb_id)
    payload["completion_reason"] = reason
    if error:
        payload["error"] = error
    if usage is not None:
        payload["usage"] = usage.document()
    return payload


def play_complete(call: CallSnapshot, *, played_s: float, failed: bool, verb_id: str | None = None) -> dict[str, Any]:
    """Build the payload of the play verb's actionHook.

    Source: @jambonz/schema 0.4.15, callbacks/play.
    """
    payload = base_payload(call, verb_id=verb_id)
    payload |= {
        "reason": "playFailed" if failed else "playCompleted",
        "playback_seconds": int(played_s),
        "playback_milliseconds": round(played_s * 1000),
        "playback_last_offset_pos": str(round(played_s * 8000)),
    }
    if failed:
        payload["status"] = "fail"
    return payload


def verb_lifecycle(event: Literal["starting", "finished"], verb: str, verb_id: str | None = None) -> dict[str, Any]:
    """Build a `verb:status` about a verb's start or end. Source: callbacks/verb-status."""
    payload: dict[str, Any] = {"event": event, "name": verb}
    return payload if verb_id is None else {**payload, "id": verb_id}


def verb_event(
    event: Literal[
        "start-playback",
        "stop-playback",
        "kill-playback",
        "dtmf-bargein-detected",
        "speech-bargein-detected",
        "synthesized-audio",
    ],
    verb: str,
    verb_id: str | None = None,
    **details: str | float | bool,
) -> dict[str, Any]:
    """Build a `verb:status` about something within a verb. Source: callbacks/verb-status."""
    payload: dict[str, Any] = {**details, "event": event, "verb": verb}
    return payload if verb_id is None else {**payload, "id": verb_id}


def application_error(
    msg: str,
    *,
    details: str | None = None,
    verb: str | None = None,
    verb_id: str | None = None,
    content: str | None = None,
) -> dict[str, Any]:
    """Build a `jambonz:error`; the texts hold no secret."""
    optional = {"details": details, "verb": verb, "id": verb_id, "content": content}
    return {"msg": msg} | {name: value for name, value in optional.items() if value is not None}
