"""Commands that an application sends without being asked: redirect, config, agent updates, tool outputs, hang-up...

Shapes differ between jambonz's SDKs and documents; every spelling in use is read into one command here.
Source: @jambonz/sdk 0.10.1 (Node), jambonz-python-sdk 0.4.0, jambonz feature-server 0.9.8, read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar, cast

from pydantic import BeforeValidator, Field

from moonwire.errors import SpecError
from moonwire.spec import leniency
from moonwire.spec.components import NoiseIsolation, WireModel, as_list
from moonwire.spec.hooks import Hook, parse_hook
from moonwire.spec.verbs import Config, Pause, Play, Say, Transfer, Verb, parse_config, parse_verbs, transfer
from moonwire.spec.verbs.agent_llm import LlmMessage, ToolField

_MessageModel = TypeVar("_MessageModel", bound=WireModel)


@dataclass(frozen=True, slots=True)
class RedirectCommand:
    """Continue with other verbs, at once or after those that wait; either `verbs` or `hook` is given."""

    verbs: tuple[Verb, ...] = ()
    hook: Hook | None = None
    """Ask this hook for the verbs."""
    queue: bool = False
    """Append to the stack instead of stopping the running verb and replacing it."""


@dataclass(frozen=True, slots=True)
class ConfigCommand:
    """Apply session settings at once."""

    config: Config


class UpdateInstructions(WireModel):
    """Replace the system prompt from the next request on."""

    type: Literal["update_instructions"] = "update_instructions"
    instructions: str


class InjectContext(WireModel):
    """Append messages to the history; no reply follows."""

    type: Literal["inject_context"] = "inject_context"
    messages: Annotated[list[LlmMessage], BeforeValidator(as_list)]


class UpdateTools(WireModel):
    """Replace the application's tools from the next turn on."""

    type: Literal["update_tools"] = "update_tools"
    tools: list[ToolField]


class GenerateReply(WireModel):
    """Speak now, or when the current turn is complete."""

    type: Literal["generate_reply"] = "generate_reply"
    user_input: str | None = Field(default=None, alias="user_input")
    """Enters the history as the caller's words."""
    instructions: str | None = None
    """For this one request."""
    interrupt: bool = False


AgentUpdate = UpdateInstructions | InjectContext | UpdateTools | GenerateReply


@dataclass(frozen=True, slots=True)
class AgentUpdateCommand:
    """Change the running agent."""

    update: AgentUpdate


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """The result of a tool call, as the model shall see it."""

    tool_call_id: str
    result: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class CallStatusCommand:
    """End the call: `completed`, or `no-answer` while it rings."""

    status: Literal["completed", "no-answer"]


@dataclass(frozen=True, slots=True)
class TagCommand:
    """Merge into the call's customerData."""

    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MuteCommand:
    """Silence the caller's audio, or let it through again."""

    muted: bool


@dataclass(frozen=True, slots=True)
class DtmfCommand:
    """Send digits to the caller."""

    digits: str
    duration_ms: int = 500


@dataclass(frozen=True, slots=True)
class ExpectLanguagesCommand:
    """Tell the recogniser which languages to expect from now on (jambonz `stt:reconfigure`)."""

    languages: Sequence[str]


@dataclass(frozen=True, slots=True)
class NoiseIsolationCommand:
    """Begin, change or end the suppression of noise (jambonz `noiseIsolation:status`)."""

    isolation: NoiseIsolation


@dataclass(frozen=True, slots=True)
class WhisperCommand:
    """Say or play something to one side of a connection; `say`, `play` and `pause` only."""

    verbs: tuple[Verb, ...]


@dataclass(frozen=True, slots=True)
class TransferCommand:
    """Hand the caller over to a person."""

    transfer: Transfer


@dataclass(frozen=True, slots=True)
class OtherLegCommand:
    """A command for another leg of the same call, one that was dialled."""

    call_sid: str
    command: MuteCommand | DtmfCommand | CallStatusCommand | WhisperCommand


@dataclass(frozen=True, slots=True)
class UnknownCommand:
    """A command outside the vocabulary; logged and ignored."""

    name: str
    data: Any = field(repr=False)


Command = (
    RedirectCommand
    | ConfigCommand
    | AgentUpdateCommand
    | ToolOutput
    | CallStatusCommand
    | TagCommand
    | MuteCommand
    | DtmfCommand
    | ExpectLanguagesCommand
    | NoiseIsolationCommand
    | WhisperCommand
    | TransferCommand
    | OtherLegCommand
    | UnknownCommand
)

_UPDATES: Mapping[str, type[UpdateInstructions | InjectContext | UpdateTools | GenerateReply]] = {
    "update_instructions": UpdateInstructions,
    "inject_context": InjectContext,
    "update_tools": UpdateTools,
    "generate_reply": GenerateReply,
}


def parse_command(message: Mapping[str, Any]) -> tuple[Command, tuple[str, ...]]:
    """Read a `{"type": "command", ...}` message, or the Python SDK's `{"type": "agent:update", ...}`.

    Returns:
        The command, and one sentence with a path per member that was wrong and left out.

    Raises:
        SpecError: the command is known but its data cannot be used.
    """
    name = message.get("command", message.get("type") if message.get("type") != "command" else None)
    if not isinstance(name, str) or not name:
        raise SpecError("a command must have a name", path="command")
    data = message.get("data")
    match name:
        case "redirect":
            return _redirect(data, message.get("queueCommand") is True)
        case "config":
            config, problems = parse_config(data)
            return ConfigCommand(config), tuple(problems)
        case "agent:update":
            update, problems = parse_agent_update(data)
            return AgentUpdateCommand(update), tuple(problems)
        case "noiseIsolation:status":
            isolation, problems = _noise_isolation(data)
            return NoiseIsolationCommand(isolation), tuple(problems)
        case "llm:tool-output":
            return _tool_output(message, data), ()
        case "whisper":
            return _whisper(data)
        case "transfer":
            return _transfer(data)
        case _:
            return _simple(name, data), ()


def parse_agent_update(data: object) -> tuple[AgentUpdate, list[str]]:
    """Read an agent update; `type` decides.

    Raises:
        SpecError: unknown type, or a member that is needed is missing or wrong.
    """
    members = _object(data, "data")
    kind = members.get("type")
    model = _UPDATES.get(kind) if isinstance(kind, str) else None
    if model is None:
        raise SpecError(f"must be one of {', '.join(_UPDATES)}", path="data.type")
    # one wrong tool or message is left out, the update as a whole needs its members
    return leniency.validate(model, members, "data", lambda place: len(place) > 1)


def _redirect(data: object, queue: bool) -> tuple[Command, tuple[str, ...]]:
    if isinstance(data, dict) and "verb" not in data:
        members = cast("dict[str, Any]", data)
        hook = members.get("call_hook")
        if hook is None:
            return UnknownCommand("redirect", members), ()
        return RedirectCommand(hook=parse_hook(hook, path="data.call_hook"), queue=queue), ()
    parsed = parse_verbs(as_list(cast("object", data)))
    return RedirectCommand(verbs=parsed.verbs, queue=queue), parsed.warnings


def _whisper(data: object) -> tuple[Command, tuple[str, ...]]:
    members = cast("dict[str, object]", data) if isinstance(data, dict) else {}
    parsed = parse_verbs(as_list(members.get("whisper", cast("object", data))))
    if not parsed.verbs or not all(isinstance(verb, Say | Play | Pause) for verb in parsed.verbs):
        raise SpecError("must hold say, play and pause only", path="data.whisper")
    once = {"loop": 1}  # a whisper that does not end would never give the other side its voice back
    verbs = tuple(verb.model_copy(update=once) if isinstance(verb, Say | Play) else verb for verb in parsed.verbs)
    return WhisperCommand(verbs), parsed.warnings


def _transfer(data: object) -> tuple[Command, tuple[str, ...]]:
    members = _object(data, "data")
    inner = members.get("transfer")
    body = cast("dict[str, Any]", inner) if _is_object(inner) else members
    members = {name: value for name, value in body.items() if name != "verb"}
    verb, problems = leniency.validate(Transfer, members, "transfer", transfer.may_drop)
    return TransferCommand(verb), tuple(problems)


def _tool_output(message: Mapping[str, Any], data: object) -> Command:
    identifier = message.get("tool_call_id")
    if identifier is None and isinstance(data, dict):
        identifier = cast("dict[str, Any]", data).get("tool_call_id")
    if not isinstance(identifier, str) or not identifier:
        raise SpecError("must be a non-empty string", path="tool_call_id")
    if isinstance(data, dict) and "result" in data:
        return ToolOutput(identifier, cast("dict[str, Any]", data)["result"])
    return ToolOutput(identifier, data)


def _simple(name: str, data: object) -> Command:
    match name:
        case "call:status":
            return _call_status(data)
        case "tag":
            members = _object(data, "data")
            inner = members.get("data")
            return TagCommand(
                cast("dict[str, Any]", inner) if set(members) == {"data"} and _is_object(inner) else members
            )
        case "mute:status" | "mute":
            return _mute(data)
        case "dtmf":
            return _dtmf(data)
        case "stt:reconfigure":
            return _expect_languages(data)
        case _:
            return UnknownCommand(name, data)


def _call_status(data: object) -> Command:
    value = _member(data, "call_status", "callStatus")
    if value not in ("completed", "no-answer"):
        raise SpecError("must be completed or no-answer", path="data.call_status")
    return CallStatusCommand(value)


def _mute(data: object) -> Command:
    value = _member(data, "mute_status", "muteStatus")
    if value not in ("mute", "unmute"):
        raise SpecError("must be mute or unmute", path="data.mute_status")
    return MuteCommand(value == "mute")


def _dtmf(data: object) -> Command:
    members: dict[str, Any] = cast("dict[str, Any]", data) if _is_object(data) else {"digit": data}
    inner = members.get("dtmf")
    if _is_object(inner):
        members = cast("dict[str, Any]", inner)
    digits = members.get("digit", members.get("dtmf", members.get("digits")))
    digits = str(digits) if isinstance(digits, int) and not isinstance(digits, bool) else digits
    if not isinstance(digits, str) or not digits or set(digits.upper()) - set("0123456789*#ABCDW"):
        raise SpecError("must be digits 0-9 * # A-D, with w for a pause", path="data.digit")
    duration = members.get("duration", 500)
    if not isinstance(duration, int | float) or isinstance(duration, bool) or not 40 <= duration <= 10_000:
        raise SpecError("must be 40 to 10000 milliseconds", path="data.duration")
    return DtmfCommand(digits, int(duration))


def _expect_languages(data: object) -> Command:
    value: object = _object(data, "data").get("languageHints")
    items = cast("list[object]", value) if isinstance(value, list) else [value]
    if not items or not all(isinstance(item, str) and item.strip() for item in items):
        raise SpecError("must be a list of language tags", path="data.languageHints")
    return ExpectLanguagesCommand(tuple(str(item).strip() for item in items))


def _noise_isolation(data: object) -> tuple[NoiseIsolation, list[str]]:
    members = _object(data, "data") if not isinstance(data, str) else {"noise_isolation_status": data}
    names = ("noise_isolation_status", "noiseIsolation_status", "status", "enable")
    status = next((members[name] for name in names if name in members), None)
    if status not in ("enable", "disable", "on", "off", True, False):
        raise SpecError("must be enable or disable", path="data.noise_isolation_status")
    return leniency.validate(NoiseIsolation, members, "data", lambda place: place[0] not in names)


def _member(data: object, *names: str) -> Any:
    if not _is_object(data):
        return data
    members = cast("dict[str, Any]", data)
    return next((members[name] for name in names if name in members), None)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _object(value: object, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SpecError("must be an object", path=path)
    return cast("dict[str, Any]", value)
