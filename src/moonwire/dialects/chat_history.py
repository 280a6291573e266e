"""Writes a conversation as chat-completion messages in an order and shape that strict hosts accept.

Whatever a call went through (barge-in, a tool that never answered, an answer nobody heard), the result keeps these
rules: no empty message; each assistant message with tool calls is followed at once by one tool message per call, in
order; no tool message without its call.

Source: Moonshot's published error texts for message order and emptiness, read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from moonwire.core.dialog.messages import AssistantMessage, Message, SystemMessage, ToolCall, ToolMessage, UserMessage
from moonwire.dialects.tool_names import ToolNames

ReasoningPolicy = Literal["drop", "tool-calls", "always"]
"""Which assistant messages carry their reasoning back: none, those that call tools, or all."""

CANCELLED_RESULT = '{"error":"cancelled"}'
"""Stands for the result of a tool call that never got one."""

EMPTY_RESULT = "null"
"""Stands for a result without text: the tool ran and had nothing to say."""

_NO_REASONING = " "
"""Counts as present where an empty string counts as missing (Moonshot, 2026-05)."""

_encode_json = msgspec.json.Encoder().encode

WireMessage = dict[str, object]


def chat_messages(
    messages: Sequence[Message], names: ToolNames, reasoning: ReasoningPolicy = "drop"
) -> list[WireMessage]:
    """Translate a history; never raises, drops what cannot be sent."""
    written: list[WireMessage] = []
    results = _pair_results(messages)
    for position, message in enumerate(messages):
        match message:
            case SystemMessage(text=text):
                _add_text(written, "system", text)
            case UserMessage(text=text):
                _add_text(written, "user", text)
            case AssistantMessage():
                _add_assistant(written, message, results.get(position, {}), names, reasoning)
            case ToolMessage():
                pass  # written with its call
    return written


def _add_text(written: list[WireMessage], role: str, text: str) -> None:
    if text.strip():
        written.append({"role": role, "content": text})


def _add_assistant(
    written: list[WireMessage],
    message: AssistantMessage,
    results: dict[str, str],
    names: ToolNames,
    reasoning: ReasoningPolicy,
) -> None:
    calls = _distinct(message.tool_calls)
    if not calls and not message.text.strip():
        return
    # Plain strings: an array with an empty text part is refused. Without text the member is left out, as Moonshot's
    # own client does; an empty string is refused on messages without tool calls and doubtful on others.
    entry: WireMessage = {"role": "assistant"}
    if message.text.strip():
        entry["content"] = message.text
    if reasoning == "always" or (reasoning == "tool-calls" and (calls or message.reasoning)):
        entry["reasoning_content"] = message.reasoning or _NO_REASONING
    written.append(entry)
    if not calls:
        return
    entry["tool_calls"] = [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": names.to_vendor(call.name), "arguments": _encode_json(call.arguments).decode()},
        }
        for call in calls
    ]
    written.extend(
        {"role": "tool", "tool_call_id": call.id, "content": results.get(call.id, CANCELLED_RESULT) or EMPTY_RESULT}
        for call in calls
    )


def _distinct(calls: Sequence[ToolCall]) -> list[ToolCall]:
    return list({call.id: call for call in reversed(calls) if call.id and call.name}.values())[::-1]


def _pair_results(messages: Sequence[Message]) -> dict[int, dict[str, str]]:
    """Return position of assistant message -> tool call id -> result; a result belongs to the nearest call before it.

    The first result of a call wins; ids may repeat over a conversation where a host numbers calls per answer.
    """
    pending: dict[str, int] = {}
    results: dict[int, dict[str, str]] = {}
    for position, message in enumerate(messages):
        if isinstance(message, AssistantMessage):
            pending.update((call.id, position) for call in message.tool_calls)
        elif isinstance(message, ToolMessage):
            caller = pending.pop(message.tool_call_id, None)
            if caller is not None:
                results.setdefault(caller, {})[message.tool_call_id] = message.text
    return results
