"""Writes the turn machine's events, commands and settings as event-log fields and reads them back.

A line names its dataclass in `type`; what was said or pressed stands under `pii_text` and `pii_digit`. An event's `at`
is the line's own `at_s`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, TypeVar, get_args

import msgspec

from moonwire.core.turns.commands import TurnCommand
from moonwire.core.turns.events import TurnEvent
from moonwire.core.turns.settings import TurnSettings
from moonwire.errors import ConfigError

TURN_EVENT = "turn.event"
TURN_COMMAND = "turn.command"
TURN_SETTINGS = "turn.settings"

_Decoded = TypeVar("_Decoded")
_EVENTS: Mapping[str, type[TurnEvent]] = {one.__name__: one for one in get_args(TurnEvent)}
_COMMANDS: Mapping[str, type[TurnCommand]] = {one.__name__: one for one in get_args(TurnCommand)}
_WRITTEN = {"text": "pii_text", "digit": "pii_digit"}


def encode_event(event: TurnEvent) -> dict[str, Any]:
    """Return the fields of a `turn.event` line, without its time."""
    return _encoded(event, without="at")


def encode_command(command: TurnCommand) -> dict[str, Any]:
    """Return the fields of a `turn.command` line."""
    return _encoded(command)


def encode_settings(settings: TurnSettings) -> dict[str, Any]:
    """Return the fields of a `turn.settings` line; replay starts from them."""
    return asdict(settings)


def decode_event(line: Mapping[str, Any]) -> TurnEvent:
    """Read a `turn.event` line.

    Raises:
        ConfigError: the line was written by another version.
    """
    return _decoded({**line, "at": line["at_s"]}, _EVENTS.get(str(line.get("type"))))


def decode_command(line: Mapping[str, Any]) -> TurnCommand:
    """Read a `turn.command` line; errors as decode_event."""
    return _decoded(line, _COMMANDS.get(str(line.get("type"))))


def decode_settings(line: Mapping[str, Any]) -> TurnSettings:
    """Read a `turn.settings` line; errors as decode_event."""
    return _decoded(line, TurnSettings)


def _encoded(value: TurnEvent | TurnCommand, without: str = "") -> dict[str, Any]:
    """Members at their default are left out; those without one have a default that nothing equals."""
    written: dict[str, Any] = {"type": type(value).__name__}
    for one in fields(value):
        if one.name != without and getattr(value, one.name) != one.default:
            written[_WRITTEN.get(one.name, one.name)] = getattr(value, one.name)
    return written


def _decoded(line: Mapping[str, Any], kind: type[_Decoded] | None) -> _Decoded:
    if kind is None:
        raise ConfigError(f"The event log names {line.get('type')!r}, which this version of Moonwire does not know.")
    known = {one.name for one in fields(kind)}  # pyright: ignore[reportArgumentType]
    members = {name: line[_WRITTEN.get(name, name)] for name in known if _WRITTEN.get(name, name) in line}
    try:
        return msgspec.convert(members, kind)
    except msgspec.ValidationError as error:
        raise ConfigError(f"The event log's {line.get('type', 'line')} cannot be read: {error}.") from None
