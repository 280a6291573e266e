from __future__ import annotations

from typing import Any

import pytest

from moonwire.sandbox.moonshot.schema import complaint


def root(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {}, **members}


def member(schema: Any) -> dict[str, Any]:
    return root(properties={"x": schema})


def nested(levels: int) -> Any:
    schema: Any = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"in": schema}}
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        root(),
        member({"type": "string", "minLength": 1, "default": "x"}),
        member({"type": ["string", "null"], "description": "d"}),
        member({"type": ["string", "null"], "enum": ["a", None]}),
        member({"type": "integer", "enum": [1, 2]}),
        member({"type": "array", "items": {"type": "string"}}),
        member({"anyOf": [{"type": "string"}, {"type": "null"}], "title": "t"}),
        member({"type": "object", "additionalProperties": {"type": "number"}}),
        root(**{"$defs": {"A": {"type": "string"}}, "$id": "x"}, properties={"x": {"$ref": "#/$defs/A"}}),
        member({"$ref": "#"}),
        nested(5),
    ],
)
def test_accepted(schema: Any) -> None:
    assert complaint(schema) is None


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (None, "is required"),
        ({"type": "string"}, "is required"),
        (member({}), "At path 'properties.x': type is not defined"),
        (member(5), "must be a schema"),
        (member({"type": "text"}), "unknown type"),
        (member({"type": "string", "pattern": "x"}), "'pattern' is not supported"),
        (root(**{"$schema": "x"}), "'$schema' is not supported"),
        (member({"anyOf": [{"type": "string"}], "type": "string"}), "type should be defined in anyOf items"),
        (member({"anyOf": [{"type": "string"}], "enum": ["x"]}), "must not stand beside anyOf"),
        (member({"anyOf": []}), "1 to 10"),
        (member({"$ref": "other.json"}), "references must start with"),
        (member({"$ref": "#/$defs/None"}), "is not defined"),
        (root(**{"$defs": 5}), "must be an object"),
        (root(**{"$defs": {"a/b": {"type": "string"}}}), "must not contain '/'"),
        (
            root(
                **{"$defs": {"A": {"type": "string", "description": "a"}}},
                properties={"x": {"$ref": "#/$defs/A", "description": "b"}},
            ),
            "conflicting keywords found after $ref expansion: description",
        ),
        (member({"type": ["string", "null"], "minLength": 1}), "beside a type list"),
        (member({"type": ["null", "string"], "enum": ["a"]}), "at most two entries"),
        (member({"type": "string", "enum": []}), "1 to 500"),
        (member({"type": "string", "enum": [1, "a"]}), "of one type"),
        (member({"type": "integer", "enum": ["a"]}), "do not fit"),
        (member({"type": "string", "enum": ["a", None]}), "null does not fit"),
        (member({"type": "string", "enum": ["x" * 40 + str(n) for n in range(260)]}), "too long"),
        (member({"type": "array", "items": {}}), "non-empty"),
        (member({"type": "number", "minimum": 1e300}), "plain number"),
        (member({"type": "number", "minimum": True}), "plain number"),
        (member({"type": "string", "default": {}}), "only scalars"),
        (root(properties=5), "must be an object"),
        (root(properties={"anyOf": {"type": "string"}}), "reserved"),
        (root(properties={f"p{n}": {"type": "string"} for n in range(101)}), "more than 100"),
        (root(required=["x"]), "does not exist"),
        (root(additionalProperties=5), "boolean or a schema"),
        (nested(6), "nesting levels"),
    ],
)
def test_refused(schema: Any, words: str) -> None:
    text = complaint(schema)
    assert text is not None
    assert words in text
