"""The history: what happened is stored, what vendors insist on is added to requests."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from moonwire.core.dialog.history import CANCELLED, OPENING, History
from moonwire.core.dialog.messages import (
    AssistantMessage,
    Message,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)

SYSTEM = SystemMessage("Be kind.")
CALL = ToolCall("functions.weather:0", "weather", {"city": "Oslo"})
OTHER = ToolCall("functions.time:1", "time", {})


def test_greeting_request_begins_with_a_stand_in_for_the_caller() -> None:
    history = History(" Be kind. ")
    assert history.messages() == (SYSTEM, UserMessage(OPENING))
    history.add_assistant("Hello!")
    history.add_user("Hi.")
    assert history.messages() == (SYSTEM, UserMessage(OPENING), AssistantMessage("Hello!"), UserMessage("Hi."))


def test_caller_who_begins_needs_no_stand_in() -> None:
    history = History("Be kind.", opening="(start)")
    history.add_user("Hi.")
    assert history.messages() == (SYSTEM, UserMessage("Hi."))
    assert History(opening="(start)").messages() == (UserMessage("(start)"),)


def test_consecutive_turns_of_the_caller_are_one() -> None:
    history = History()
    history.add_user("I need a table")
    history.add_user(" ")
    history.add_user(" for two.")
    assert history.messages() == (UserMessage("I need a table for two."),)


def test_nothing_heard_is_nothing_said() -> None:
    history = History()
    history.add_user("Tell me")
    history.add_assistant("  ")
    history.add_user("the time.")
    assert history.messages() == (UserMessage("Tell me the time."),)


def test_two_replies_in_a_row_are_one() -> None:
    history = History()
    history.add_user("Hi.")
    history.add_assistant("Hello.", "r1")
    history.add_assistant("Are you there?", "r2")
    assert history.messages()[1:] == (AssistantMessage("Hello. Are you there?", reasoning="r1r2"),)


def test_prompt_is_said_once_and_not_stored() -> None:
    history = History()
    history.add_user("Hi.")
    assert history.messages("Ask again.") == (UserMessage("Hi.\nAsk again."),)
    history.add_assistant("Hello.")
    assert history.messages("Ask again.")[-1] == UserMessage("Ask again.")
    assert history.messages() == (UserMessage("Hi."), AssistantMessage("Hello."))


def test_instructions_can_be_replaced() -> None:
    history = History("Be kind.")
    history.replace_instructions(" Be brief. ")
    assert history.instructions == "Be brief."
    assert history.messages()[0] == SystemMessage("Be brief.")


def test_context_stays_in_its_place() -> None:
    history = History("Be kind.")
    history.add_user("Hi.")
    history.add_context("The caller is Ann.")
    history.add_context(" ")
    history.add_user("It is me.")
    assert history.messages() == (
        SYSTEM,
        UserMessage("Hi."),
        SystemMessage("The caller is Ann."),
        UserMessage("It is me."),
    )


def test_tool_results_stand_behind_their_call() -> None:
    history = History()
    history.add_user("Weather?")
    history.add_tool_calls("Let me see.", [CALL, OTHER], "thought")
    assert history.add_tool_result(OTHER.id, "noon")
    history.add_user("Hello?")
    assert history.messages() == (
        UserMessage("Weather?"),
        AssistantMessage("Let me see.", (CALL, OTHER), "thought"),
        ToolMessage(CALL.id, CANCELLED),
        ToolMessage(OTHER.id, "noon"),
        UserMessage("Hello?"),
    )
    assert history.add_tool_result(CALL.id, "sunny")
    assert history.messages()[2] == ToolMessage(CALL.id, "sunny")


def test_result_without_call_is_refused() -> None:
    history = History()
    assert not history.add_tool_result("functions.x:9", "late")
    assert history.messages() == (UserMessage(OPENING),)


def test_id_used_twice() -> None:
    history = History()
    history.add_user("Weather?")
    history.add_tool_calls("", [CALL])
    history.add_tool_result(CALL.id, "sunny")
    history.add_tool_calls("", [CALL])
    history.add_tool_result(CALL.id, "rainy")
    history.add_tool_result(CALL.id, "rainy again")
    results = [message.text for message in history.messages() if isinstance(message, ToolMessage)]
    assert results == ["sunny", "rainy again"]


def test_seed_and_any_message() -> None:
    seed: list[Message] = [
        SystemMessage("Context."),
        UserMessage("Hi."),
        AssistantMessage("", (CALL,)),
        ToolMessage(CALL.id, "sunny"),
        ToolMessage("orphan", "lost"),
        AssistantMessage("Sunny."),
        AssistantMessage(""),
    ]
    assert History(seed=seed).messages() == (*seed[:4], AssistantMessage("Sunny."))


TEXTS = st.sampled_from(["", " ", "one", "two words"])
IDS = st.sampled_from(["a:0", "b:1", "c:2"])
MESSAGES = st.one_of(
    TEXTS.map(SystemMessage),
    TEXTS.map(UserMessage),
    st.builds(
        AssistantMessage,
        TEXTS,
        st.lists(IDS, max_size=2, unique=True).map(lambda ids: tuple(ToolCall(i, "f", {}) for i in ids)),
    ),
    st.builds(ToolMessage, IDS, st.just("result")),
)


@given(script=st.lists(MESSAGES, max_size=15), instructions=TEXTS, prompt=TEXTS)
def test_every_request_is_acceptable(script: list[Message], instructions: str, prompt: str) -> None:
    history = History(instructions)
    for message in script:
        history.add(message)
    messages = list(history.messages(prompt))
    spoken = [message for message in messages if not isinstance(message, SystemMessage)]
    assert isinstance(spoken[0], UserMessage)
    open_ids: list[str] = []
    for message in messages:
        if isinstance(message, ToolMessage):
            assert open_ids.pop(0) == message.tool_call_id
            continue
        assert not open_ids
        assert message.text.strip() or (isinstance(message, AssistantMessage) and message.tool_calls)
        open_ids = [call.id for call in message.tool_calls] if isinstance(message, AssistantMessage) else []
    assert not open_ids
    if prompt.strip():
        assert isinstance(messages[-1], UserMessage)


@given(script=st.lists(MESSAGES, min_size=1, max_size=12))
def test_requests_share_their_beginning(script: list[Message]) -> None:
    history = History("Be kind.")
    history.add_user("Hi.")
    before = history.messages()
    for message in script:
        if not isinstance(message, UserMessage):
            history.add(message)
    assert history.messages()[: len(before)] == before


def test_words_can_be_taken_back_with_what_followed() -> None:
    history = History("Be kind.")
    history.add_user("Hi.")
    history.add_assistant("Hello.")
    before = history.messages()
    history.add_user("Something terrible.")
    history.add_tool_calls("", [CALL])
    assert history.withdraw_user()
    assert history.messages() == before
    assert history.withdraw_user()
    assert not history.withdraw_user()
    assert history.messages() == (SYSTEM, UserMessage(OPENING))
