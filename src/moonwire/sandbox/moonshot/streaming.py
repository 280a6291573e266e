"""Writes one simulated answer: chunks in Moonshot's shape, paced, in the chosen variant, with one fault at most."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import msgspec
from aiohttp import web

from moonwire.sandbox.moonshot.faults import Fault, FaultKind, Pacing, Wire
from moonwire.sandbox.moonshot.records import RequestRecord
from moonwire.sandbox.moonshot.script import ScriptedAnswer, ScriptedCall
from moonwire.sandbox.moonshot.tokens import pieces
from moonwire.sandbox.moonshot.validation import Accepted

_encode = msgspec.json.Encoder().encode
_CREATED = 1_763_800_000
_THOUGHT_S = 0.1
_EFFORTS = {"low": 0.3, "high": 0.7}
_COMMENT = b": keepalive"

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Composed:
    """An answer cut into what is sent, with its counts."""

    text: list[str]
    reasoning: list[str]
    calls: tuple[ScriptedCall, ...]
    finish: str
    usage: Json


def compose(answer: ScriptedAnswer, request: Accepted, cached: int, stop: object, fault: FaultKind | None) -> Composed:
    """Cut an answer to the request's stop words and cap, and count it."""
    text = answer.text
    for word in [stop] if isinstance(stop, str) else stop if isinstance(stop, list) else []:  # pyright: ignore[reportUnknownVariableType]
        text = text.partition(str(word))[0]  # pyright: ignore[reportUnknownArgumentType]
    thoughts = pieces(answer.reasoning) if request.thinking or fault == "length_empty" else []
    tokens = [] if fault == "length_empty" else pieces(text)
    left = max(request.cap_tokens - len(thoughts), 0)
    calls = () if fault == "length_empty" or len(tokens) > left else answer.calls
    finish = "length" if fault == "length_empty" or len(tokens) > left else "tool_calls" if calls else "stop"
    spent = min(len(tokens), left) + len(thoughts) + sum(len(_arguments(call)) // 4 + 8 for call in calls)
    usage: Json = {
        "prompt_tokens": request.prompt_tokens,
        "completion_tokens": spent,
        "total_tokens": request.prompt_tokens + spent,
    }
    if cached:
        usage |= {"cached_tokens": cached, "prompt_tokens_details": {"cached_tokens": cached}}
    if thoughts:
        usage["completion_tokens_details"] = {"reasoning_tokens": len(thoughts)}
    return Composed(tokens[:left], thoughts, calls, finish, usage)


def whole_answer(request: Accepted, composed: Composed, call_ids: list[str], identity: str) -> Json:
    """Return the answer in one piece, as without `stream`."""
    message: Json = {"role": "assistant", "content": "".join(composed.text) or None}
    if composed.reasoning:
        message["reasoning_content"] = "".join(composed.reasoning)
    if composed.calls:
        message["tool_calls"] = [
            {"id": call_id, "type": "function", "function": {"name": call.name, "arguments": _arguments(call)}}
            for call_id, call in zip(call_ids, composed.calls, strict=True)
        ]
    return {
        "id": identity,
        "object": "chat.completion",
        "created": _CREATED,
        "model": request.model.id,
        "choices": [{"index": 0, "message": message, "finish_reason": composed.finish}],
        "usage": composed.usage,
    }


@dataclass(frozen=True, slots=True)
class Conditions:
    """How one answer is sent."""

    wire: Wire
    pacing: Pacing
    fault: Fault | None
    abort: Callable[[], None]
    """Resets the TCP connection."""


class AnswerStream:
    """Sends one composed answer over a prepared response."""

    def __init__(
        self,
        response: web.StreamResponse,
        record: RequestRecord,
        request: Accepted,
        composed: Composed,
        conditions: Conditions,
    ) -> None:
        self._response = response
        self._record = record
        self._request = request
        self._composed = composed
        self._wire = wire = conditions.wire
        self._pacing = conditions.pacing
        self._fault = conditions.fault
        self._abort = conditions.abort
        self._loop = asyncio.get_running_loop()
        self._random = random.Random(record.request_id)
        self._held: list[bytes] = []
        self._end = b"\r\n" if wire.line_end == "crlf" else b"\n"
        self._head: Json = {
            "id": record.request_id,
            "object": "chat.completion.chunk",
            "created": _CREATED,
            "model": request.model.id,
        }

    def _is(self, kind: FaultKind) -> bool:
        return self._fault is not None and self._fault.kind == kind

    async def send(self, call_ids: list[str]) -> None:
        """Send everything; with a fault in the middle the stream ends there, properly closed or not."""
        if self._is("empty_stream"):
            return
        await self._chunk({"role": "assistant", "content": ""})
        if self._is("error_first"):
            await self._error()
            return
        await self._think()
        await self._until(self._record.arrived_s + self._pacing.first_token_s)
        if self._is("stall_before_content"):
            await self._stall(comments=False)
        if self._is("stall_with_comments"):
            await self._stall(comments=True)
        if not await self._speak():
            return
        for index, (call, call_id) in enumerate(zip(self._composed.calls, call_ids, strict=True)):
            await self._call(index, call, call_id)
        await self._finish()

    async def _think(self) -> None:
        thoughts = self._composed.reasoning
        if not thoughts:
            return
        total_s = self._pacing.thinking_s * _EFFORTS.get(self._request.effort, 1.0)
        count = max(1, min(len(thoughts), int(total_s / _THOUGHT_S)))
        size = -(-len(thoughts) // count)
        for begin in range(0, len(thoughts), size):
            text = "".join(thoughts[begin : begin + size])
            await self._chunk({self._wire.reasoning_member: text})
            if total_s:
                await asyncio.sleep(total_s / count)

    async def _speak(self) -> bool:
        """Send the text; returns False when a fault ended the stream."""
        pacing, tokens = self._pacing, self._composed.text
        for position, begin in enumerate(range(0, len(tokens), pacing.burst)):
            if position and (gap_s := pacing.gap_s + self._random.uniform(0, pacing.jitter_s)) > 0:
                await asyncio.sleep(gap_s)
            if self._fault is not None and position == self._fault.after_chunks and not await self._go_on():
                return False
            await self._chunk({"content": "".join(tokens[begin : begin + pacing.burst])})
            self._record.chunks += 1
        return True

    async def _go_on(self) -> bool:
        """Apply a fault in the middle of the text."""
        match self._fault.kind if self._fault is not None else None:
            case "stall_mid_stream":
                await self._stall(comments=False)
            case "reset_mid_stream":
                await self._flush()
                self._abort()
                return False
            case "eof_mid_stream":
                await self._flush()
                return False
            case "error_mid_stream":
                await self._error()
                return False
            case "content_filter_mid_stream":
                await self._event({**self._head, "choices": [self._choice({}, "content_filter")]})
                await self._raw(b"[DONE]")
                return False
            case "malformed_chunk":
                await self._raw(b'{"id":"chatcmpl-broken","choices":[{"index":0,"del')
                return False
            case _:
                pass
        return True

    async def _call(self, index: int, call: ScriptedCall, call_id: str) -> None:
        await self._chunk(
            {
                "tool_calls": [
                    {
                        "index": index,
                        "id": call_id,
                        "type": "function",
                        "function": {"name": call.name, "arguments": ""},
                    }
                ]
            }
        )
        if self._pacing.arguments_pause_s:
            await self._flush()
            await asyncio.sleep(self._pacing.arguments_pause_s)
        text = '{"city": "Par' if self._is("bad_tool_json") else _arguments(call)
        for piece in self._split(text):
            await self._chunk({"tool_calls": [self._later_piece(index, piece)]})

    def _later_piece(self, index: int, arguments: str) -> Json:
        match self._wire.later_ids:
            case "absent":
                return {"index": index, "function": {"arguments": arguments}}
            case "null":
                return {
                    "index": index, "id": None, "type": None, "function": {"name": None, "arguments": arguments},
                }  # fmt: skip
            case "empty":
                return {
                    "index": index, "id": "", "type": "function", "function": {"name": "", "arguments": arguments},
                }  # fmt: skip

    def _split(self, text: str) -> Iterator[str]:
        begin = 0
        while begin < len(text):
            end = begin + self._random.randint(1, 6)
            yield text[begin:end]
            begin = end

    async def _finish(self) -> None:
        placement, usage = self._wire.usage, self._composed.usage
        if not self._is("no_finish"):
            delta: Json = {"content": None} if self._wire.final_delta == "null-content" else {}
            choice = self._choice(delta, self._composed.finish)
            if placement in {"choice", "choice+trailing"}:
                choice["usage"] = usage
            event: Json = {**self._head, "choices": [choice]}
            if placement == "top":
                event["usage"] = usage
            await self._event(event)
        if placement in {"trailing", "choice+trailing"} and self._request.include_usage:
            await self._event({**self._head, "choices": [], "usage": usage})
        if not self._is("no_done"):
            await self._raw(b"[DONE]")
        await self._flush()

    def _choice(self, delta: Mapping[str, object], finish: str | None = None) -> Json:
        return {"index": 0, "delta": delta, "finish_reason": finish}

    async def _chunk(self, delta: Json) -> None:
        await self._event({**self._head, "choices": [self._choice(delta)], "system_fingerprint": "fpv0_51bd0a4e"})

    async def _error(self) -> None:
        await self._event({"error": {"message": "Internal server error", "type": "server_error"}})
        await self._flush()

    async def _event(self, event: Json) -> None:
        await self._raw(_encode(event))

    async def _raw(self, data: bytes) -> None:
        end = self._end
        text = b"data: " + data + end + end
        if self._wire.comments:
            text = _COMMENT + end + end + text
        match self._wire.framing:
            case "event":
                await self._response.write(text)
            case "coalesced":
                self._held.append(text)
                if len(self._held) >= 4:
                    await self._flush()
            case "split":
                for begin in range(0, len(text), 7):
                    await self._response.write(text[begin : begin + 7])
                    await asyncio.sleep(0)

    async def _flush(self) -> None:
        if self._held:
            held, self._held = b"".join(self._held), []
            await self._response.write(held)

    async def _until(self, at_s: float) -> None:
        await self._flush()
        if (left_s := at_s - self._loop.time()) > 0:
            await asyncio.sleep(left_s)

    async def _stall(self, *, comments: bool) -> None:
        """Stay silent, or nearly, until the client goes away (the handler is cancelled then)."""
        await self._flush()
        while comments:
            await self._response.write(_COMMENT + self._end + self._end)
            await asyncio.sleep(0.1)
        await asyncio.Event().wait()


def _arguments(call: ScriptedCall) -> str:
    return call.raw if call.raw is not None else _encode(call.arguments).decode()
