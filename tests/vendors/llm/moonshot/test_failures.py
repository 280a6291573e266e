"""What a failing Moonshot does to an answer: error classes, retries, repairs, time limits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from moonwire.core.dialog.messages import AssistantMessage, SystemMessage, ToolCall, ToolMessage, UserMessage
from moonwire.errors import (
    ContextTooLongError,
    CredentialError,
    QuotaError,
    RateLimitError,
    RequestRejectedError,
    VendorError,
    VendorOverloadedError,
    VendorTimeoutError,
    VendorUnavailableError,
)
from moonwire.ports.llm import ChatRequest, ToolDefinition
from moonwire.sandbox.contracts.llm import collect, failure
from moonwire.sandbox.moonshot import SANDBOX_KEYS, Fault, MoonshotSimulator, Pacing, ScriptedAnswer, ScriptedCall, Wire
from moonwire.sandbox.moonshot.limits import Meter, Tier
from moonwire.sandbox.moonshot.registry import ModelSpec
from moonwire.vendors.chat_completions import ChatCompletions
from moonwire.vendors.chat_vendor import ChatLimits, ConnectOptions
from moonwire.vendors.llm.moonshot import profile

OpenModel = Callable[..., ChatCompletions]

ASK = ChatRequest("kimi-k2.6", (SystemMessage("You are a receptionist."), UserMessage("Where are you?")))
HURRIED = ConnectOptions(timeout_s=0.15)


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        ("quota", QuotaError, "balance"),
        ("rpm", RateLimitError, "rate limit"),
        ("tpm", RateLimitError, "rate limit"),
        ("tpd", RateLimitError, "rate limit"),
        ("permission", CredentialError, "may not"),
        ("content_filter", VendorError, "moderation"),
    ],
)
async def test_errors_that_repeating_cannot_help_are_raised_at_once(
    simulator: MoonshotSimulator, open_model: OpenModel, fault: Any, error: type[VendorError], says: str
) -> None:
    simulator.faults.add(Fault(fault))
    caught = await failure(open_model(), ASK)
    assert isinstance(caught, error)
    assert says in str(caught)
    assert caught.remedy
    assert caught.request_id == simulator.chats[0].request_id
    assert len(simulator.chats) == 1


async def test_a_key_of_the_other_region_names_both(simulator: MoonshotSimulator, open_model: OpenModel) -> None:
    caught = await failure(open_model(key=SANDBOX_KEYS["china"][0]), ASK)
    assert isinstance(caught, CredentialError)
    assert "api.moonshot.ai" in caught.remedy
    assert "api.moonshot.cn" in caught.remedy
    assert SANDBOX_KEYS["china"][0] not in f"{caught}{caught!r}{caught.remedy}"


async def test_blanks_around_the_key_are_removed(simulator: MoonshotSimulator, open_model: OpenModel) -> None:
    await collect(open_model(key=f"\u00a0{SANDBOX_KEYS['global'][0]}\u200b\r\n"), ASK)
    assert simulator.chats[0].key == SANDBOX_KEYS["global"][0]


@pytest.mark.parametrize("suffix", ["/", "/chat/completions", "/models/", "//chat/completions/"])
async def test_a_pasted_endpoint_is_understood(
    simulator: MoonshotSimulator, open_model: OpenModel, base_url: str, suffix: str
) -> None:
    await collect(open_model(base_url=f" {base_url}{suffix}\u200b"), ASK)
    await collect(open_model(base_url=base_url.removesuffix("/v1").replace("http", "ws")), ASK)
    assert len(simulator.chats) == 2


async def test_account_ids_are_masked(simulator: MoonshotSimulator, open_model: OpenModel) -> None:
    simulator.faults.add(Fault("quota"))
    text = str(await failure(open_model(), ASK))
    assert "org-***" in text
    assert "ak-***" in text
    assert "0f3a9c1d2b" not in text


@pytest.mark.parametrize(
    "fault",
    ["overloaded", "server_error", "unavailable", "bad_gateway_html", "reset_before_headers", "html_200", "redirect",
     "error_first", "empty_stream"],
)  # fmt: skip
async def test_passing_trouble_is_tried_again(simulator: MoonshotSimulator, open_model: OpenModel, fault: Any) -> None:
    simulator.faults.add(Fault(fault, times=1))
    answer = await collect(open_model(), ASK)
    assert answer.text.startswith("We are at twelve")
    assert len(simulator.chats) == 2


async def test_overload_is_tried_three_times_and_told(simulator: MoonshotSimulator, open_model: OpenModel) -> None:
    simulator.faults.add(Fault("overloaded"))
    caught = await failure(open_model(), ASK)
    assert isinstance(caught, VendorOverloadedError)
    assert "fallback" in caught.remedy
    assert len(simulator.chats) == 3


async def test_a_slow_refusal_is_not_repeated_for_ever(
    simulator: MoonshotSimulator, open_model: OpenModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profile, "_QUICK", ChatLimits(retry_budget_s=0.2))
    simulator.faults.add(Fault("overloaded", delay_s=0.15))
    await failure(open_model(), ASK)
    assert len(simulator.chats) == 1


@pytest.mark.parametrize(("retry_after", "requests"), [(None, 2), (0, 2), (20, 1)])
async def test_a_rate_limit_is_waited_for_only_if_short(
    simulator: MoonshotSimulator, open_model: OpenModel, retry_after: int | None, requests: int
) -> None:
    simulator.faults.add(Fault("concurrency", times=1, retry_after=retry_after))
    if requests == 2:
        await collect(open_model(), ASK)
    else:
        caught = await failure(open_model(), ASK)
        assert caught.retry_after_s == 20
    assert len(simulator.chats) == requests


async def test_retries_can_be_switched_off(simulator: MoonshotSimulator, open_model: OpenModel) -> None:
    simulator.faults.add(Fault("unavailable"))
    await failure(open_model(ConnectOptions(max_retries=0)), ASK)
    assert len(simulator.chats) == 1


async def test_an_unreachable_host_is_named_as_such(open_model: OpenModel, unused_tcp_port: int) -> None:
    caught = await failure(open_model(base_url=f"http://127.0.0.1:{unused_tcp_port}/v1"), ASK)
    assert isinstance(caught, VendorUnavailableError)
    assert "refuses the connection" in str(caught)


async def test_a_wrong_path_is_no_missing_model(open_model: OpenModel, base_url: str) -> None:
    caught = await failure(open_model(base_url=base_url.replace("/v1", "/v2")), ASK)
    assert isinstance(caught, RequestRejectedError)
    assert "/v1" in caught.remedy


@pytest.mark.parametrize("fault", ["stall_before_headers", "stall_before_content", "stall_with_comments"])
async def test_a_stall_before_the_first_word_is_tried_once_more(
    simulator: MoonshotSimulator, open_model: OpenModel, fault: Any
) -> None:
    simulator.faults.add(Fault(fault, times=1))
    answer = await collect(open_model(HURRIED), ASK)
    assert answer.text
    assert [record.disconnected_s is not None for record in simulator.chats] == [True, False]
    simulator.faults.add(Fault(fault))
    caught = await failure(open_model(HURRIED), ASK)
    assert isinstance(caught, VendorTimeoutError)
    assert "0.15 s" in str(caught)
    assert len(simulator.chats) == 4


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("reset_mid_stream", "broke off"),
        ("eof_mid_stream", "broke off"),
        ("malformed_chunk", "cannot be read"),
        ("error_mid_stream", "failed on its side"),
    ],
)
async def test_an_answer_that_breaks_off_is_never_repeated(
    simulator: MoonshotSimulator, open_model: OpenModel, fault: Any, error: str
) -> None:
    simulator.world.pacing = Pacing(first_token_s=0.0, gap_s=0.01)
    simulator.faults.add(Fault(fault))
    with pytest.raises(VendorUnavailableError, match=error):
        await collect(open_model(), ASK)
    assert len(simulator.chats) == 1


async def test_a_stall_in_the_middle_ends_the_answer(
    simulator: MoonshotSimulator, open_model: OpenModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profile, "_QUICK", ChatLimits(idle_s=0.1))
    simulator.faults.add(Fault("stall_mid_stream"))
    with pytest.raises(VendorTimeoutError, match="stalled"):
        await collect(open_model(), ASK)
    assert len(simulator.chats) == 1


@pytest.mark.parametrize("fault", ["no_done", "no_finish"])
async def test_a_missing_formality_at_the_end_is_forgiven(
    simulator: MoonshotSimulator, open_model: OpenModel, fault: Any
) -> None:
    simulator.faults.add(Fault(fault))
    answer = await collect(open_model(), ASK)
    assert answer.last.finish_reason == "stop"


async def test_half_a_tool_call_is_never_given_away(simulator: MoonshotSimulator, open_model: OpenModel) -> None:
    simulator.faults.add(Fault("no_finish"))
    simulator.say(*[ScriptedAnswer("", (ScriptedCall("look", {"a": 1}),))] * 2)
    caught = await failure(open_model(), ASK)
    assert isinstance(caught, VendorUnavailableError)


async def test_filtered_output_is_told_in_the_end(simulator: MoonshotSimulator, open_model: OpenModel) -> None:
    simulator.faults.add(Fault("content_filter_mid_stream"))
    answer = await collect(open_model(), ASK)
    assert answer.last.finish_reason == "filtered"


async def test_a_host_that_knows_no_thinking_is_learned_once(
    simulator: MoonshotSimulator, open_model: OpenModel
) -> None:
    simulator.faults.add(Fault("unknown_thinking"))
    model = open_model()
    await collect(model, ASK)
    await collect(model, ASK)
    assert ["thinking" in record.json for record in simulator.chats] == [True, False, False]


async def test_refused_effort_and_tool_choice_are_taken_back(
    simulator: MoonshotSimulator, open_model: OpenModel
) -> None:
    extra = {"tool_choice": "required"}
    await collect(open_model(), ChatRequest("kimi-k2.7-code", ASK.messages, vendor_params=extra))
    assert "tool_choice" not in simulator.chats[0].json
    named = {"tool_choice": {"type": "function", "function": {"name": "look up"}}}
    tools = (ToolDefinition("look up", "", {}),)
    for model in ("kimi-k2.6", "kimi-k3"):
        asked = ChatRequest(model, ASK.messages, tools, reasoning_effort="high", vendor_params=named)
        await collect(open_model(), asked)
        await collect(open_model(), replace(asked, vendor_params=extra))
    quick, quick_any, deep, deep_any = (record.json for record in simulator.chats[1:])
    assert quick["thinking"] == {"type": "disabled"}, "the choice wins over the effort"
    assert quick["tool_choice"] == {"type": "function", "function": {"name": "look_up"}}
    assert ["tool_choice" in body for body in (quick_any, deep)] == [False, False]
    assert deep_any["tool_choice"] == "required"


async def test_a_conversation_over_the_limit_is_told_at_once(
    simulator: MoonshotSimulator, open_model: OpenModel
) -> None:
    filler = [UserMessage("word " * 1200), AssistantMessage("word " * 1200)] * 12
    small = ModelSpec("moonshot-v1-8k", date(2024, 2, 1), None, 8_192, 1024, fixed_sampling=False)
    simulator.world.models[small.id] = small
    model = open_model()
    caught = await failure(model, ChatRequest("moonshot-v1-8k", (ASK.messages[0], *filler)))
    assert isinstance(caught, ContextTooLongError), "the call shortens what it keeps, not the adapter what it sends"
    assert caught.overrun > 3
    assert len(simulator.chats) == 1
    assert model.outlook(ChatRequest("moonshot-v1-8k", ())).context_tokens == 8_192


async def test_one_call_at_a_time_on_the_lowest_tier(simulator: MoonshotSimulator, open_model: OpenModel) -> None:
    key = SANDBOX_KEYS["global"][0]
    simulator.world.meters[key] = Meter(Tier(concurrency=1, rpm=3), "<org-1234><ak-1234>")
    for _ in range(3):
        await collect(open_model(), ASK)
    caught = await failure(open_model(), ASK)
    assert isinstance(caught, RateLimitError)
    assert caught.retry_after_s is not None
    assert caught.retry_after_s > 50


async def test_a_strict_host_accepts_what_we_send(simulator: MoonshotSimulator, open_model: OpenModel) -> None:
    simulator.world.wire = Wire(unknown_fields="refuse")
    call = ToolCall("functions.look:0", "look", {})
    history = (UserMessage("Look."), AssistantMessage("", (call,)), ToolMessage(call.id, ""), UserMessage("And?"))
    for model in simulator.world.models:
        await collect(open_model(), ChatRequest(model, history))
    assert {record.status for record in simulator.chats} == {200}


async def test_thinking_is_waited_for_where_it_cannot_be_avoided(
    simulator: MoonshotSimulator, open_model: OpenModel
) -> None:
    simulator.world.pacing = Pacing(first_token_s=0.0, gap_s=0.0, thinking_s=0.5)
    answer = await collect(open_model(), ChatRequest("kimi-k3", ASK.messages))
    assert answer.last.first_content_ms > 100
    assert answer.last.reasoning


async def test_warm_up_never_raises(simulator: MoonshotSimulator, open_model: OpenModel, unused_tcp_port: int) -> None:
    await open_model(base_url=f"http://127.0.0.1:{unused_tcp_port}/v1").warm_up()
    await open_model(key="sk-wrong").warm_up()
    assert simulator.chats == []


async def test_a_running_warm_up_does_not_delay_an_answer(simulator: MoonshotSimulator, open_model: OpenModel) -> None:
    simulator.faults.add(Fault("slow_models", delay_s=30.0))
    model = open_model()
    async with asyncio.TaskGroup() as group:
        warming = group.create_task(model.warm_up())
        async with asyncio.timeout(1.0):
            answer = await collect(model, ASK)
        warming.cancel()
    assert answer.last.finish_reason


async def test_a_refused_tool_schema_is_offered_plainly_once_and_for_all(
    simulator: MoonshotSimulator, open_model: OpenModel
) -> None:
    simulator.faults.add(Fault("tool_schema"))
    schema = {"properties": {"city": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}
    request = ChatRequest("kimi-k2.6", ASK.messages, (ToolDefinition("get_weather", "", schema),))
    model = open_model()
    first, second = await collect(model, request), await collect(model, request)
    assert [change.change for change in first.changes] == ["plain-schemas"]
    assert second.changes == []
    assert [chat.status for chat in simulator.chats] == [400, 200, 200]
    sent: Any = simulator.chats[2].json["tools"]
    assert sent[0]["function"]["parameters"]["properties"] == {"city": {"type": "string"}}


async def test_a_tool_that_is_refused_also_plainly_is_named(
    simulator: MoonshotSimulator, open_model: OpenModel
) -> None:
    simulator.faults.add(Fault("tool_schema"))
    tool = ToolDefinition("anyOf_weather", "", {})  # the simulator looks for this word
    caught = await failure(open_model(), ChatRequest("kimi-k2.6", ASK.messages, (tool,)))
    assert isinstance(caught, RequestRejectedError)
    assert "anyOf_weather" in caught.remedy
    assert len(simulator.chats) == 2
