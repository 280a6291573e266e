"""Translates OpenAI-compatible chat completions: streamed chunks to text and tool calls, whole answers likewise.

It reads what every host of the family sends and leaves vendor rules to the vendor's profile. Requests are built from
`chat_history` (messages), `tool_names` and the vendor's own members.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, cast

import msgspec

from moonwire.core.dialog.messages import ToolCall
from moonwire.errors import RemoteProtocolError

DONE = b"[DONE]"
"""The data of the event that ends a stream."""

_FINISHED_TOOLS = frozenset({"tool_calls", "function_call", "stop", "tool"})


class ChunkUsage(msgspec.Struct, gc=False):
    """Token counts as the wire has them; absent ones are zero."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None

    def counts(self) -> UsageCounts:
        """Return the counts with one meaning each: uncached input, output, cached input, reasoning."""
        details = self.prompt_tokens_details
        cached = self.cached_tokens or (details.cached_tokens if details else None) or 0
        thought = self.completion_tokens_details.reasoning_tokens if self.completion_tokens_details else None
        return UsageCounts(
            input=max((self.prompt_tokens or 0) - cached, 0),
            output=self.completion_tokens or 0,
            cached=cached,
            reasoning=thought or 0,
        )


class _PromptDetails(msgspec.Struct, gc=False):
    cached_tokens: int | None = None


class _CompletionDetails(msgspec.Struct, gc=False):
    reasoning_tokens: int | None = None


class UsageCounts(msgspec.Struct, frozen=True, gc=False):
    """Tokens of one request; `input` excludes `cached`, `output` includes `reasoning`."""

    input: int = 0
    output: int = 0
    cached: int = 0
    reasoning: int = 0


class _Function(msgspec.Struct, gc=False):
    name: str | None = None
    arguments: str | dict[str, object] | None = None


class _ToolCallDelta(msgspec.Struct, gc=False):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(msgspec.Struct, gc=False):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[_ToolCallDelta] | None = None


class _Choice(msgspec.Struct, gc=False):
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: str | None = None
    usage: ChunkUsage | None = None


_NO_ERROR = msgspec.Raw(b"null")


class _Chunk(msgspec.Struct, gc=False):
    choices: list[_Choice] | None = None
    usage: ChunkUsage | None = None
    error: msgspec.Raw = _NO_ERROR
    model: str | None = None


_decode_chunk = msgspec.json.Decoder(_Chunk).decode


class WireError(msgspec.Struct, frozen=True, gc=False):
    """The vendor's error object; empty strings where it had no such member."""

    message: str = ""
    type: str = ""
    code: str = ""


def read_error(body: bytes) -> WireError | None:
    """Find the error object in an answer's body or a stream's event; None when the body is no such JSON.

    Understands `{"error": {...}}`, `{"error": "text"}`, the bare object, and `{"message": ...}`.
    """
    try:
        document: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not isinstance(document, dict):
        return None
    members = cast("dict[str, object]", document)
    error = members.get("error", members)
    if isinstance(error, str):
        return WireError(message=error)
    if not isinstance(error, dict):
        return None
    found = cast("dict[str, object]", error)
    return WireError(message=_text(found.get("message")), type=_text(found.get("type")), code=_text(found.get("code")))


def _text(value: object) -> str:
    return "" if value is None else str(value)


class _PendingCall:
    """One tool call whose pieces are still arriving."""

    __slots__ = ("arguments", "id", "index", "name")

    def __init__(self, index: int) -> None:
        self.index = index
        self.id = ""
        self.name = ""
        self.arguments: list[str] = []


class AnswerReader:
    """Reads one answer's chunks; `read` returns text to speak, everything else accumulates here."""

    __slots__ = ("_calls", "_growing", "_reasoning", "busy", "done", "error", "finish_reason", "model", "seen", "usage")

    def __init__(self) -> None:
        self.seen = False
        """At least one chunk arrived."""
        self.busy = False
        """The last chunk carried something of the answer (text or a piece of a tool call)."""
        self.done = False
        self.error: WireError | None = None
        self.finish_reason: str | None = None
        self.model = ""
        self.usage = UsageCounts()
        self._calls: list[_PendingCall] = []
        self._growing: dict[int, _PendingCall] = {}
        """By index, the call that further pieces belong to."""
        self._reasoning: list[str] = []

    @property
    def reasoning(self) -> str:
        """The reasoning text so far."""
        return "".join(self._reasoning)

    @property
    def has_tool_calls(self) -> bool:
        """Whether any tool call has begun."""
        return bool(self._calls)

    @property
    def complete(self) -> bool:
        """Whether the vendor said that the answer is over; a tool call counts only with its finish reason."""
        return self.finish_reason is not None or (self.done and not self._calls)

    def read(self, data: bytes) -> str:
        """Take one event's data and return the text it adds, usually one token, often empty.

        Raises:
            RemoteProtocolError: the data is no chat completion chunk.
        """
        if data == DONE:
            self.done = True
            return ""
        try:
            chunk = _decode_chunk(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise RemoteProtocolError(f"chat stream: a chunk cannot be read ({error})") from None
        self.seen = True
        if chunk.usage is not None:
            self.usage = chunk.usage.counts()
        if chunk.error is not _NO_ERROR and bytes(chunk.error) != b"null":
            self.error = read_error(data) or WireError(message="error without a description")
        if not chunk.choices:
            self.busy = False
            return ""
        if chunk.model and not self.model:
            self.model = chunk.model
        choice = chunk.choices[0]
        if choice.usage is not None and chunk.usage is None:
            # Moonshot puts usage inside the finishing choice (OpenAI-compatible hosts use the top level).
            self.usage = choice.usage.counts()
        if choice.finish_reason:
            self.finish_reason = choice.finish_reason
        delta = choice.delta or choice.message
        return self._read_delta(delta) if delta is not None else ""

    def _read_delta(self, delta: _Delta) -> str:
        if delta.tool_calls:
            for position, piece in enumerate(delta.tool_calls):
                self._read_call(position, piece)
        thought = delta.reasoning_content or delta.reasoning
        if thought:
            self._reasoning.append(thought)
        text = delta.content or ""
        self.busy = bool(text or delta.tool_calls)
        return text

    def _read_call(self, position: int, piece: _ToolCallDelta) -> None:
        call = self._call_of(position, piece)
        if piece.id and not call.id:
            call.id = piece.id
        function = piece.function
        if function is None:
            return
        if function.name and not call.name:
            call.name = function.name
        if isinstance(function.arguments, str):
            call.arguments.append(function.arguments)
        elif function.arguments:
            call.arguments.append(msgspec.json.encode(function.arguments).decode())

    def _call_of(self, position: int, piece: _ToolCallDelta) -> _PendingCall:
        """Find the call that a piece belongs to, or begin one.

        Hosts exist that send no index, or 0 for every call: there a new id beside a name begins another call.
        """
        if piece.index is None and piece.id:
            index = next((one.index for one in self._calls if one.id == piece.id), len(self._calls))
        else:
            index = position if piece.index is None else piece.index
        call = self._growing.get(index)
        names_another = piece.function is not None and bool(piece.function.name)
        if call is None or (names_another and piece.id and call.id and piece.id != call.id):
            call = self._growing[index] = _PendingCall(index)
            self._calls.append(call)
        return call

    def tool_calls(self) -> tuple[ToolCall, ...]:
        """Return the finished tool calls in order; none when the answer was cut short or filtered.

        Arguments that are no JSON object become `{}`; a call without a name is dropped; ids are kept byte for byte
        and made up (`functions.<name>:<n>`) only when the vendor sent none, or the same one for different calls.
        """
        if self.finish_reason not in _FINISHED_TOOLS:
            return ()
        calls: dict[str, ToolCall] = {}
        for place, call in enumerate(sorted(self._calls, key=lambda one: one.index)):
            if not call.name:
                continue
            arguments = _arguments("".join(call.arguments))
            read = ToolCall(call.id or f"functions.{call.name}:{place}", call.name, arguments)
            if calls.get(read.id, read) != read:
                read = ToolCall(f"functions.{call.name}:{place}.{len(calls)}", call.name, arguments)
            calls[read.id] = read
        return tuple(calls.values())


def _arguments(text: str) -> dict[str, object]:
    try:
        value: object = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def finish_reason(raw: str | None) -> Literal["stop", "tool", "length", "filtered"]:
    """Translate a finish reason: `stop | tool | length | filtered`; unknown ones count as stop."""
    match raw:
        case "tool_calls" | "function_call":
            return "tool"
        case "length":
            return "length"
        case "content_filter":
            return "filtered"
        case _:
            return "stop"


def chat_body(
    model: str, messages: Sequence[Mapping[str, object]], tools: Sequence[Mapping[str, object]]
) -> dict[str, object]:
    """Build the members every host of the family takes; the vendor adds its own."""
    body: dict[str, object] = {
        "model": model,
        "messages": list(messages),
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if tools:
        body["tools"] = list(tools)
    return body
