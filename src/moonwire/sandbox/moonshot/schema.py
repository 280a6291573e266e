"""Judges tool schemas as Moonshot does ("Moonshot flavored JSON schema"), for the simulator.

Independent of our normaliser, so that the two can be tested against each other.
Source: MoonshotAI/walle validator rules (2026-06), read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

_TYPES = frozenset({"null", "boolean", "object", "array", "number", "integer", "string"})
_TEXTS = frozenset({"description", "title"})
_KEYWORDS = _TEXTS | frozenset(
    {
        "type", "properties", "required", "additionalProperties", "items", "enum", "anyOf", "$ref", "minimum",
        "maximum", "minLength", "maxLength", "minItems", "maxItems", "default",
    }
)  # fmt: skip
_ROOT_KEYWORDS = _KEYWORDS | {"$defs", "$id"}
_RESERVED = frozenset({"$defs", "$ref", "anyOf", "required", "additionalProperties"})
_MAX_PROPERTIES, _MAX_LEVELS, _MAX_ENUM, _MAX_INTEGER = 100, 5, 500, 2**53 - 1

Schema = Mapping[str, object]


class _Complaint(Exception):  # noqa: N818 - carries a position and text to the top of the walk
    pass


def complaint(parameters: object) -> str | None:
    """Return why a tool's `parameters` are refused, or None when they are accepted."""
    if not isinstance(parameters, Mapping) or cast("Schema", parameters).get("type") != "object":
        return 'tools.function.parameters.type is required and must be "object"'
    try:
        _Walk(cast("Schema", parameters)).root()
    except _Complaint as found:
        return f"tools.function.parameters is not a valid moonshot flavored json schema, details: <{found}>"
    return None


class _Walk:
    def __init__(self, root: Schema) -> None:
        self._root = root
        self._properties = 0

    def root(self) -> None:
        definitions = self._root.get("$defs", {})
        if not isinstance(definitions, Mapping):
            raise _Complaint("At path '$defs': must be an object")
        self._schema(self._root, "", 0, _ROOT_KEYWORDS)
        for name, schema in cast("Schema", definitions).items():
            if "/" in name:
                raise _Complaint(f"At path '$defs.{name}': names must not contain '/'")
            self._schema(schema, f"$defs.{name}", 1, _KEYWORDS)

    def _schema(self, value: object, path: str, level: int, allowed: frozenset[str] = _KEYWORDS) -> None:
        if not isinstance(value, Mapping):
            raise _Complaint(f"At path '{path}': must be a schema")
        schema = cast("Schema", value)
        if level > _MAX_LEVELS:
            raise _Complaint(f"At path '{path}': more than {_MAX_LEVELS} nesting levels")
        for keyword in schema:
            if keyword not in allowed:
                raise _Complaint(f"At path '{path}': keyword '{keyword}' is not supported")
        if "anyOf" in schema:
            self._any_of(schema, path, level)
        elif "$ref" in schema:
            self._reference(schema, path)
        else:
            self._typed(schema, path, level)

    def _any_of(self, schema: Schema, path: str, level: int) -> None:
        if "type" in schema:
            raise _Complaint(
                f"At path '{path}': when using anyOf, type should be defined in anyOf items "
                "instead of the parent schema"
            )
        if extra := set(schema) - _TEXTS - {"anyOf", "$defs", "$id"}:
            raise _Complaint(f"At path '{path}': '{min(extra)}' must not stand beside anyOf")
        branches = schema["anyOf"]
        if not isinstance(branches, list) or not 1 <= len(cast("list[object]", branches)) <= 10:
            raise _Complaint(f"At path '{path}.anyOf': must have 1 to 10 items")
        for index, branch in enumerate(cast("list[object]", branches)):
            self._schema(branch, f"{path}.anyOf.{index}", level)

    def _reference(self, schema: Schema, path: str) -> None:
        reference = schema["$ref"]
        if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/$defs/")):
            raise _Complaint(f"At path '{path}': references must start with #/$defs/...")
        target = cast("Schema", self._root.get("$defs", {})).get(reference.removeprefix("#/$defs/"))
        if reference != "#" and not isinstance(target, Mapping):
            raise _Complaint(f"At path '{path}': '{reference}' is not defined")
        if "description" in schema and isinstance(target, Mapping) and "description" in target:
            raise _Complaint(f"At path '{path}': conflicting keywords found after $ref expansion: description")

    def _typed(self, schema: Schema, path: str, level: int) -> None:
        kind = schema.get("type")
        kinds = cast("list[object]", kind) if isinstance(kind, list) else [kind]
        if kind is None:
            raise _Complaint(f"At path '{path}': type is not defined")
        if not kinds or any(entry not in _TYPES for entry in kinds):
            raise _Complaint(f"At path '{path}': unknown type")
        if isinstance(kind, list):
            self._type_list(schema, kinds, path)
        if "enum" in schema:
            self._enum(schema["enum"], kinds, path)
        self._members(schema, path, level)
        if "items" in schema:
            if not schema["items"]:
                raise _Complaint(f"At path '{path}.items': must be one non-empty schema")
            self._schema(schema["items"], f"{path}.items", level + 1)
        for keyword in ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"):
            if keyword in schema and not _plain_number(schema[keyword]):
                raise _Complaint(f"At path '{path}.{keyword}': must be a plain number")
        if isinstance(schema.get("default"), list | dict):
            raise _Complaint(f"At path '{path}.default': only scalars")

    def _type_list(self, schema: Schema, kinds: list[object], path: str) -> None:
        if "enum" in schema:
            if len(kinds) > 2 or (len(kinds) == 2 and kinds[1] != "null"):
                raise _Complaint(f"At path '{path}': type beside enum has at most two entries, the second null")
        elif extra := set(schema) - _TEXTS - {"type"}:
            raise _Complaint(f"At path '{path}': '{min(extra)}' must not stand beside a type list")

    def _members(self, schema: Schema, path: str, level: int) -> None:
        properties = schema.get("properties", {})
        if not isinstance(properties, Mapping):
            raise _Complaint(f"At path '{path}.properties': must be an object")
        known = cast("Schema", properties)
        for name, value in known.items():
            where = f"{path}.properties.{name}".lstrip(".")
            self._properties += 1
            if name in _RESERVED:
                raise _Complaint(f"At path '{where}': reserved property name")
            if self._properties > _MAX_PROPERTIES:
                raise _Complaint(f"At path '{where}': more than {_MAX_PROPERTIES} properties")
            self._schema(value, where, level + 1)
        required = schema.get("required", [])
        if not isinstance(required, list) or any(name not in known for name in cast("list[object]", required)):
            raise _Complaint(f"At path '{path}.required': names a property that does not exist")
        extra = schema.get("additionalProperties", True)
        if isinstance(extra, Mapping):
            if extra:
                self._schema(cast("Schema", extra), f"{path}.additionalProperties", level + 1)
        elif not isinstance(extra, bool):
            raise _Complaint(f"At path '{path}.additionalProperties': must be a boolean or a schema")

    def _enum(self, enum: object, kinds: list[object], path: str) -> None:
        values = cast("list[object]", enum) if isinstance(enum, list) else []
        solid = [value for value in values if value is not None]
        if not values or len(values) > _MAX_ENUM:
            raise _Complaint(f"At path '{path}.enum': must have 1 to {_MAX_ENUM} values")
        texts = all(isinstance(value, str) for value in solid)
        if not texts and not all(_plain_number(value) for value in solid):
            raise _Complaint(f"At path '{path}.enum': values must be strings or numbers of one type")
        if solid and kinds[0] not in ({"string"} if texts else {"number", "integer"}):
            raise _Complaint(f"At path '{path}.enum': values do not fit the type")
        if None in values and "null" not in kinds:
            raise _Complaint(f"At path '{path}.enum': null does not fit the type")
        if len(values) > 250 and sum(len(str(value)) for value in values) > 7500:
            raise _Complaint(f"At path '{path}.enum': too long")


def _plain_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= _MAX_INTEGER and "e" not in repr(value)
