"""Answers POST /v1/chat/completions in the simulator: limits, validation, script, then whole answer or stream."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from aiohttp import web

from moonwire.sandbox.moonshot.faults import STATUS_FAULTS, Fault, FaultBoard, Pacing, Wire
from moonwire.sandbox.moonshot.limits import UNLIMITED, Meter, Tier
from moonwire.sandbox.moonshot.records import RequestRecord
from moonwire.sandbox.moonshot.registry import ModelSpec
from moonwire.sandbox.moonshot.script import Lines
from moonwire.sandbox.moonshot.streaming import AnswerStream, Composed, Conditions, compose, whole_answer
from moonwire.sandbox.moonshot.tokens import PrefixCache
from moonwire.sandbox.moonshot.validation import Accepted, Rejected, validate

_EVENT_STREAM = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


@dataclass(slots=True)
class World:
    """Everything that can be changed while the simulator runs; shared by its regions."""

    models: dict[str, ModelSpec]
    wire: Wire = field(default_factory=Wire)
    pacing: Pacing = field(default_factory=Pacing)
    faults: FaultBoard = field(default_factory=FaultBoard)
    lines: Lines = field(default_factory=lambda: Lines(()))
    tiers: dict[str, Tier] = field(default_factory=dict[str, Tier])
    """Key -> limits; unlimited without an entry."""
    requests: list[RequestRecord] = field(default_factory=list[RequestRecord])
    cache: PrefixCache = field(default_factory=PrefixCache)
    meters: dict[str, Meter] = field(default_factory=dict[str, Meter])

    def meter(self, key: str) -> Meter:
        """Return the use of a key's organisation."""
        meter = self.meters.get(key)
        if meter is None:
            meter = self.meters[key] = Meter(self.tiers.get(key, UNLIMITED), "<org-0f3a9c1d2b><ak-e1b2c3d4e5>")
        return meter


def refusal(rejected: Rejected, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return an error answer in Moonshot's shape (no `code` member)."""
    body = {"error": {"message": rejected.message, "type": rejected.type}}
    return web.json_response(body, status=rejected.status, headers=headers)


class ChatHandler:
    """One region's chat endpoint."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def answer(self, request: web.Request, record: RequestRecord, headers: dict[str, str]) -> web.StreamResponse:
        """Answer one authenticated request with a JSON body.

        Raises:
            Rejected: refused with status, type and text.
        """
        world = self._world
        fault = world.faults.take(record.model, record.key, "chat", *(("tools",) if record.json.get("tools") else ()))
        if fault is not None and (early := await early_answer(fault, request, record, headers)) is not None:
            return early
        accepted = validate(record.json, world.models, refuse_unknown=world.wire.unknown_fields == "refuse")
        meter = world.meter(record.key)
        meter.admit(asyncio.get_running_loop().time(), accepted.prompt_tokens + accepted.cap_tokens)
        try:
            return await self._generate(accepted, request, record, headers, fault)
        finally:
            meter.running -= 1

    async def _generate(
        self,
        accepted: Accepted,
        request: web.Request,
        record: RequestRecord,
        headers: dict[str, str],
        fault: Fault | None,
    ) -> web.StreamResponse:
        world = self._world
        if world.pacing.headers_s:
            await asyncio.sleep(world.pacing.headers_s)
        cached = world.cache.cached_tokens(record.key, accepted.messages, accepted.tools)
        scripted = world.lines.answer(accepted.messages, accepted.tools)
        composed = compose(scripted, accepted, cached, record.json.get("stop"), fault.kind if fault else None)
        call_ids = self._call_ids(accepted, composed)
        if not accepted.stream or not world.wire.stream:
            return web.json_response(whole_answer(accepted, composed, call_ids, record.request_id), headers=headers)
        response = web.StreamResponse(headers={**headers, **_EVENT_STREAM})
        await response.prepare(request)
        conditions = Conditions(world.wire, world.pacing, fault, lambda: _abort(request))
        await AnswerStream(response, record, accepted, composed, conditions).send(call_ids)
        if request.transport is not None and not request.transport.is_closing():
            await response.write_eof()
        return response

    def _call_ids(self, accepted: Accepted, composed: Composed) -> list[str]:
        """Number the calls over the whole conversation: `functions.<name>:<n>`, as the model does."""
        earlier = sum(len(cast("list[object]", message.get("tool_calls") or [])) for message in accepted.messages)
        prefix = "functions." if self._world.wire.call_ids == "prefixed" else ""
        return [f"{prefix}{call.name}:{earlier + index}" for index, call in enumerate(composed.calls)]


async def early_answer(
    fault: Fault, request: web.Request, record: RequestRecord, headers: dict[str, str]
) -> web.StreamResponse | None:
    """Apply a fault that comes before any answer."""
    if fault.kind == "unknown_thinking" and "thinking" not in record.json:
        return None
    if fault.kind == "tool_schema" and "anyOf" not in record.body.decode(errors="replace"):
        return None
    if fault.kind in STATUS_FAULTS:
        if fault.delay_s:
            await asyncio.sleep(fault.delay_s)
        status, type_, text = STATUS_FAULTS[fault.kind]
        if fault.retry_after is not None:
            headers = {**headers, "Retry-After": str(fault.retry_after)}
        return refusal(Rejected(text, status, type_), headers)
    match fault.kind:
        case "bad_gateway_html" | "html_200":
            status = 502 if fault.kind == "bad_gateway_html" else 200
            page = "<html><head><title>502 Bad Gateway</title></head><body><center>cloudflare</center></body></html>"
            return web.Response(status=status, text=page, content_type="text/html")
        case "redirect":
            return web.Response(status=302, headers={"Location": "https://login.example.invalid/"})
        case "reset_before_headers":
            _abort(request)
            return web.Response(status=500)
        case "stall_before_headers":
            await asyncio.Event().wait()
        case _:
            pass
    return None


def _abort(request: web.Request) -> None:
    transport = request.transport
    if isinstance(transport, asyncio.Transport):
        transport.abort()
