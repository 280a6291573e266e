from __future__ import annotations

from typing import Any

import pytest

from moonwire.sandbox.moonshot import Lines, Receptionist, ScriptedAnswer, ScriptedCall
from moonwire.sandbox.moonshot.script import GREETING, STORY
from moonwire.sandbox.moonshot.tokens import pieces


def said(*texts: str) -> list[dict[str, object]]:
    return [{"role": "user" if index % 2 == 0 else "assistant", "content": text} for index, text in enumerate(texts)]


def answer(*texts: str, tools: Any = ()) -> ScriptedAnswer:
    return Receptionist().answer([{"role": "system", "content": "x"}, *said(*texts)], tools)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Hello, what are your opening hours?", "eleven"),
        ("Can I book a table for two tomorrow?", "seven"),
        ("Please tell me a story about the moon.", "lonely"),
        ("Wait, stop please.", "listening"),
        ("What is the price?", "dollars"),
        ("Where are you?", "Harbour"),
        ("How is the weather?", "dry"),
        ("Thank you, goodbye.", "Goodbye"),
        ("你们几点开门？", "十一点"),
        ("Please greet the caller.", "Luna"),
        ("(hi)", "Hello"),
    ],
)
def test_keywords_find_their_answer(text: str, word: str) -> None:
    assert word in answer(text).text


def test_other_words_are_quoted_and_answers_vary() -> None:
    first = answer("purple elephants dance at night").text
    later = answer("purple elephants", "Oh.", "they dance", "Yes.", "purple elephants dance at night").text
    assert "purple elephants dance at night" in first
    assert first != later


def test_an_unclear_beginning_is_greeted() -> None:
    assert answer("...").text == GREETING
    assert Receptionist().answer([], ()).text == GREETING


def test_a_fitting_tool_is_called_and_its_result_told() -> None:
    schema = {
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer"},
            "unit": {"enum": ["c"]},
            "now": {"type": "boolean"},
        }
    }
    tools = [{"function": {"name": "get_time"}}, {"function": {"name": "get_weather", "parameters": schema}}]
    found = answer("the weather in London for 3 days?", tools=tools)
    assert found.calls == (ScriptedCall("get_weather", {"city": "London", "days": 3, "unit": "c", "now": True}),)
    told = Receptionist().answer([*said("Hi"), {"role": "tool", "content": "sunny"}], tools)
    assert "sunny" in told.text


def test_lines_come_first() -> None:
    lines = Lines(["One.", ScriptedAnswer("Two.")])
    lines.add("Three.")
    texts = [lines.answer(said("Tell me a story."), ()).text for _ in range(4)]
    assert texts == ["One.", "Two.", "Three.", STORY]


def test_pieces_make_the_text() -> None:
    text = "Well, it's 7:30 – 我们 open!"
    assert "".join(pieces(text)) == text
    assert len(pieces(text)) > 8
