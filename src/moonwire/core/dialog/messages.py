"""The conversation as the language model sees it: frozen messages, vendor-neutral."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call the model asked for; `id` is echoed byte for byte."""

    id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SystemMessage:
    """Instructions; the first one is the system prompt, later ones are injected context."""

    text: str


@dataclass(frozen=True, slots=True)
class UserMessage:
    """What the caller said."""

    text: str


@dataclass(frozen=True, slots=True)
class AssistantMessage:
    """What the caller heard of the agent, and the tools it called; never empty."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    reasoning: str = ""
    """The vendor's reasoning text, kept for vendors that want it back; never spoken."""


@dataclass(frozen=True, slots=True)
class ToolMessage:
    """The result of one tool call, as text."""

    tool_call_id: str
    text: str


Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage
