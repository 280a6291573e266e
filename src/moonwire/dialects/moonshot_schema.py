"""Rewrites a tool's JSON schema into the subset that Moonshot accepts ("Moonshot flavored JSON schema").

Done once per agent, never per turn: a refused schema ends every turn of a call. Meaning is kept where the subset can
express it and widened where it cannot; key order is kept, so that the vendor's prefix cache stays warm.

Source: MoonshotAI/walle (the published validator, 2026-06) and live error texts, read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

Schema = dict[str, object]

_TYPES = frozenset({"null", "boolean", "object", "array", "number", "integer", "string"})
_TEXTS = ("description", "title")
_OF_TYPE: dict[str, tuple[str, ...]] = {
    "object": ("properties", "required", "additionalProperties"),
    "array": ("items", "minItems", "maxItems"),
    "string": ("minLength", "maxLength"),
    "number": ("minimum", "maximum"),
    "integer": ("minimum", "maximum"),
}
_RESERVED_PROPERTIES = frozenset({"$defs", "$ref", "anyOf", "required", "additionalProperties"})
_MAX_BRANCHES = 10
_MAX_DEPTH = 5
_MAX_PROPERTIES = 100
_MAX_ENUM = 250
_MAX_NODES = 1000
"""Our own bound on the work for one schema: references that fan out cannot grow without end."""

_MAX_INTEGER = 2**53 - 1


def normalise_parameters(parameters: Mapping[str, object]) -> Schema:
    """Return an equivalent or wider schema of the accepted subset; the input is not changed, nothing is raised."""
    return _Normaliser(parameters).root()


class _Normaliser:
    """One schema's rewriting: knows the definitions, the way down (for cycles) and what is left of the limits."""

    def __init__(self, schema: Mapping[str, object]) -> None:
        self._schema = schema
        self._properties_left = _MAX_PROPERTIES
        self._nodes_left = _MAX_NODES

    def root(self) -> Schema:
        source, path = self._resolve(self._schema, ())
        schema = self._flatten(source, path)
        # The root must be an object: alternatives there become one object with all their properties, none required.
        for branch in self._branches(schema):
            resolved, below = self._resolve(branch, path)
            alternative = self._flatten(resolved, below)
            alternative.pop("required", None)
            for key, value in alternative.items():
                schema[key] = _joined(schema.get(key), value)
        written = self._object(schema, path, 0)
        return {"type": "object", **{key: value for key, value in written.items() if key != "type"}}

    def _write(self, raw: object, path: tuple[str, ...], depth: int) -> Schema:
        given = _mapping(raw)
        self._nodes_left -= 1
        if not given or self._nodes_left < 0:
            return {"type": "string"}
        source, path = self._resolve(given, path)
        schema = self._flatten(source, path)
        branches = self._branches(schema)
        if branches:
            return self._union(schema, branches, path, depth)
        if isinstance(schema.get("enum"), list):
            return self._enum(schema)
        kinds = _kinds(schema)
        if len(kinds) > 1:
            return self._union(schema, [{**schema, "type": kind} for kind in kinds], path, depth)
        match kinds[0]:
            case "object":
                return self._object(schema, path, depth)
            case "array":
                return self._array(schema, path, depth)
            case kind:
                return _scalar(schema, kind)

    def _resolve(self, schema: Mapping[str, object], path: tuple[str, ...]) -> tuple[Schema, tuple[str, ...]]:
        """Follow local references, keeping the text beside them; a cycle or a foreign reference becomes an object."""
        found = dict(schema)
        while isinstance(reference := found.pop("$ref", None), str):
            target = self._lookup(reference)
            if reference in path or target is None:
                return {"type": "object", **{key: found[key] for key in _TEXTS if key in found}}, path
            path = (*path, reference)
            found = {**target, **found}
        return found, path

    def _lookup(self, reference: str) -> Mapping[str, object] | None:
        if not reference.startswith("#"):
            return None
        found: Mapping[str, object] | None = self._schema
        for step in filter(None, reference[1:].split("/")):
            found = _mapping(found.get(_unescaped(step))) if found is not None else None
        return found

    def _flatten(self, schema: Mapping[str, object], path: tuple[str, ...]) -> Schema:
        """Merge `allOf` into its parent; nullable (OpenAPI) becomes a type list."""
        merged = {key: value for key, value in schema.items() if key != "allOf"}
        for part in _schemas(schema.get("allOf")):
            resolved, below = self._resolve(part, path)
            for key, value in self._flatten(resolved, below).items():
                merged[key] = _joined(merged.get(key), value)
        if merged.pop("nullable", None) is True and isinstance(merged.get("type"), str):
            merged["type"] = [merged["type"], "null"]
        if "const" in merged:
            merged["enum"] = [merged.pop("const")]
        return merged

    def _branches(self, schema: Schema) -> list[Schema]:
        raw = [*_schemas(schema.get("anyOf")), *_schemas(schema.get("oneOf"))]
        shared = {key: value for key, value in schema.items() if key not in {"anyOf", "oneOf", *_TEXTS, "default"}}
        return [{**shared, **branch} for branch in raw]

    def _union(self, schema: Schema, branches: list[Schema], path: tuple[str, ...], depth: int) -> Schema:
        bare = [{key: value for key, value in branch.items() if key not in _TEXTS} for branch in branches]
        written: list[Schema] = []
        for branch, plain in zip(branches, bare, strict=True):
            kept = branch if "anyOf" in schema or "oneOf" in schema else plain
            result = self._write(kept, path, depth)
            nested = result.get("anyOf")
            for option in cast("list[Schema]", nested) if isinstance(nested, list) else [result]:
                if option not in written:
                    written.append(option)
        if len(written) == 1:
            return {**_texts(schema), **written[0], **_texts(schema)}
        return {**_texts(schema), "anyOf": written[:_MAX_BRANCHES]}

    def _enum(self, schema: Schema) -> Schema:
        values = [value for value in cast("list[object]", schema["enum"]) if _is_enumerable(value)]
        nullable = None in values
        solid = [value for value in values if value is not None]
        if not solid:
            return {**_texts(schema), "type": "null" if nullable else "string"}
        if len({isinstance(value, str) for value in solid}) > 1 or any(isinstance(value, bool) for value in solid):
            if all(isinstance(value, bool) for value in solid):
                return {**_texts(schema), "type": ["boolean", "null"] if nullable else "boolean"}
            solid = [value if isinstance(value, str) else str(value) for value in solid]
        kind = "string" if isinstance(solid[0], str) else "number"
        if kind == "number" and all(isinstance(value, int) for value in solid):
            kind = "integer"
        written: Schema = {**_texts(schema), "type": [kind, "null"] if nullable else kind}
        unique = list(dict.fromkeys(solid))
        if len(unique) <= _MAX_ENUM:
            written["enum"] = [*unique, None] if nullable else unique
        return written

    def _object(self, schema: Schema, path: tuple[str, ...], depth: int) -> Schema:
        written: Schema = {**_texts(schema), "type": "object"}
        if depth >= _MAX_DEPTH:
            return written
        properties: dict[str, Schema] = {}
        for name, value in (_mapping(schema.get("properties")) or {}).items():
            if name in _RESERVED_PROPERTIES or self._properties_left <= 0:
                continue
            self._properties_left -= 1
            properties[name] = self._write(value, path, depth + 1)
        written["properties"] = properties
        required = schema.get("required")
        if isinstance(required, list):
            names = [name for name in cast("list[object]", required) if isinstance(name, str) and name in properties]
            if names:
                written["required"] = list(dict.fromkeys(names))
        extra = schema.get("additionalProperties")
        if isinstance(extra, bool):
            written["additionalProperties"] = extra
        elif (given := _mapping(extra)) is not None:
            written["additionalProperties"] = self._write(given, path, depth + 1) if given else {}
        return written

    def _array(self, schema: Schema, path: tuple[str, ...], depth: int) -> Schema:
        written: Schema = {**_texts(schema), "type": "array"}
        if depth >= _MAX_DEPTH:
            return written
        tuple_items = _schemas(schema.get("items")) or _schemas(schema.get("prefixItems"))
        items = {"anyOf": tuple_items} if tuple_items else _mapping(schema.get("items"))
        if items:
            written["items"] = self._write(items, path, depth + 1)
        _copy_numbers(schema, written, ("minItems", "maxItems"))
        return written


def _kinds(schema: Schema) -> list[str]:
    declared = schema.get("type")
    options = cast("list[object]", declared) if isinstance(declared, list) else [declared]
    kinds = [kind for kind in options if isinstance(kind, str) and kind in _TYPES]
    if kinds:
        return kinds
    for kind, members in _OF_TYPE.items():
        if any(member in schema for member in members):
            return [kind]
    return ["string"]


def _scalar(schema: Schema, kind: str) -> Schema:
    written: Schema = {**_texts(schema), "type": kind}
    _copy_numbers(schema, written, _OF_TYPE.get(kind, ()))
    default = schema.get("default")
    if isinstance(default, str | bool) or _is_number(default):
        written["default"] = default
    return written


def _copy_numbers(source: Schema, target: Schema, keys: Sequence[str]) -> None:
    target.update((key, source[key]) for key in keys if _is_number(source.get(key)))


def _is_number(value: object) -> bool:
    # Large floats are printed in scientific notation, which the vendor refuses.
    return isinstance(value, int | float) and not isinstance(value, bool) and 1e-4 <= abs(value or 1) <= _MAX_INTEGER


def _is_enumerable(value: object) -> bool:
    return value is None or isinstance(value, str | bool) or _is_number(value)


def _texts(schema: Schema) -> Schema:
    return {key: value for key in _TEXTS if isinstance(value := schema.get(key), str) and value}


def _schemas(value: object) -> list[Schema]:
    if not isinstance(value, list):
        return []
    return [
        dict(cast("Mapping[str, object]", item)) for item in cast("list[object]", value) if isinstance(item, Mapping)
    ]


def _mapping(value: object) -> Mapping[str, object] | None:
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else None


def _joined(first: object, second: object) -> object:
    """Combine one keyword of two schemas that both apply; later parts win where there is nothing to join."""
    if isinstance(first, dict) and isinstance(second, dict):
        return cast("Schema", {**first, **second})
    if isinstance(first, list) and isinstance(second, list):
        left = cast("list[object]", first)
        return left + [item for item in cast("list[object]", second) if item not in left]
    return second


def _unescaped(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")
