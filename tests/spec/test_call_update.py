"""The body of updateCall."""

from __future__ import annotations

from typing import Any

import pytest

from moonwire.errors import SpecError
from moonwire.spec import commands as c
from moonwire.spec.call_update import UnsupportedUpdateError, parse_call_update
from moonwire.spec.verbs import Say


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"call_hook": "https://app.example/hook"}, c.RedirectCommand),
        ({"call_hook": {"url": "/hook", "method": "POST"}, "call_status_hook": "/status"}, c.RedirectCommand),
        ({"call_status": "completed"}, c.CallStatusCommand),
        ({"mute_status": "mute"}, c.MuteCommand),
        ({"tag": {"a": 1}}, c.TagCommand),
        ({"dtmf": {"digit": "12", "duration": 250}}, c.DtmfCommand),
        ({"noise_isolation_status": "enable", "noise_isolation_vendor": "rnnoise"}, c.NoiseIsolationCommand),
        ({"noiseIsolation_status": "off"}, c.NoiseIsolationCommand),
        ({"agent_update": {"type": "generate_reply", "interrupt": True}}, c.AgentUpdateCommand),
    ],
)
def test_each_operation_is_a_command(body: dict[str, Any], kind: type) -> None:
    (command,), problems = parse_call_update(body)
    assert isinstance(command, kind)
    assert problems == ()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "no valid options supplied to updateCall"),
        ({"something": 1}, "no valid options supplied to updateCall"),
        ({"call_status": "completed", "tag": {}}, "multiple options are not allowed in updateCall"),
        ({"mute_status": "loud"}, "mute or unmute"),
        ({"agent_update": {"type": "dance"}}, "data.type"),
        ({"whisper": {"verb": "hangup"}}, "say, play and pause only"),
        ({"transfer": {"mode": "blind"}}, "target"),
        ({"transfer": {"mode": "sideways", "target": [{"type": "phone"}]}}, "mode"),
        ({"noise_isolation_status": "louder"}, "noise_isolation_status: must be enable or disable"),
    ],
)
def test_what_is_wrong_is_named(body: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        parse_call_update(body)


def test_what_this_server_does_not_have_is_told_apart() -> None:
    with pytest.raises(UnsupportedUpdateError, match="dub is not supported"):
        parse_call_update({"dub": {"action": "addTrack", "track": "a"}})


def test_a_whisper_may_come_with_another_operation() -> None:
    (mute, whisper), _ = parse_call_update({"mute_status": "mute", "whisper": {"verb": "say", "text": "a", "loop": 3}})
    assert mute == c.MuteCommand(True)
    assert isinstance(whisper, c.WhisperCommand)
    assert [verb.loop for verb in whisper.verbs if isinstance(verb, Say)] == [1]


def test_a_transfer_is_read_like_the_verb() -> None:
    target = {"type": "phone", "number": "+1508"}
    (command,), problems = parse_call_update({"transfer": {"mode": "warm", "target": [target], "timeout": "soon"}})
    assert isinstance(command, c.TransferCommand)
    assert (command.transfer.mode, command.transfer.target[0].number) == ("warm", "+1508")
    assert problems == ("transfer.timeout: Input should be a valid number, unable to parse string as a number",)
