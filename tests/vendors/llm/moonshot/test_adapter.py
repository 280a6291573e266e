from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from datetime import date
from typing import Any

import pytest

from moonwire.core.dialog.messages import AssistantMessage, SystemMessage, ToolCall, ToolMessage, UserMessage
from moonwire.errors import ModelUnavailableError, RequestRejectedError
from moonwire.ports.llm import ChatRequest, ModelSwitched, ToolDefinition
from moonwire.sandbox.contracts.llm import collect, failure
from moonwire.sandbox.moonshot import Fault, MoonshotSimulator, Pacing, ScriptedAnswer, ScriptedCall, Wire
from moonwire.sandbox.moonshot.registry import registry
from moonwire.vendors.chat_completions import ChatCompletions

OpenModel = Callable[..., ChatCompletions]

PAGE_MODELS = ("kimi-k2-0711-preview", "kimi-latest", "moonshot-v1-8k", "moonshot-v1-32k", "moonshot-v1-128k")
"""The model ids of the vendor page that operators copy."""


def ask(text: str = "Hello, what are your opening hours?", model: str = "kimi-k2.6", **more: Any) -> ChatRequest:
    return ChatRequest(model, (SystemMessage("You are a receptionist."), UserMessage(text)), **more)


async def until(condition: Callable[[], bool], limit_s: float = 1.0) -> None:
    async with asyncio.timeout(limit_s):
        while not condition():
            await asyncio.sleep(0)


async def test_an_answer_arrives_in_pieces_and_ends_once(simulator: MoonshotSimulator, open_model: OpenModel) -> None:
    answer = await collect(open_model(), ask())
    assert answer.text == "We are open from eleven in the morning to ten at night, every day."
    assert len(answer.items) > 5
    end = answer.last
    assert (end.finish_reason, end.model) == ("stop", "kimi-k2.6")
    assert end.usage.input > 0
    assert end.usage.output > 5
    assert end.request_id == simulator.chats[0].request_id
    assert 0 < end.headers_ms <= end.first_content_ms <= end.total_ms


async def test_body_has_what_voice_needs_and_nothing_more(simulator: MoonshotSimulator, open_model: OpenModel) -> None:
    await collect(open_model(), ask(temperature=0.3))
    body = simulator.chats[0].json
    assert body["thinking"] == {"type": "disabled"}
    assert body["max_completion_tokens"] == 400
    assert body["stream_options"] == {"include_usage": True}
    assert set(body) == {"model", "messages", "stream", "stream_options", "max_completion_tokens", "thinking"}


async def test_always_thinking_models_get_low_effort_and_room(
    simulator: MoonshotSimulator, open_model: OpenModel
) -> None:
    await collect(open_model(), ask(model="kimi-k3.1-pro", max_tokens=100))
    body = simulator.chats[0].json
    assert body["reasoning_effort"] == "low"
    assert body["max_completion_tokens"] == 4096
    assert "thinking" not in body


async def test_medium_effort_switches_thinking_on(simulator: MoonshotSimulator, open_model: OpenModel) -> None:
    answer = await collect(open_model(), ask(reasoning_effort="medium"))
    assert simulator.chats[0].json["thinking"] == {"type": "enabled"}
    assert "caller" in answer.last.reasoning
    assert "caller" not in answer.text
    assert answer.last.usage.reasoning > 0


async def test_vendor_params_join_but_do_not_replace(simulator: MoonshotSimulator, open_model: OpenModel) -> None:
    extra = {
        "stop": ["every"],
        "model": "other",
        "stream": False,
        "top_p": 0.5,
        "max_tokens": 9,
        "safety_identifier": "x",
    }
    answer = await collect(open_model(), ask(vendor_params=extra))
    assert answer.text == "We are open from eleven in the morning to ten at night,"
    body = simulator.chats[0].json
    assert (body["model"], body["stream"], body["safety_identifier"]) == ("kimi-k2.6", True, "x")
    assert not {"top_p", "max_tokens"} & set(body)


async def test_hosts_of_the_open_weights_get_no_thinking_member(
    simulator: MoonshotSimulator, open_model: OpenModel
) -> None:
    from dataclasses import replace

    spec = replace(registry()["kimi-k2.6"], id="moonshotai/Kimi-K2.6", thinking="no", fixed_sampling=False)
    simulator.world.models = {spec.id: spec}
    await collect(open_model(), ask(model=spec.id, temperature=0.5))
    body = simulator.chats[0].json
    assert "thinking" not in body
    assert body["temperature"] == 0.5


async def test_tools_are_renamed_normalised_and_mapped_back(
    simulator: MoonshotSimulator, open_model: OpenModel
) -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "properties": {"where": {"oneOf": [{"type": "string"}, {"const": 7}], "type": "string"}, "n": {}},
        "required": ["where", "gone"],
    }
    tool = ToolDefinition("9.look up", "Finds places.", schema)
    simulator.say(ScriptedAnswer("One moment.", (ScriptedCall("tool_9_look_up", {"where": "Zürich"}),)))
    model = open_model()
    first = await collect(model, ask("where is it?", tools=(tool,)))
    assert first.text == "One moment."
    assert first.calls == [ToolCall("functions.tool_9_look_up:0", "9.look up", {"where": "Zürich"})]
    assert first.last.finish_reason == "tool"
    history = (
        UserMessage("where is it?"),
        AssistantMessage(first.text, tuple(first.calls)),
        ToolMessage(first.calls[0].id, "12 Harbour Street"),
    )
    second = await collect(model, ChatRequest("kimi-k2.6", history, (tool,)))
    assert second.text == "Here is what I found: 12 Harbour Street"
    before, after = simulator.chats[0].json, simulator.chats[1].json
    assert before["tools"] == after["tools"]


async def test_thinking_models_get_their_reasoning_back(simulator: MoonshotSimulator, open_model: OpenModel) -> None:
    call = ToolCall("functions.look:0", "look", {})
    history = (UserMessage("Look."), AssistantMessage("", (call,)), ToolMessage(call.id, "nothing"))
    await collect(open_model(), ChatRequest("kimi-k3", history))
    assert simulator.chats[0].messages[1]["reasoning_content"] == " "


async def test_connection_is_reused_after_a_complete_answer(
    simulator: MoonshotSimulator, open_model: OpenModel
) -> None:
    model = open_model()
    await model.warm_up()
    await collect(model, ask())
    await collect(model, ask("Where are you?"))
    assert [record.connection for record in simulator.requests] == [1, 1, 1]


async def test_closing_mid_answer_disconnects_at_once(simulator: MoonshotSimulator, open_model: OpenModel) -> None:
    simulator.world.pacing = Pacing(first_token_s=0.0, gap_s=0.05)
    stream = open_model().stream(ask("Tell me a story."))
    async with aclosing(stream):
        async for _ in stream:
            break
    closed_s = asyncio.get_running_loop().time()
    await until(lambda: simulator.chats[0].disconnected_s is not None)
    assert (simulator.chats[0].disconnected_s or 0) - closed_s < 0.1


@pytest.mark.parametrize("fault", ["stall_before_headers", "stall_before_content"])
async def test_cancelling_while_nothing_has_come_disconnects_at_once(
    simulator: MoonshotSimulator, open_model: OpenModel, fault: Any
) -> None:
    simulator.faults.add(Fault(fault))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(collect(open_model(), ask()))
        await until(lambda: bool(simulator.chats))
        task.cancel()
        cancelled_s = asyncio.get_running_loop().time()
    await until(lambda: simulator.chats[0].disconnected_s is not None)
    assert (simulator.chats[0].disconnected_s or 0) - cancelled_s < 0.1


async def test_cancelling_while_connecting_leaves_nothing_behind(open_model: OpenModel) -> None:
    with_backlog_full = open_model(base_url="http://10.255.255.1:9/v1")
    before = len(asyncio.all_tasks())
    async with asyncio.TaskGroup() as group:
        task = group.create_task(collect(with_backlog_full, ask()))
        for _ in range(5):
            await asyncio.sleep(0)
        task.cancel()
    await until(lambda: len(asyncio.all_tasks()) == before)
    assert task.cancelled()


@pytest.mark.parametrize("model", PAGE_MODELS)
async def test_models_of_2025_are_simply_used_at_an_endpoint_of_2025(
    simulator: MoonshotSimulator, open_model: OpenModel, model: str
) -> None:
    simulator.world.models = registry(date(2025, 9, 1))
    answer = await collect(open_model(), ask(model=model))
    assert answer.switches == []
    assert answer.last.model == model
    assert [record.status for record in simulator.chats] == [200]


@pytest.mark.parametrize("model", PAGE_MODELS)
async def test_retired_models_go_on_with_the_successor_and_say_so(
    simulator: MoonshotSimulator, open_model: OpenModel, model: str
) -> None:
    answer = await collect(open_model(), ask(model=model))
    assert answer.items[0] == ModelSwitched(model, "kimi-k2.6", "retired", "moonshot")
    assert answer.last.model == "kimi-k2.6"
    assert [record.status for record in simulator.chats] == [404, 200]
    again = await collect(open_model(), ask(model=model))
    assert again.switches == answer.switches
    assert simulator.chats[-1].model == "kimi-k2.6"
    assert len(simulator.chats) == 3


async def test_warm_up_saves_the_refused_request(simulator: MoonshotSimulator, open_model: OpenModel) -> None:
    model = open_model()
    await model.warm_up()
    answer = await collect(model, ask(model="kimi-latest"))
    assert answer.switches[0].used == "kimi-k2.6"
    assert [record.status for record in simulator.chats] == [200]


@pytest.mark.parametrize("warm", [False, True])
async def test_retired_models_are_refused_when_the_operator_wants_so(
    simulator: MoonshotSimulator, open_model: OpenModel, warm: bool
) -> None:
    model = open_model(retired_models="refuse")
    if warm:
        await model.warm_up()
    error = await failure(model, ask(model="kimi-k2-0711-preview"))
    assert isinstance(error, ModelUnavailableError)
    assert "retired on 2026-05-25, use one of " in str(error)
    assert "kimi-k2.6" in str(error)
    assert "kimi-k2.6" in error.remedy


async def test_unknown_models_are_refused_with_the_live_list(open_model: OpenModel) -> None:
    model = open_model()
    await model.warm_up()
    error = await failure(model, ask(model="kimi-k9-ultra"))
    assert isinstance(error, ModelUnavailableError)
    assert "kimi-k3.1-pro-highspeed" in str(error)


async def test_a_model_that_comes_back_is_used_again(simulator: MoonshotSimulator, open_model: OpenModel) -> None:
    model, specs = open_model(), simulator.world.models
    simulator.world.models = {}
    await failure(model, ask())
    simulator.world.models = specs
    answer = await collect(model, ask())
    assert answer.text


async def test_the_voice_model_itself_may_go(simulator: MoonshotSimulator, open_model: OpenModel) -> None:
    simulator.world.models = registry(date(2027, 2, 1))
    answer = await collect(open_model(), ask(model="moonshot-v1-8k"))
    assert answer.switches == [ModelSwitched("moonshot-v1-8k", "kimi-k3", "retired", "moonshot")]
    assert simulator.chats[-1].json["reasoning_effort"] == "low"


async def test_a_limit_eaten_by_thinking_is_an_error(simulator: MoonshotSimulator, open_model: OpenModel) -> None:
    simulator.faults.add(Fault("length_empty"))
    error = await failure(open_model(), ask())
    assert isinstance(error, RequestRejectedError)
    assert "maxTokens" in error.remedy


WIRES = [
    Wire(usage="choice"),
    Wire(usage="top", line_end="crlf", framing="split", later_ids="null", comments=True, final_delta="null-content"),
    Wire(usage="trailing", line_end="crlf", framing="coalesced", later_ids="empty"),
    Wire(usage="choice+trailing", framing="split", later_ids="empty", comments=True),
    Wire(usage="none", framing="coalesced", later_ids="null", comments=True, final_delta="null-content"),
]


@pytest.mark.parametrize("wire", WIRES)
async def test_every_variant_of_the_wire_reads_the_same(
    simulator: MoonshotSimulator, open_model: OpenModel, wire: Wire
) -> None:
    simulator.world.wire = wire
    calls = (ScriptedCall("get_weather", {"city": "Zürich 🌙", "days": 2}), ScriptedCall("get_time", {}))
    simulator.say(ScriptedAnswer("Grüezi, einen Moment – gleich! 请稍等。", calls))
    answer = await collect(open_model(), ask())
    assert answer.text == "Grüezi, einen Moment – gleich! 请稍等。"
    assert answer.calls == [
        ToolCall("functions.get_weather:0", "get_weather", {"city": "Zürich 🌙", "days": 2}),
        ToolCall("functions.get_time:1", "get_time", {}),
    ]
    assert (answer.last.usage.output > 0) == (wire.usage != "none")


async def test_cached_tokens_are_no_input_tokens(simulator: MoonshotSimulator, open_model: OpenModel) -> None:
    long = SystemMessage("You are a receptionist. " * 200)
    model = open_model()
    first = await collect(model, ChatRequest("kimi-k2.6", (long, UserMessage("Hello"))))
    second = await collect(model, ChatRequest("kimi-k2.6", (long, UserMessage("Where are you?"))))
    assert first.last.usage.cache_read == 0
    assert second.last.usage.cache_read > 500
    assert second.last.usage.input < 500


async def test_an_answer_in_one_piece_is_read_too(simulator: MoonshotSimulator, open_model: OpenModel) -> None:
    simulator.world.wire = Wire(stream=False)
    simulator.say(ScriptedAnswer("Yes.", (ScriptedCall("look", {"a": 1}),)))
    answer = await collect(open_model(), ask())
    assert (answer.text, answer.calls[0].arguments, answer.last.finish_reason) == ("Yes.", {"a": 1}, "tool")


async def test_unreadable_tool_arguments_become_empty(simulator: MoonshotSimulator, open_model: OpenModel) -> None:
    simulator.say(ScriptedAnswer("", (ScriptedCall("look", raw='{"a":'),)))
    answer = await collect(open_model(), ask())
    assert answer.calls == [ToolCall("functions.look:0", "look", {})]


async def test_an_account_of_the_lowest_tier_has_no_request_to_spare(open_model: OpenModel) -> None:
    model = open_model()
    request = ChatRequest("kimi-k2.6", ())
    assert model.outlook(request).caches_prefix
    await model.warm_up()
    assert model.outlook(request).caches_prefix, "the simulator's account is of tier 3"
    model._knowledge.tier = "enterprise-tier-0"
    assert not model.outlook(request).caches_prefix
