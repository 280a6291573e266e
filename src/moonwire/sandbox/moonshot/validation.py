"""Judges a chat request as Moonshot does, in its order and with its texts, for the simulator.

Order: model, sampling, roles, empty messages, content parts, tools, tool adjacency, reasoning, conflicts, context size.
Source: Moonshot's API reference and error page, live texts collected by integrators, read 2026-11-22.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from moonwire.sandbox.moonshot.registry import ModelSpec
from moonwire.sandbox.moonshot.schema import complaint
from moonwire.sandbox.moonshot.tokens import estimate_tokens

Json = Mapping[str, object]

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{2,63}")
_ROLES = frozenset({"system", "user", "assistant", "tool"})
_KNOWN = frozenset(
    {
        "model", "messages", "stream", "stream_options", "max_completion_tokens", "max_tokens", "temperature", "top_p",
        "n", "presence_penalty", "frequency_penalty", "stop", "response_format", "tools", "tool_choice", "thinking",
        "reasoning_effort", "prompt_cache_key", "prompt_cache_options", "safety_identifier",
    }
)  # fmt: skip


class Rejected(Exception):  # noqa: N818 - the simulator's answer, not an error of ours
    """The request is refused."""

    def __init__(self, message: str, status: int = 400, type_: str = "invalid_request_error") -> None:
        super().__init__(message)
        self.status = status
        self.type = type_
        self.message = message


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request that will be answered."""

    model: ModelSpec
    messages: tuple[Json, ...]
    tools: tuple[Json, ...]
    cap_tokens: int
    prompt_tokens: int
    thinking: bool
    effort: str
    stream: bool
    include_usage: bool


def validate(body: Json, models: Mapping[str, ModelSpec], *, refuse_unknown: bool = False) -> Accepted:
    """Accept a request or say why not.

    Raises:
        Rejected: with Moonshot's status, type and text.
    """
    model = _model(body, models)
    _sampling(body, model)
    messages = _messages(body)
    for position, message in enumerate(messages):
        _role(message)
        _not_empty(message, position)
        _content(message)
    tools = _tools(body)
    _adjacency(messages)
    thinking = _thinking(body, model)
    if thinking:
        _reasoning(messages, model)
    _conflicts(body, model, thinking)
    if refuse_unknown and (unknown := sorted(set(body) - _KNOWN)):
        raise Rejected(f"Invalid request: unknown parameter '{unknown[0]}'")
    cap = _cap(body, model)
    prompt = estimate_tokens(messages, tools)
    _size(body, model, prompt, cap)
    options = body.get("stream_options")
    return Accepted(
        model=model,
        messages=messages,
        tools=tools,
        cap_tokens=cap,
        prompt_tokens=prompt,
        thinking=thinking,
        effort=str(body.get("reasoning_effort", "max")) if model.effort else "",
        stream=body.get("stream") is True,
        include_usage=isinstance(options, Mapping) and cast("Json", options).get("include_usage") is True,
    )


def _size(body: Json, model: ModelSpec, prompt: int, cap: int) -> None:
    limit, asked = model.context_tokens, "max_completion_tokens" in body or "max_tokens" in body
    if asked and prompt + cap > limit:
        raise Rejected(
            f"Invalid request: Your request exceeded model token limit : {limit} (requested: {prompt + cap})"
        )
    if prompt > limit:
        raise Rejected("Input token length too long")


def _model(body: Json, models: Mapping[str, ModelSpec]) -> ModelSpec:
    name = body.get("model")
    if not isinstance(name, str) or not name:
        raise Rejected("Invalid request: model is required")
    if name not in models:
        raise Rejected(f"Not found the model {name} or Permission denied", 404, "resource_not_found_error")
    return models[name]


def _sampling(body: Json, model: ModelSpec) -> None:
    if not model.fixed_sampling:
        _free_sampling(body)
        return
    switch = body.get("thinking")
    quiet = isinstance(switch, Mapping) and cast("Json", switch).get("type") == "disabled"
    fixed = {
        "temperature": 0.6 if model.thinking == "switchable" and quiet else 1,
        "top_p": 0.95,
        "n": 1,
        "presence_penalty": 0,
        "frequency_penalty": 0,
    }
    for name, value in fixed.items():
        given = body.get(name)
        if given is not None and given != value:
            raise Rejected(f"Invalid request: invalid {name}: only {value} is allowed for this model")


def _free_sampling(body: Json) -> None:
    for name, low, high in (("temperature", 0, 1), ("top_p", 0, 1), ("n", 1, 5)):
        given = body.get(name)
        if given is not None and not (isinstance(given, int | float) and low <= given <= high):
            raise Rejected(f"Invalid request: invalid {name}: must be between {low} and {high}")
    temperature, count = body.get("temperature"), body.get("n")
    if isinstance(count, int) and count > 1 and isinstance(temperature, int | float) and temperature < 0.3:
        raise Rejected("Invalid request: invalid temperature: with n > 1 it must be at least 0.3")


def _messages(body: Json) -> tuple[Json, ...]:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Rejected("Invalid request: messages must not be empty")
    if not all(isinstance(message, Mapping) for message in cast("list[object]", messages)):
        raise Rejected("Invalid request: every message must be an object")
    return tuple(cast("list[Json]", messages))


def _role(message: Json) -> None:
    role = message.get("role")
    if role not in _ROLES:
        raise Rejected(f"Invalid request: unsupported role ROLE_UNSPECIFIED, role '{role}' is not allowed")


def _not_empty(message: Json, position: int) -> None:
    content, role = message.get("content"), message.get("role")
    if content or (role == "assistant" and message.get("tool_calls")) or role == "tool":
        return
    if role == "system" and message.get("tools"):
        return
    raise Rejected(f"Invalid request: the message at position {position} with role '{role}' must not be empty")


def _content(message: Json) -> None:
    content = message.get("content")
    if content is not None and not isinstance(content, str | list):
        raise Rejected("Invalid request: content must be a string or an array")
    for part in cast("list[object]", content) if isinstance(content, list) else []:
        fields: Json = cast("Json", part) if isinstance(part, Mapping) else {}
        if fields.get("type") == "text" and not fields.get("text"):
            raise Rejected("Invalid request: text content is empty")


def _tools(body: Json) -> tuple[Json, ...]:
    tools = body.get("tools", [])
    if not isinstance(tools, list) or len(cast("list[object]", tools)) > 128:
        raise Rejected("Invalid request: tools must be an array of at most 128")
    names: set[str] = set()
    for tool in cast("list[Json]", tools):
        function = tool.get("function")
        if not isinstance(function, Mapping) or tool.get("type") not in {"function", "builtin_function"}:
            raise Rejected("Invalid request: tools must have a type and a function")
        name = cast("Json", function).get("name")
        if tool["type"] == "builtin_function":
            continue
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise Rejected(
                "Invalid request: function name is invalid, must start with a letter and can contain letters, "
                "numbers, underscores, and dashes"
            )
        if name in names:
            raise Rejected(f"Invalid request: function name {name} is duplicated")
        names.add(name)
        if text := complaint(cast("Json", function).get("parameters")):
            raise Rejected(f"Invalid request: {text}")
    return tuple(cast("list[Json]", tools))


def _adjacency(messages: tuple[Json, ...]) -> None:
    waiting: list[str] = []
    for message in messages:
        if message.get("role") == "tool":
            identity = message.get("tool_call_id")
            if identity not in waiting:
                raise Rejected(f"Invalid request: tool_call_id {identity or ''} is not found")
            waiting.remove(cast("str", identity))
            continue
        _all_answered(waiting)
        waiting = [str(call.get("id")) for call in cast("list[Json]", message.get("tool_calls") or [])]
    _all_answered(waiting)


def _all_answered(waiting: list[str]) -> None:
    if waiting:
        raise Rejected(
            "Invalid request: an assistant message with 'tool_calls' must be followed by tool messages responding to "
            f"each 'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(waiting)}"
        )


def _thinking(body: Json, model: ModelSpec) -> bool:
    if model.thinking != "switchable":
        return model.thinking == "always"
    switch = body.get("thinking")
    if switch is None:
        return True
    if not isinstance(switch, Mapping) or set(cast("Json", switch)) - {"type", "keep"}:
        raise Rejected("Invalid request: thinking has unknown members")
    kind = cast("Json", switch).get("type")
    if kind not in {"enabled", "disabled"}:
        raise Rejected("Invalid request: thinking.type must be 'enabled' or 'disabled'")
    return kind == "enabled"


def _reasoning(messages: tuple[Json, ...], model: ModelSpec) -> None:
    for position, message in enumerate(messages):
        if message.get("role") != "assistant" or not message.get("tool_calls"):
            continue
        reasoning = message.get("reasoning_content")
        if not isinstance(reasoning, str) or not reasoning:
            raise Rejected(
                "Invalid request: thinking is enabled but reasoning_content is missing in assistant tool call message "
                f"at index {position}"
            )


def _conflicts(body: Json, model: ModelSpec, thinking: bool) -> None:
    switch, effort = body.get("thinking"), body.get("reasoning_effort")
    if switch is not None and effort is not None:
        raise Rejected("Invalid request: cannot specify both 'thinking' and 'reasoning_effort'")
    if switch is not None and model.thinking == "always" and cast("Json", switch).get("type") == "disabled":
        raise Rejected("Invalid request: invalid thinking: only enabled is allowed for this model")
    choice = body.get("tool_choice")
    if isinstance(choice, Mapping) and thinking:
        raise Rejected("Invalid request: tool_choice 'specified' is incompatible with thinking enabled")
    if choice == "required" and thinking and not model.effort:
        raise Rejected("Invalid request: tool_choice 'required' is incompatible with thinking enabled")


def _cap(body: Json, model: ModelSpec) -> int:
    cap = body.get("max_completion_tokens", body.get("max_tokens"))
    if cap is None:
        return model.default_cap_tokens
    if not isinstance(cap, int) or isinstance(cap, bool) or not 1 <= cap < math.inf:
        raise Rejected("Invalid request: max_completion_tokens must be a positive integer")
    return cap
