"""Reads the body of `PUT /Accounts/{sid}/Calls/{call_sid}` into one of the commands that applications send, too.

Source: jambonz REST API, updateCall; @jambonz/sdk 0.10.1 (client), read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moonwire.errors import SpecError
from moonwire.spec.commands import Command, parse_command

_COMMANDS: Mapping[str, str] = {
    "call_hook": "redirect",
    "call_status": "call:status",
    "mute_status": "mute:status",
    "tag": "tag",
    "dtmf": "dtmf",
    "agent_update": "agent:update",
    "transfer": "transfer",
    "whisper": "whisper",
    "noise_isolation_status": "noiseIsolation:status",
    "noiseIsolation_status": "noiseIsolation:status",
}
_WITHOUT_EFFECT = frozenset(
    {
        "child_call_hook", "listen_status", "transcribe_status", "conf_mute_status", "conf_hold_status",
        "conferenceParticipantAction", "sip_request", "record", "dub", "boostAudioSignal", "media_path",
        "llm_status", "room_say", "room_play",
    }
)  # fmt: skip
"""Operations of jambonz that this server does not have."""
_WHOLE = frozenset({"call_status", "mute_status", "call_hook"})
"""The command's data holds the member itself, not its value."""
_WITH_COMPANIONS = frozenset({"noise_isolation_status", "noiseIsolation_status"})
"""The command's data is the whole body: other members say how. The second spelling is jambonz's Python SDK's."""


class UnsupportedUpdateError(SpecError):
    """A valid operation that this server does not have."""


def parse_call_update(body: Mapping[str, Any]) -> tuple[tuple[Command, ...], tuple[str, ...]]:
    """Read the one operation that the body asks for; a whisper may come with it.

    Returns:
        The command (or two), and one sentence with a path per member that was wrong and left out.

    Raises:
        SpecError: none, several, or one that cannot be read; UnsupportedUpdateError for what this server does not have.
    """
    given = [name for name in (*_COMMANDS, *sorted(_WITHOUT_EFFECT)) if body.get(name) is not None]
    if not given:
        raise SpecError("no valid options supplied to updateCall")
    if len(set(given) - {"whisper"}) > 1 and set(given) - {"whisper"} != {"call_hook", "child_call_hook"}:
        raise SpecError("multiple options are not allowed in updateCall")
    names = [name for name in given if name in _COMMANDS]
    if not names:
        raise UnsupportedUpdateError(f"{given[0]} is not supported by this server")
    read = [_read(name, body) for name in names]
    return tuple(command for command, _ in read), tuple(one for _, warnings in read for one in warnings)


def _read(name: str, body: Mapping[str, Any]) -> tuple[Command, tuple[str, ...]]:
    data: Any = {name: body[name]} if name in _WHOLE else body[name]
    if name in _WITH_COMPANIONS:
        data = {key: value for key, value in body.items() if value is not None}
    return parse_command({"type": "command", "command": _COMMANDS[name], "data": data})
