from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonwire.dialects.moonshot_schema import normalise_parameters
from moonwire.sandbox.moonshot.schema import complaint


def normal(schema: Any) -> Any:
    before = copy.deepcopy(schema)
    result = normalise_parameters(schema)
    assert schema == before, "the input is not changed"
    assert complaint(result) is None, complaint(result)
    return result


def member(schema: Any, **root: Any) -> Any:
    """Return how one property's schema is rewritten."""
    return normal({"type": "object", "properties": {"x": schema}, **root})["properties"]["x"]


def test_an_acceptable_schema_keeps_its_meaning_and_order() -> None:
    schema = {
        "type": "object",
        "properties": {
            "city": {"description": "Where.", "type": "string", "minLength": 1},
            "days": {"type": "integer", "minimum": 1, "maximum": 7, "default": 1},
            "unit": {"type": "string", "enum": ["c", "f"]},
            "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
        },
        "required": ["city"],
        "additionalProperties": False,
    }
    assert normal(schema) == schema
    assert list(normal(schema)["properties"]) == ["city", "days", "unit", "tags"]


@pytest.mark.parametrize("schema", [{}, {"type": "object"}, {"type": "string"}, {"$schema": "x", "title": "T"}])
def test_the_root_is_always_an_object(schema: Any) -> None:
    assert normal(schema)["type"] == "object"


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ({}, {"type": "string"}),
        (True, {"type": "string"}),
        ({"properties": {}}, {"type": "object", "properties": {}}),
        ({"items": {}}, {"type": "array"}),
        ({"minimum": 3}, {"type": "number", "minimum": 3}),
        ({"type": "string", "format": "date", "pattern": "x", "examples": []}, {"type": "string"}),
        ({"const": "a"}, {"type": "string", "enum": ["a"]}),
        ({"enum": [1, 2, None]}, {"type": ["integer", "null"], "enum": [1, 2, None]}),
        ({"enum": ["a", 1, "a"]}, {"type": "string", "enum": ["a", "1"]}),
        ({"enum": [True, False]}, {"type": "boolean"}),
        ({"enum": [None]}, {"type": "null"}),
        ({"type": "integer", "minimum": 1e300, "maximum": 1e-9}, {"type": "integer"}),
        ({"additionalProperties": {}}, {"type": "object", "properties": {}, "additionalProperties": {}}),
        ({"prefixItems": [{"type": "string"}], "type": "array"}, {"type": "array", "items": {"type": "string"}}),
    ],
)  # fmt: skip
def test_single_members(given: Any, written: Any) -> None:
    assert member(given) == written


def test_alternatives_carry_their_own_type() -> None:
    schema = {"type": "string", "description": "D", "oneOf": [{"minLength": 2}, {"const": "x"}]}
    assert member(schema) == {
        "description": "D",
        "anyOf": [{"type": "string", "minLength": 2}, {"type": "string", "enum": ["x"]}],
    }


def test_optional_members_of_frameworks() -> None:
    """What pydantic and MCP servers write for `int | None = None`."""
    schema = {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None, "title": "X"}
    assert member(schema) == {"title": "X", "anyOf": [{"type": "integer"}, {"type": "null"}]}
    assert member({"type": ["integer", "null"], "minimum": 1}) == {
        "anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]
    }
    assert member({"type": "integer", "nullable": True}) == {"anyOf": [{"type": "integer"}, {"type": "null"}]}


def test_nested_and_single_alternatives_are_flattened() -> None:
    nested = {"anyOf": [{"anyOf": [{"type": "string"}, {"type": "null"}]}, {"type": "null"}]}
    assert member(nested) == {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert member({"anyOf": [{"type": "string", "description": "in"}], "description": "out"}) == {
        "description": "out",
        "type": "string",
    }


def test_all_of_is_merged() -> None:
    schema = {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
            {"properties": {"b": {"type": "number"}}, "required": ["b"]},
        ]
    }
    written = member(schema)
    assert list(written["properties"]) == ["a", "b"]
    assert written["required"] == ["a", "b"]


def test_references_are_written_out_and_cycles_end() -> None:
    definitions = {
        "Node": {
            "type": "object",
            "description": "A node.",
            "properties": {"next": {"$ref": "#/$defs/Node"}, "name": {"$ref": "#/$defs/a~1b"}},
        },
        "a/b": {"type": "string"},
    }
    written = member({"$ref": "#/$defs/Node", "description": "The first."}, **{"$defs": definitions})
    assert written["description"] == "The first."
    assert written["properties"] == {"next": {"type": "object", "properties": {}}, "name": {"type": "string"}}
    for unknown in ("https://example.com/x", "#/nowhere/0"):
        assert member({"$ref": unknown}) == {"type": "object", "properties": {}}
    assert member({"$ref": "#"}, description="R")["description"] == "R"


def test_a_root_of_alternatives_becomes_one_object() -> None:
    schema = {
        "anyOf": [
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
            {"$ref": "#/$defs/B"},
        ],
        "$defs": {"B": {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"]}},
    }
    assert normal(schema) == {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}


def test_limits_are_kept() -> None:
    deep: Any = {"type": "string"}
    for _ in range(9):
        deep = {"type": "object", "properties": {"in": deep}}
    normal(deep)
    wide = normal({"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(150)}})
    assert len(wide["properties"]) == 100
    assert "enum" not in member({"enum": [f"v{n}" for n in range(600)]})
    fan: Any = {"$defs": {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)}}
    normal({**fan, "properties": {"x": {"$ref": "#/$defs/d0"}}})


KEYWORDS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(
            ["string", "object", "array", "integer", "null", "nonsense", ["string", "null"], 7, []]
        ),
        "description": st.sampled_from(["d", "", 5]),
        "enum": st.sampled_from([["a"], [1, None], [], ["a", {}], [True], 5]),
        "const": st.sampled_from(["x", None, 5, [1]]),
        "minimum": st.sampled_from([0, 1.5, True, "x", 10**30]),
        "required": st.sampled_from([["a"], ["zz"], "a", [1]]),
        "additionalProperties": st.sampled_from([True, False, {}, {"type": "string"}, 5]),
        "default": st.sampled_from(["x", {}, None, 1e300]),
        "format": st.just("date"),
        "$ref": st.sampled_from(["#", "#/$defs/A", "#/$defs/B", "x", 5]),
        "nullable": st.booleans(),
    },
)


def _extended(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(children, max_size=3)
    extra = st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.sampled_from(["a", "b", "required", "$ref"]), children, max_size=3),
            "items": st.one_of(children, lists),
            "anyOf": lists,
            "oneOf": lists,
            "allOf": lists,
        },
    )
    return st.builds(lambda left, right: {**left, **right}, KEYWORDS, extra)


SCHEMAS = st.recursive(st.one_of(KEYWORDS, st.sampled_from([True, None, 5, []])), _extended, max_leaves=12)


@given(_extended(SCHEMAS), st.dictionaries(st.sampled_from(["A", "B"]), SCHEMAS, max_size=2))
def test_any_schema_becomes_acceptable(schema: Any, definitions: Any) -> None:
    assert normal({**schema, "$defs": definitions}) is not None
