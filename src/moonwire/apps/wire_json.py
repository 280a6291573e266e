"""Writes payloads the way jambonz applications expect them: snake_case names, and bytes as JavaScript would print them.

The bytes matter because jambonz's Node SDK verifies a webhook's signature over `JSON.stringify(JSON.parse(body))`.
Source: @jambonz/sdk 0.10.1, webhook middleware, read 2026-11-22; ECMA-262 Number::toString and QuoteJSONString.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, cast

UNTOUCHED = frozenset({"customerData", "sip", "env_vars", "args", "arguments"})
"""Members whose contents belong to somebody else and stay as they are."""

_SNAKE = re.compile(r"[a-z0-9_]*")
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OTHER = re.compile(r"[^A-Za-z0-9]+")
_ARRAY_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_EXACT_INTEGER = 2**53


def snake_case(name: str) -> str:
    """Write a member's name in snake_case: `callSid` -> `call_sid`, `X-Foo` -> `x_foo`."""
    if _SNAKE.fullmatch(name):
        return name
    return _OTHER.sub("_", _WORD_START.sub("_", name)).strip("_").lower() or name


def snake_keys(value: Any) -> Any:
    """Convert all names in a payload, except beneath the members of UNTOUCHED."""
    if isinstance(value, Mapping):
        members = cast("Mapping[str, Any]", value)
        return {
            name if name in UNTOUCHED else snake_case(name): item if name in UNTOUCHED else snake_keys(item)
            for name, item in members.items()
        }
    if isinstance(value, list | tuple):
        return [snake_keys(item) for item in cast("Sequence[Any]", value)]
    return value


def stringify(value: Any) -> bytes:
    """Encode JSON exactly as JavaScript's JSON.stringify prints it after parsing it, as UTF-8."""
    return "".join(_pieces(value)).encode()


def _pieces(value: Any) -> list[str]:
    if isinstance(value, str):
        return [_string(value)]
    if isinstance(value, Mapping):
        members = cast("Mapping[str, Any]", value)
        parts = (f"{_string(name)}:{''.join(_pieces(members[name]))}" for name in _ordered(list(members)))
        return ["{", ",".join(parts), "}"]
    if isinstance(value, list | tuple):
        return ["[", ",".join("".join(_pieces(item)) for item in cast("Sequence[Any]", value)), "]"]
    if isinstance(value, bool) or value is None:
        return [{True: "true", False: "false", None: "null"}[value]]
    if isinstance(value, int | float):
        return [_number(value)]
    raise TypeError(f"no JSON for {type(value).__name__}")


def _ordered(names: list[str]) -> list[str]:
    """Order names as a JavaScript object does: array indices first, ascending, then the rest as written."""
    indices = [name for name in names if _ARRAY_INDEX.fullmatch(name) and int(name) < 2**32 - 1]
    if not indices:
        return names
    chosen = set(indices)
    return sorted(indices, key=int) + [name for name in names if name not in chosen]


def _string(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    if _LONE_SURROGATE.search(quoted):
        quoted = _LONE_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
    return quoted


def _number(value: float) -> str:
    if isinstance(value, int) and abs(value) <= _EXACT_INTEGER:
        return str(value)
    number = float(value)
    if not math.isfinite(number):
        return "null"
    if number == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    text = "".join(map(str, digits))
    point = len(text) + cast("int", exponent)
    """Place of the decimal point, counted from the first digit."""
    if len(text) <= point <= 21:
        body = text + "0" * (point - len(text))
    elif 0 < point <= 21:
        body = f"{text[:point]}.{text[point:]}"
    elif -6 < point <= 0:
        body = f"0.{'0' * -point}{text}"
    else:
        power = point - 1
        mantissa = text[0] + (f".{text[1:]}" if len(text) > 1 else "")
        body = f"{mantissa}e{'+' if power > 0 else '-'}{abs(power)}"
    return f"-{body}" if sign else body
