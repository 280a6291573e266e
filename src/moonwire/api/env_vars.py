"""Compares an application's environment variables with the schema that the application declares.

What is missing or has another type is refused, as jambonz does; a value outside the declared `enum` is kept with a
warning, so that an application can be run on a model its author did not know.

Source: jambonz environment-variable discovery (`{KEY: {type, required?, default?, enum?}}`), docs.jambonz.org,
read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, cast

from moonwire.api.errors import ApiError

_TYPES: Mapping[str, tuple[type, ...]] = {"string": (str,), "number": (int, float), "boolean": (bool,)}


def check_env_vars(schema: Mapping[str, Any], given: Mapping[str, Any], kept: Collection[str] = ()) -> list[str]:
    """Return warnings about the given values; variables in `kept` are set already and not shown.

    Raises:
        ApiError: 400, a required value is missing or has another type; the text never holds the value.
    """
    warnings: list[str] = []
    for name, declared in schema.items():
        if not isinstance(declared, Mapping):
            continue
        rule = cast("Mapping[str, Any]", declared)
        value = given.get(name)
        if value is None:
            if rule.get("required") and (name in given or name not in kept):
                raise ApiError(400, f"Missing required value env_vars.{name}", "env-vars")
            continue
        if not _has_type(value, str(rule.get("type"))):
            raise ApiError(400, f"Invalid value/type for env_vars.{name}", "env-vars")
        allowed = rule.get("enum")
        if isinstance(allowed, list) and value not in allowed:
            warnings.append(f"env_vars.{name} is none of the values the application names; it was saved as it is.")
    return warnings


def secret_names(schema: Mapping[str, Any]) -> list[str]:
    """Return the variables that the application declares `obscure`."""
    rules = {name: cast("Mapping[str, Any]", rule) for name, rule in schema.items() if isinstance(rule, Mapping)}
    return [name for name, rule in rules.items() if rule.get("obscure")]


def _has_type(value: object, kind: str) -> bool:
    """Compare with a JavaScript type; one we do not know takes everything."""
    if kind == "number" and isinstance(value, bool):
        return False
    return kind not in _TYPES or isinstance(value, _TYPES[kind])
