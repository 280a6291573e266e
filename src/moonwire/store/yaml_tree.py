"""Reads YAML text into plain values strictly, and puts `${NAME}` variables into its strings.

YAML 1.2 scalars: `no`, `on` and `0044` stay text (a phone number must not become an octal number), a key that stands
twice in one mapping is an error. Variables are replaced after parsing, so a value can never change the file's shape.

Source: YAML 1.2.2 section 10.3.2 (core schema), read 2026-11-22.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Hashable, Mapping
from typing import cast

import yaml

from moonwire.errors import ConfigError

_VARIABLE = re.compile(r"\$(\$\{)|\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class _Loader(yaml.SafeLoader):
    """SafeLoader with the scalars of YAML 1.2 and without repeated keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:
        seen: set[str] = set()
        for key, _ in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if name in seen and name != "<<":
                raise ConfigError(f"line {key.start_mark.line + 1}: the key {name!r} stands twice in one mapping")
            seen.add(name)
        return super().construct_mapping(node, deep=deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.rsplit(":", 1)[1] not in ("bool", "int", "timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("tag:yaml.org,2002:int", r"^-?(?:0|[1-9][0-9]*)$", "-0123456789"),
):
    _Loader.add_implicit_resolver(_tag, re.compile(_pattern), list(_first))  # pyright: ignore[reportUnknownMemberType]


def _parsed(text: str) -> object:
    """Parse with libyaml, many times as fast; where it finds a mistake, our own parser says better what it is."""
    if yaml.__with_libyaml__:
        try:
            return cast("object", yaml.load(text, Loader=_fast_loader()))  # noqa: S506 (a SafeLoader)
        except yaml.YAMLError:
            pass
    return cast("object", yaml.load(text, Loader=_Loader))  # noqa: S506 (a SafeLoader)


@functools.cache
def _fast_loader() -> type[_Loader]:
    class FastLoader(yaml.CSafeLoader, _Loader):
        """The same rules on libyaml's events."""

    return FastLoader


def parse_yaml(text: str, source: str) -> object:
    """Return the document's plain value.

    Raises:
        ConfigError: no YAML, or a key stands twice; says where in `source`.
    """
    try:
        return _parsed(text)
    except ConfigError as error:
        raise ConfigError(f"{source}, {error}; keep one of them.") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise ConfigError(f"{source}{where} is not valid YAML: {error.problem or error.context}.") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError(f"{source} is not valid YAML: {str(error).splitlines()[0]}.") from None


def substitute(value: object, variables: Mapping[str, str], path: str = "") -> object:
    """Return the value with every `${NAME}` in its strings replaced; `$${` stands for a literal `${`.

    Raises:
        ConfigError: a variable is not set or its name is malformed; names the variable and the path.
    """
    match value:
        case str():
            return _expanded(value, variables, path)
        case list():
            items = cast("list[object]", value)
            return [substitute(item, variables, f"{path}[{index}]") for index, item in enumerate(items)]
        case dict():
            members = cast("dict[object, object]", value)
            return {
                key: substitute(item, variables, f"{path}.{key}" if path else str(key)) for key, item in members.items()
            }
        case _:
            return value


def _expanded(text: str, variables: Mapping[str, str], path: str) -> str:
    def replaced(found: re.Match[str]) -> str:
        if found[1]:
            return "${"
        name = found[2]
        if not _NAME.match(name):
            raise ConfigError(f"{path}: ${{{name}}} is no variable name; write $${{ for a literal ${{.")
        if name not in variables:
            raise ConfigError(
                f"{path}: the environment variable {name} is not set; set it, or write $${{{name}}} to mean the text."
            )
        return variables[name]

    return _VARIABLE.sub(replaced, text) if "${" in text else text
