"""A tool whose schema a vendor refuses: offered plainly, or named."""

from __future__ import annotations

from typing import Any

import pytest

from moonwire.errors import RequestRejectedError, VendorWords
from moonwire.ports.llm import ToolDefinition
from moonwire.vendors.chat_tools import OfferedTools, name_tools, plain_parameters

WEATHER: dict[str, Any] = {
    "properties": {
        "city": {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "Where."},
        "days": {"type": "integer", "multipleOf": 2},
        "hours": {"type": "array", "items": {"type": "integer"}},
        "more": {"type": "object", "properties": {"x": {"not": {}}}},
    },
    "required": ["city", "gone"],
}


def test_an_outline_keeps_names_types_and_descriptions() -> None:
    assert plain_parameters(WEATHER) == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "Where."},
            "days": {"type": "integer"},
            "hours": {"type": "array", "items": {"type": "string"}},
            "more": {"type": "object"},
        },
        "required": ["city"],
    }
    for strange in ({}, {"properties": 3, "required": "x"}, {"properties": {"a": None}}):
        assert plain_parameters(strange)["type"] == "object"


def test_tools_are_written_when_they_change_and_stay_plain() -> None:
    tools = OfferedTools(lambda parameters: {"as": "given", **parameters})
    one = [ToolDefinition("get weather", "d", WEATHER)]
    tools.offer(one, plain=False)
    written = tools.written
    tools.offer(list(one), plain=False)
    assert tools.written is written
    tools.offer(one, plain=True)
    assert "as" not in str(tools.written)
    tools.offer([*one, ToolDefinition("second", "", {})], plain=False)
    assert "as" not in str(tools.written), "a vendor that refused one schema is not provoked again"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("details: <At path 'properties.city': type is not defined>", "get_weather"),
        ("Invalid schema for function 'book': True is not of type 'array'", "book"),
        ("tools are wrong", "get_weather, book"),
    ],
)
def test_the_tool_in_question_is_named(text: str, names: str) -> None:
    error = RequestRejectedError("x", vendor="v", said=VendorWords("tool-schema", text=text))
    name_tools(error, [ToolDefinition("get_weather", "", WEATHER), ToolDefinition("book", "", {})])
    assert f"of the tool {names}:" in error.remedy
