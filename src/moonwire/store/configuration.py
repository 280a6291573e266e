"""Reads `moonwire.yaml` and names every mistake in it: its path, what belongs there, and the nearest known member.

Nothing is read or written here besides the file itself; store/apply.py brings a configuration into the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from moonwire.errors import ConfigError
from moonwire.store.declared import (
    ApiKeySpec,
    ApplicationSpec,
    CarrierSpec,
    Configuration,
    HookSpec,
    LlmChoiceSpec,
    LlmServiceSpec,
    PhoneNumberSpec,
    SpeechServiceSpec,
)
from moonwire.store.yaml_tree import parse_yaml, substitute

__all__ = ["Configuration", "load_configuration", "parse_configuration"]


def load_configuration(path: str | Path, environ: Mapping[str, str]) -> Configuration:
    """Read a configuration file, with `${NAME}` taken from `environ`.

    Raises:
        ConfigError: one line per mistake, each with its path in the file and the remedy; never a secret's value.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist; name an existing configuration file.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text; save it again as UTF-8.") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}.") from None
    return parse_configuration(text, environ, source=str(path))


def parse_configuration(text: str, environ: Mapping[str, str], *, source: str = "configuration") -> Configuration:
    """Check configuration text; as load_configuration."""
    tree = parse_yaml(text, source)
    if tree is None:
        return Configuration()
    if not isinstance(tree, dict):
        raise ConfigError(f"{source}: the file must hold sections such as `applications:`, not {_kind(tree)}.")
    try:
        return Configuration.model_validate(substitute(cast("object", tree), environ))
    except ConfigError as error:
        raise ConfigError(f"{source}: {error}") from None
    except ValidationError as error:
        lines = dict.fromkeys(f"{source}: {_complaint(detail)}" for detail in error.errors())
        raise ConfigError("\n".join(lines)) from None


def _complaint(detail: ErrorDetails) -> str:
    """Name the place of a mistake and what belongs there."""
    path = _path(detail["loc"])
    text = detail["msg"].removeprefix("Value error, ")
    match detail["type"]:
        case "extra_forbidden":
            path, text = _unknown_member(detail["loc"])
        case "missing":
            text = "is missing"
        case "literal_error":
            text = f"must be one of {detail.get('ctx', {}).get('expected', '')}"
        case "value_error" if text.startswith("["):
            index, _, text = text.partition(" ")
            path += index
        case "value_error":
            pass
        case "model_type" | "model_attributes_type" if path.endswith("_hook"):
            text = f"must be a URL, or a mapping with url, not {_kind(detail['input'])}"
        case _:
            text = f"must be {_EXPECTED.get(detail['type'], text)}, not {_kind(detail['input'])}"
    return f"{path}: {text}." if path else f"{text}."


_EXPECTED = {
    "string_type": "text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


def _unknown_member(loc: tuple[int | str, ...]) -> tuple[str, str]:
    """Return the place and the sentence for a member that the schema does not know, with the nearest known one."""
    known = _known_members(loc[:-1])
    near = get_close_matches(str(loc[-1]), known, n=1, cutoff=0.5)
    hint = f"the nearest is {near[0]}" if near else f"known are {', '.join(known)}"
    return _path(loc), f"there is no such member; {hint}"


def _known_members(loc: tuple[int | str, ...]) -> list[str]:
    section = str(loc[0]) if loc else ""
    models: dict[str, type[BaseModel]] = {
        "": Configuration,
        "llm_services": LlmServiceSpec,
        "speech_services": SpeechServiceSpec,
        "applications": ApplicationSpec,
        "phone_numbers": PhoneNumberSpec,
        "carriers": CarrierSpec,
        "api_keys": ApiKeySpec,
    }
    model = models.get(section, Configuration)
    for part in loc[2:]:
        if isinstance(part, str):
            model = HookSpec if part.endswith("_hook") else LlmChoiceSpec if part in ("llm", "fallback") else model
    return list(model.model_fields)


def _path(loc: tuple[int | str, ...]) -> str:
    """Write a location as in `carriers[0].inbound`; names of union members are left out."""
    text = ""
    for part in loc:
        if isinstance(part, int):
            text += f"[{part}]"
        elif not part.startswith(("function-", "constrained-", "dict[")) and part not in ("str", "[key]"):
            text += f".{part}" if text else part
    return text


def _kind(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list() | tuple():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return type(value).__name__
