"""A simulated OpenAI-compatible vendor on a real socket: one host, its models, its quirks, and switches for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Literal, cast

import msgspec
from aiohttp import web

from moonwire.sandbox.chat_family.quirks import QUIRKS, Failure, Quirks, Refusal
from moonwire.sandbox.moonshot.records import RequestRecord, read_json
from moonwire.sandbox.moonshot.script import Lines, ScriptedAnswer
from moonwire.sandbox.moonshot.tokens import estimate_tokens, pieces

Break = Literal["empty", "cut-in-tool-call", "stall", "stall-before-content"]

_THOUGHTS = ("The caller ", "wants a short ", "answer.")

_encode = msgspec.json.Encoder().encode


class ChatFamilySimulator:
    """One vendor; every switch may be changed while it runs."""

    def __init__(self, vendor: str, *, key: str = "key-sandbox-0001", quirks: Quirks | None = None) -> None:
        """Prepare it; `start` opens the socket.

        Args:
            vendor: whose quirks.
            key: the only accepted API key.
            quirks: instead of the vendor's.
        """
        self.quirks = quirks or QUIRKS.get(vendor, Quirks())
        self.key = key
        self.lines = Lines(())
        self.requests: list[RequestRecord] = []
        self.thinking_s = 0.0
        self._failures: list[Failure] = []
        self._breaks: list[Break] = []
        self._runner: web.AppRunner | None = None

    @property
    def chats(self) -> list[RequestRecord]:
        """The chat requests."""
        return [record for record in self.requests if record.path.endswith("/chat/completions")]

    def say(self, *lines: ScriptedAnswer | str) -> None:
        """Queue the next answers."""
        self.lines.add(*lines)

    def fail(self, *failures: Failure) -> None:
        """Refuse the next chat requests."""
        self._failures.extend(failures)

    def break_off(self, *breaks: Break) -> None:
        """Spoil all further answers, until `breaks` are replaced."""
        self._breaks = list(breaks)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Open the socket and return the Base URL."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        bound = cast("tuple[str, int]", self._runner.addresses[0])
        return f"http://{host}:{bound[1]}{self.quirks.prefix}"

    async def stop(self) -> None:
        """Close the socket; running answers break off."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        record = self._record(request, await request.read())
        try:
            response = await self._answer(request, record)
        except (asyncio.CancelledError, ConnectionError):
            record.disconnected_s = asyncio.get_running_loop().time()
            raise
        record.status = response.status
        record.finished_s = asyncio.get_running_loop().time()
        return response

    def _record(self, request: web.Request, body: bytes) -> RequestRecord:
        given = request.headers.get(self.quirks.key_header, "")
        record = RequestRecord(
            region="",
            method=request.method,
            path=request.path,
            headers=dict(request.headers),
            body=body,
            arrived_s=asyncio.get_running_loop().time(),
            connection=0,
            json=read_json(body) or {},
            key=given.removeprefix("Bearer ") if self.quirks.key_header == "Authorization" else given,
            request_id=f"req-{len(self.requests) + 1}",
        )
        self.requests.append(record)
        return record

    async def _answer(self, request: web.Request, record: RequestRecord) -> web.StreamResponse:
        quirks = self.quirks
        if quirks.needs_key and record.key != self.key:
            return self._refuse(quirks.failure("credential"), record)
        path = record.path.removeprefix(quirks.prefix)
        if path == record.path or not self._is_version_given(request):
            return self._refuse((404, {"error": {"code": "404", "message": "Resource not found"}}), record)
        if path == "/models" and quirks.lists_models:
            return web.json_response({"object": "list", "data": [{"id": name} for name in quirks.models]})
        if path != "/chat/completions" or record.method != "POST":
            return self._refuse((404, {"detail": "Not Found"}), record)
        if self._failures:
            return self._refuse(quirks.failure(self._failures.pop(0)), record)
        if quirks.models and quirks.checks_model and record.model not in quirks.models:
            return self._refuse(quirks.failure("model-unavailable"), record)
        if (refusal := quirks.refuses(record.json)) is not None:
            return self._refuse(refusal, record)
        response = web.StreamResponse(headers={**self._headers(record), "Content-Type": "text/event-stream"})
        await response.prepare(request)
        await self._stream(response, record)
        return response

    def _is_version_given(self, request: web.Request) -> bool:
        return self.quirks.key_header != "api-key" or bool(request.query.get("api-version"))

    def _headers(self, record: RequestRecord) -> dict[str, str]:
        return {name: value.replace("req-{count}", record.request_id) for name, value in self.quirks.headers.items()}

    def _refuse(self, refusal: Refusal, record: RequestRecord) -> web.Response:
        status, body = refusal
        return web.json_response(body, status=status, headers=self._headers(record))

    async def _stream(self, response: web.StreamResponse, record: RequestRecord) -> None:
        if "empty" in self._breaks:
            return
        quirks, body = self.quirks, record.json
        answer = self.lines.answer(record.messages, cast("list[Mapping[str, object]]", body.get("tools") or []))
        if quirks.first_chunk is not None:
            await self._send(response, quirks.first_chunk)
        await self._delta(response, record, {"role": "assistant", "content": ""})
        await self._think(response, record)
        if "stall-before-content" in self._breaks:
            await asyncio.Event().wait()
        for position, piece in enumerate(pieces(answer.text)):
            if position == 2 and "stall" in self._breaks:
                await asyncio.Event().wait()
            await self._delta(response, record, {"content": piece})
        for index, call in enumerate(answer.calls):
            name = {"name": call.name, "arguments": ""}
            opened = {"index": index, "id": f"call_{index}", "type": "function", "function": name}
            await self._delta(response, record, {"tool_calls": [opened]})
            text = call.raw if call.raw is not None else _encode(call.arguments).decode()
            if "cut-in-tool-call" in self._breaks:
                await self._delta(response, record, {"tool_calls": [{"index": index, "function": {"arguments": "{"}}]})
                return
            for begin in range(0, len(text), 5):
                part = {"index": index, "function": {"arguments": text[begin : begin + 5]}}
                await self._delta(response, record, {"tool_calls": [part]})
        await self._finish(response, record, answer)

    async def _think(self, response: web.StreamResponse, record: RequestRecord) -> None:
        if self.quirks.comments:
            await response.write(b": keep-alive\n\n")
        if self.quirks.thinks(record.json):
            for thought in _THOUGHTS:
                await self._delta(response, record, {"reasoning_content": thought})
                await asyncio.sleep(self.thinking_s / len(_THOUGHTS))

    async def _finish(self, response: web.StreamResponse, record: RequestRecord, answer: ScriptedAnswer) -> None:
        quirks = self.quirks
        if quirks.last_chunk is not None:
            await self._send(response, quirks.last_chunk)
        prompt, spent = estimate_tokens(record.messages), len(pieces(answer.text)) + 8 * len(answer.calls)
        usage = {"prompt_tokens": prompt, "completion_tokens": spent, "total_tokens": prompt + spent}
        extra: dict[str, object] = {"usage": usage} if quirks.usage in {"top", "always"} else {}
        if quirks.usage == "x_groq":
            extra = {"x_groq": {"id": record.request_id, "usage": usage}}
        await self._delta(response, record, {}, "tool_calls" if answer.calls else "stop", extra)
        if record.json.get("stream_options") == {"include_usage": True}:
            await self._send(response, {**self._head(record), "choices": [], "usage": usage})
        await response.write(b"data: [DONE]\n\n")
        with suppress(ConnectionError):
            await response.write_eof()

    def _head(self, record: RequestRecord) -> dict[str, object]:
        model = record.model or self.quirks.models[0]
        return {"id": record.request_id, "object": "chat.completion.chunk", "created": 1_763_800_000, "model": model}

    async def _delta(
        self,
        response: web.StreamResponse,
        record: RequestRecord,
        delta: Mapping[str, object],
        finish: str | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        await self._send(response, {**self._head(record), "choices": [choice], **(extra or {})})

    async def _send(self, response: web.StreamResponse, event: Mapping[str, object]) -> None:
        await response.write(b"data: " + _encode(event) + b"\n\n")
