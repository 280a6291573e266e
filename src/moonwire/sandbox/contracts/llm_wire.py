"""What a language-model adapter must put on the wire, judged by the latest request that the vendor's simulator got.

With contracts/llm.py it covers what jambonz's own kit asks of an adapter (`@jambonz/llm` 0.6.3, 2026-11-23);
a number in brackets is the kit's. The rest of that kit ([1]-[4], [15], [16]) concerns manifests, credentials, the Test
and models without tools, and has tests of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from moonwire.core.dialog.messages import AssistantMessage, Message, SystemMessage, ToolCall, ToolMessage, UserMessage
from moonwire.ports.llm import ChatRequest
from moonwire.sandbox.contracts.llm import WEATHER, LlmBench, collect

Sent = Callable[[], Mapping[str, Any]]
"""Gives the latest chat request's JSON body."""

Check = Callable[[LlmBench, Sent], Awaitable[None]]

CALL = ToolCall("call_7", "get_weather", {"city": "Bern"})


async def check_text_comes_in_pieces(bench: LlmBench, sent: Sent) -> None:
    """Text is given away as it comes, in two pieces at least [8]."""
    del sent
    bench.say("One two three four five six seven eight nine ten.")
    answer = await collect(bench.model, bench.request())
    _require(sum(isinstance(item, str) for item in answer.items) >= 2, "the text came in one piece")


async def check_conversation_arrives_whole(bench: LlmBench, sent: Sent) -> None:
    """The system prompt comes first [17], what both have said follows in order [19]."""
    bench.say("Fine.")
    turns = (UserMessage("One?"), AssistantMessage("Two."), UserMessage("Three?"))
    await collect(bench.model, ChatRequest(bench.model_id, (SystemMessage("Be brief."), *turns)))
    said = [(str(message["role"]), str(message["content"])) for message in _messages(sent)]
    _require(said[0][1] == "Be brief.", "the system prompt is not first")
    _require(said[1:] == [("user", "One?"), ("assistant", "Two."), ("user", "Three?")], f"changed: {said}")


async def check_tool_result_names_its_call(bench: LlmBench, sent: Sent) -> None:
    """A result carries the id of its call [21], and its text as it is [13]."""
    call, result = await _tool_round(bench, sent, "")
    _require(call["tool_calls"][0]["id"] == result["tool_call_id"], "the result belongs to no call")
    _require(result["content"] == '{"sky":"clear"}', "the result was changed")


async def check_words_before_a_call_are_kept(bench: LlmBench, sent: Sent) -> None:
    """What was said before a tool was called stands in the same message [22]."""
    call, _ = await _tool_round(bench, sent, "Let me look.")
    _require(call["content"] == "Let me look.", "the words before the call are lost")


async def check_no_words_before_a_call(bench: LlmBench, sent: Sent) -> None:
    """A call without words carries no empty text [23]."""
    call, _ = await _tool_round(bench, sent, "")
    _require(call.get("content") is None, f"an empty text was sent: {call.get('content')!r}")


async def check_same_history_same_request(bench: LlmBench, sent: Sent) -> None:
    """The same conversation gives the same request, which is what a vendor's prefix cache needs [14]."""
    await _tool_round(bench, sent, "Let me look.")
    first = sent()
    await _tool_round(bench, sent, "Let me look.")
    _require(sent() == first, "two requests differ")


async def check_empty_conversation(bench: LlmBench, sent: Sent) -> None:
    """A request without messages is refused in plain words before anything is sent [18]."""
    del sent
    try:
        await collect(bench.model, ChatRequest(bench.model_id, ()))
    except ValueError as refusal:
        _require("message" in str(refusal), f"unclear: {refusal}")
    else:
        raise AssertionError("an empty request was sent")


CHECKS = (
    check_text_comes_in_pieces,
    check_conversation_arrives_whole,
    check_tool_result_names_its_call,
    check_words_before_a_call_are_kept,
    check_no_words_before_a_call,
    check_same_history_same_request,
    check_empty_conversation,
)


async def _tool_round(bench: LlmBench, sent: Sent, said: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the call's and the result's message as the vendor saw them."""
    history: tuple[Message, ...] = (
        *bench.request("The weather in Bern?").messages,
        AssistantMessage(said, (CALL,)),
        ToolMessage(CALL.id, '{"sky":"clear"}'),
    )
    bench.say("It is clear.")
    await collect(bench.model, ChatRequest(bench.model_id, history, (WEATHER,)))
    messages = _messages(sent)
    call = next(message for message in messages if message.get("tool_calls"))
    result = next(message for message in messages if message["role"] == "tool")
    return call, result


def _messages(sent: Sent) -> Sequence[Mapping[str, Any]]:
    return sent()["messages"]


def _require(condition: bool, complaint: str) -> None:
    if not condition:
        raise AssertionError(complaint)
