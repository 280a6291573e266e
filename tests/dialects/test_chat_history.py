from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from moonwire.core.dialog.messages import AssistantMessage, Message, SystemMessage, ToolCall, ToolMessage, UserMessage
from moonwire.dialects.chat_history import CANCELLED_RESULT, chat_messages
from moonwire.dialects.tool_names import ToolNames
from moonwire.sandbox.moonshot.registry import registry
from moonwire.sandbox.moonshot.validation import validate

NAMES = ToolNames()
CALL = ToolCall("functions.look:0", "look", {"a": "ü"})


def test_a_plain_conversation() -> None:
    messages = (SystemMessage("Be brief."), UserMessage("Hi"), AssistantMessage("Hello.", reasoning="x"))
    assert chat_messages(messages, NAMES) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello."},
    ]


def test_nothing_empty_is_sent() -> None:
    messages = (SystemMessage(" "), UserMessage("\n"), AssistantMessage(""), AssistantMessage(" "), UserMessage("Hi"))
    assert chat_messages(messages, NAMES) == [{"role": "user", "content": "Hi"}]


def test_results_follow_their_call_at_once_and_in_order() -> None:
    other = ToolCall("functions.look:1", "look", {})
    messages: tuple[Message, ...] = (
        UserMessage("Look."),
        AssistantMessage("", (CALL, other)),
        SystemMessage("The caller is in Zürich."),
        ToolMessage(other.id, "two"),
        ToolMessage(CALL.id, "one"),
        ToolMessage(CALL.id, "again"),
    )
    written = chat_messages(messages, NAMES)
    assert [message["role"] for message in written] == ["user", "assistant", "tool", "tool", "system"]
    assert [message.get("content") for message in written[2:4]] == ["one", "two"]
    assert "content" not in written[1]
    function: Any = written[1]["tool_calls"]
    assert function[0]["function"]["arguments"] == '{"a":"ü"}'


def test_a_call_without_result_gets_one_and_orphans_are_dropped() -> None:
    messages = (ToolMessage("x", "orphan"), AssistantMessage("So.", (CALL,)), UserMessage("Wait."))
    written = chat_messages(messages, NAMES)
    assert written[1] == {"role": "tool", "tool_call_id": CALL.id, "content": CANCELLED_RESULT}
    assert [message["role"] for message in written] == ["assistant", "tool", "user"]


def test_an_empty_result_is_no_cancelled_call() -> None:
    written = chat_messages((AssistantMessage("", (CALL,)), ToolMessage(CALL.id, "")), NAMES)
    assert written[1]["content"] == "null"


def test_ids_may_repeat_over_a_conversation() -> None:
    messages = (
        AssistantMessage("", (CALL,)), ToolMessage(CALL.id, "one"), AssistantMessage("", (CALL, CALL)),
        ToolMessage(CALL.id, "two"),
    )  # fmt: skip
    contents = [message["content"] for message in chat_messages(messages, NAMES) if message["role"] == "tool"]
    assert contents == ["one", "two"]


def test_reasoning_goes_back_as_the_policy_says() -> None:
    messages = (AssistantMessage("a", reasoning="why"), AssistantMessage("b"), AssistantMessage("c", (CALL,)))

    def echoed(policy: Any) -> list[object]:
        written = chat_messages(messages, NAMES, policy)
        return [message.get("reasoning_content") for message in written if message["role"] == "assistant"]

    assert echoed("drop") == [None, None, None]
    assert echoed("tool-calls") == ["why", None, " "]
    assert echoed("always") == ["why", " ", " "]


def test_tool_names_in_history_are_those_offered() -> None:
    call = ToolCall("1", "9.look up", {})
    written: Any = chat_messages((AssistantMessage("", (call,)),), ToolNames(["9.look up"]))
    assert written[0]["tool_calls"][0]["function"]["name"] == "tool_9_look_up"


TEXTS = st.sampled_from(["", " ", "Hello.", "我想订位", "a" * 30])
IDS = st.sampled_from(["functions.a:0", "functions.a:1", "x", ""])
CALLS = st.builds(ToolCall, IDS, st.sampled_from(["a", "", "look_up", "9.x"]), st.just({"q": 1}))
MESSAGES = st.one_of(
    st.builds(SystemMessage, TEXTS),
    st.builds(UserMessage, TEXTS),
    st.builds(AssistantMessage, TEXTS, st.lists(CALLS, max_size=3).map(tuple), TEXTS),
    st.builds(ToolMessage, IDS, TEXTS),
)


@given(st.lists(MESSAGES, max_size=12), st.sampled_from(["kimi-k2.6", "kimi-k3", "kimi-k2.7-code"]), st.booleans())
def test_any_history_is_accepted_by_a_strict_vendor(history: list[Message], model: str, thinking: bool) -> None:
    policy = "drop" if model == "kimi-k2.6" and not thinking else "always"
    body: dict[str, object] = {
        "model": model,
        "messages": chat_messages([*history, UserMessage("Hi")], NAMES, policy),
        "max_completion_tokens": 400,
    }
    if model == "kimi-k2.6":
        body["thinking"] = {"type": "enabled" if thinking else "disabled"}
    assert validate(body, registry())


@given(st.lists(st.text("ab9 ._-ü", max_size=70), max_size=6))
def test_every_tool_name_becomes_acceptable_unique_and_comes_back(names: list[str]) -> None:
    mapping = ToolNames(names)
    sent = [mapping.to_vendor(name) for name in dict.fromkeys(names)]
    assert len(set(sent)) == len(sent)
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{2,63}", name) for name in sent)
    assert [mapping.to_application(name) for name in sent] == list(dict.fromkeys(names))


def test_good_names_keep_themselves() -> None:
    mapping = ToolNames(["look up", "look_up", "a", "über_alles", "x" * 70, "x" * 71])
    assert mapping.to_vendor("look_up") == "look_up"
    assert mapping.to_vendor("look up") == "look_up_2"
    assert mapping.to_vendor("a") == "a__"
    assert mapping.to_vendor("über_alles") == "tool__ber_alles"
    assert mapping.to_vendor("x" * 71) == "x" * 62 + "_2"
    assert mapping.to_vendor("gone") == "gone"
    assert mapping.to_application("made_up") == "made_up"
