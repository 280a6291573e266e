"""Writes an agent's tools for a vendor, once; when a schema is refused, plainly, and says whose schema it was.

A refused schema would end every turn of a call; a tool without the details of its parameters still works mostly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from moonwire.dialects.tool_names import ToolNames
from moonwire.errors import VendorError
from moonwire.ports.llm import ToolDefinition

TOOL_SCHEMA, TOOL_NAME = "tool-schema", "tool-name"
"""Causes of a refusal that concern the tools."""

_PLAIN = frozenset({"string", "number", "integer", "boolean"})
_PATH = re.compile(r"properties[./](\w+)")
_MOST_NAMED = 5

Schema = Mapping[str, object]


class OfferedTools:
    """One agent's tools as the vendor is told of them; rewritten when they change, not per turn: prefixes are cached.

    Args:
        write: turns a tool's parameters into what the vendor accepts.
    """

    def __init__(self, write: Callable[[Schema], dict[str, object]]) -> None:
        self.names = ToolNames()
        self.written: list[dict[str, object]] = []
        self.offered: Sequence[ToolDefinition] = ()
        self._write = write
        self._plain = False

    def offer(self, tools: Sequence[ToolDefinition], *, plain: bool) -> None:
        """Offer these tools from now on; once plain, schemas stay plain."""
        plain = plain or self._plain
        if plain == self._plain and (tools is self.offered or list(tools) == list(self.offered)):
            return
        self.offered, self._plain = tools, plain
        self.names = ToolNames(tool.name for tool in tools)
        write = plain_parameters if plain else self._write
        self.written = [
            {
                "type": "function",
                "function": {
                    "name": self.names.to_vendor(tool.name),
                    "description": tool.description,
                    "parameters": write(tool.parameters),
                },
            }
            for tool in tools
        ]


def plain_parameters(parameters: Schema) -> dict[str, object]:
    """Return the outline of a schema: its parameters with their types and descriptions, and which are required."""
    found = parameters.get("properties")
    properties: Schema = cast("Schema", found) if isinstance(found, Mapping) else {}
    written = {
        name: _plain(cast("Schema", one) if isinstance(one, Mapping) else {}) for name, one in properties.items()
    }
    plain: dict[str, object] = {"type": "object", "properties": written}
    required = parameters.get("required")
    if isinstance(required, list):
        names = [name for name in cast("list[object]", required) if name in written]
        if names:
            plain["required"] = names
    return plain


def _plain(schema: Schema) -> dict[str, object]:
    kind, description = schema.get("type"), schema.get("description")
    plain: dict[str, object] = {"type": kind if kind in _PLAIN else "string"}
    if isinstance(description, str) and description:
        plain["description"] = description
    if kind == "array":
        plain |= {"type": "array", "items": {"type": "string"}}
    elif kind == "object":
        plain["type"] = "object"
    return plain


def name_tools(error: VendorError, tools: Sequence[ToolDefinition]) -> None:
    """Say in the remedy which tools a refused schema may belong to."""
    if error.said.cause not in (TOOL_SCHEMA, TOOL_NAME) or not tools:
        return
    text = error.said.text
    named = [tool.name for tool in tools if re.search(rf"\b{re.escape(tool.name)}\b", text)]
    if not named:
        paths = set(_PATH.findall(text))
        named = [tool.name for tool in tools if paths & _property_names(tool.parameters)]
    suspects = named or [tool.name for tool in tools]
    listed = ", ".join(suspects[:_MOST_NAMED]) + (", ..." if len(suspects) > _MOST_NAMED else "")
    error.remedy = f"Correct name and parameters of the tool {listed}: a JSON schema object of simple types."


def _property_names(schema: Schema, depth: int = 0) -> set[str]:
    names: set[str] = set()
    for name, value in schema.items():
        if isinstance(value, Mapping) and depth <= _MOST_NAMED:
            below = cast("Schema", value)
            names |= _property_names(below, depth + 1) | (set(below) if name == "properties" else set[str]())
    return names
