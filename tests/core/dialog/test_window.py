"""The context window: learns what a byte costs, shortens rarely and by much."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from moonwire.core.dialog.history import CUT_NOTE, History
from moonwire.core.dialog.messages import AssistantMessage, SystemMessage, ToolCall, ToolMessage, UserMessage
from moonwire.core.dialog.window import ContextWindow, size_of


def talk(turns: int, words: int = 100) -> History:
    history = History("Be kind.")
    for turn in range(turns):
        history.add_user(f"question {turn} " + "q" * words)
        history.add_assistant(f"answer {turn} " + "a" * words)
    return history


def test_a_conversation_that_fits_is_left_alone() -> None:
    assert ContextWindow().goal(1000, 8192, 400) is None
    assert ContextWindow().goal(10**9, None, 400) is None, "an unknown model is believed until it refuses"


def test_the_vendors_counts_decide_what_fits() -> None:
    window = ContextWindow()
    window.asked(20_000)
    assert window.goal(20_000, 8192, 400) is not None, "three bytes each"
    window.counted(4_000)
    assert window.goal(20_000, 8192, 400) is None, "five bytes each"


def test_a_refusal_is_believed_whatever_was_known() -> None:
    window = ContextWindow()
    window.asked(10_000)
    window.refused()
    goal = window.goal(10_000, None, 400)
    assert goal is not None
    assert goal < 5_000
    assert window.goal(9_000, 1_000_000, 400) is not None, "also later"


def test_an_answer_larger_than_the_context_leaves_room_for_the_prompt() -> None:
    assert ContextWindow().goal(5_000, 8192, 10**6) is None


def test_the_oldest_turns_go_and_the_next_ones_stay_for_long() -> None:
    history = talk(100)
    forgotten = history.forget(5_000)
    assert forgotten.messages > 100
    first, second = history.messages()[:2]
    assert first == SystemMessage("Be kind.")
    assert isinstance(second, UserMessage), "what is left begins with the caller"
    beginning = history.messages()
    history.add_user("more")
    assert history.messages()[: len(beginning)] == beginning
    assert not history.forget(5_000 + size_of([UserMessage("more")]))


def test_the_applications_notes_stay() -> None:
    history = talk(3)
    history.add_context("The caller is Ada.")
    for turn in range(50):
        history.add_user(f"{turn} " + "q" * 100)
        history.add_assistant("a" * 100)
    history.forget(2_000)
    assert history.messages()[1] == SystemMessage("The caller is Ada.")


def test_too_many_notes_do_not_crowd_out_the_conversation() -> None:
    history = History()
    for number in range(100):
        history.add_context(f"note {number} " + "n" * 100)
    history.add_user("one")
    history.add_assistant("two")
    history.add_user("three")
    history.forget(2_000)
    notes = [message.text for message in history.messages() if isinstance(message, SystemMessage)]
    assert 1 < len(notes) < 20
    assert notes[-1].startswith("note 99")


def test_calls_and_results_go_together() -> None:
    history = History()
    for number in range(20):
        history.add_user("q" * 50)
        history.add_tool_calls("", [ToolCall(f"f:{number}", "f", {})])
        history.add_tool_result(f"f:{number}", "r" * 50)
        history.add_assistant("a" * 50)
    history.forget(1_000)
    told = history.messages()
    asked = [call.id for message in told if isinstance(message, AssistantMessage) for call in message.tool_calls]
    assert asked == [message.tool_call_id for message in told if isinstance(message, ToolMessage)]
    assert asked[-1] == "f:19"
    assert not history.add_tool_result("f:0", "late"), "a late result of a forgotten call has no place"


def test_a_result_as_long_as_the_context_loses_its_end() -> None:
    history = History()
    history.add_user("look it up")
    history.add_tool_calls("", [ToolCall("f:0", "f", {}), ToolCall("f:1", "f", {})])
    history.add_tool_result("f:0", "é" * 30_000)
    history.add_tool_result("f:1", "short")
    assert history.forget(8_000).cut_results == 1
    assert size_of(history.messages()) <= 8_100
    long, short = (message.text for message in history.messages() if isinstance(message, ToolMessage))
    assert long.endswith(CUT_NOTE)
    assert long.startswith("éé")
    assert short == "short"


@given(
    st.lists(st.tuples(st.sampled_from("uanrt"), st.integers(0, 400)), max_size=40),
    st.integers(0, 3000),
)
def test_whatever_was_said_stays_acceptable_and_shrinks(moves: list[tuple[str, int]], goal: int) -> None:
    history = History("Be kind.")
    for number, (kind, size) in enumerate(moves):
        match kind:
            case "u":
                history.add_user("u" * size)
            case "a":
                history.add_assistant("a" * size)
            case "n":
                history.add_context("n" * size)
            case "r":
                history.add_tool_calls("", [ToolCall(f"f:{number}", "f", {"x": size})])
            case _:
                history.add_tool_result(f"f:{number - 1}", "t" * size)
    before = history.messages()
    history.forget(goal)
    after = history.messages()
    assert size_of(after) <= size_of(before) + 100, "the stand-in for the caller may come back"
    assert after[0] == before[0]
    last = [message for message in before if isinstance(message, UserMessage)][-1]
    assert last in after
    again = history.forget(goal)
    assert not again.messages
