"""Commands in every spelling that an SDK or document uses."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonwire.errors import SpecError
from moonwire.spec.commands import (
    AgentUpdateCommand,
    CallStatusCommand,
    Command,
    ConfigCommand,
    DtmfCommand,
    ExpectLanguagesCommand,
    GenerateReply,
    InjectContext,
    MuteCommand,
    NoiseIsolationCommand,
    RedirectCommand,
    TagCommand,
    ToolOutput,
    UnknownCommand,
    UpdateInstructions,
    UpdateTools,
    WhisperCommand,
    parse_command,
)
from moonwire.spec.hooks import Hook
from moonwire.spec.verbs import Config, Hangup, Say


def command(name: str, data: Any = None, **members: Any) -> Command:
    return parse_command({"type": "command", "command": name, "data": data, **members})[0]


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("redirect", [{"verb": "hangup"}], RedirectCommand((Hangup(),))),
        ("redirect", {"verb": "hangup"}, RedirectCommand((Hangup(),))),
        ("redirect", [], RedirectCommand()),
        ("redirect", {"call_hook": "/x"}, RedirectCommand(hook=Hook("/x"))),
        ("redirect", {"call_hook": {"url": "/x", "method": "GET"}}, RedirectCommand(hook=Hook("/x", "GET"))),
        ("redirect", {"child_call_hook": "/x"}, UnknownCommand("redirect", {"child_call_hook": "/x"})),
        ("config", {"notifyEvents": True}, ConfigCommand(Config(notify_events=True))),
        ("config", {"verb": "config", "notifyEvents": True}, ConfigCommand(Config(notify_events=True))),
        ("call:status", {"call_status": "completed"}, CallStatusCommand("completed")),
        ("call:status", "no-answer", CallStatusCommand("no-answer")),
        ("mute:status", {"mute_status": "mute"}, MuteCommand(muted=True)),
        ("mute:status", "unmute", MuteCommand(muted=False)),
        ("mute", {"mute_status": "unmute"}, MuteCommand(muted=False)),
        ("dtmf", {"digit": "1", "duration": 250}, DtmfCommand("1", 250)),
        ("dtmf", {"dtmf": "12w#"}, DtmfCommand("12w#")),
        ("dtmf", {"dtmf": {"digit": 5}}, DtmfCommand("5")),
        ("dtmf", "*", DtmfCommand("*")),
        ("tag", {"a": 1}, TagCommand({"a": 1})),
        ("tag", {"data": {"a": 1}}, TagCommand({"a": 1})),
        ("tag", {"data": 5}, TagCommand({"data": 5})),
        ("whisper", {"whisper": {"say": {"text": "a"}}}, WhisperCommand((Say(text="a", loop=1),))),
        ("tts:flush", None, UnknownCommand("tts:flush", None)),
    ],
)
def test_spellings(name: str, data: Any, expected: Command) -> None:
    assert command(name, data) == expected


def test_queueing() -> None:
    for given_value, expected in ((True, True), (False, False), (None, False), ("yes", False)):
        redirect = command("redirect", [], queueCommand=given_value)
        assert isinstance(redirect, RedirectCommand)
        assert redirect.queue is expected


@pytest.mark.parametrize(
    ("data", "result"),
    [({"result": "x"}, "x"), ({"result": None}, None), ({"a": 1}, {"a": 1}), ([1], [1]), (None, None), ("s", "s")],
)
def test_tool_outputs(data: Any, result: Any) -> None:
    output = command("llm:tool-output", data, tool_call_id="t:1")
    assert output == ToolOutput("t:1", result)


def test_a_tool_output_may_carry_its_id_inside() -> None:
    assert command("llm:tool-output", {"tool_call_id": "t", "result": 5}) == ToolOutput("t", 5)


@pytest.mark.parametrize(
    ("data", "update"),
    [
        ({"type": "update_instructions", "instructions": "x"}, UpdateInstructions(instructions="x")),
        ({"type": "generate_reply"}, GenerateReply()),
        (
            {"type": "generate_reply", "user_input": "x", "interrupt": True},
            GenerateReply(user_input="x", interrupt=True),
        ),
    ],
)
def test_agent_updates(data: Any, update: Any) -> None:
    assert command("agent:update", data) == AgentUpdateCommand(update)
    assert parse_command({"type": "agent:update", "data": data})[0] == AgentUpdateCommand(update)


def test_agent_updates_with_lists() -> None:
    context = command("agent:update", {"type": "inject_context", "messages": {"role": "user", "content": ["a", "b"]}})
    assert isinstance(context, AgentUpdateCommand)
    assert isinstance(context.update, InjectContext)
    assert context.update.messages[0].content == "a\nb"
    message = {"type": "update_tools", "tools": [{"type": "function", "function": {"name": "a"}}, {"no": "name"}]}
    tools, warnings = parse_command({"type": "command", "command": "agent:update", "data": message})
    assert isinstance(tools, AgentUpdateCommand)
    assert isinstance(tools.update, UpdateTools)
    assert [tool.name for tool in tools.update.tools] == ["a"]
    assert warnings == ("data.tools[1].name: is required",)


@pytest.mark.parametrize(
    ("name", "data", "path"),
    [
        ("redirect", None, ""),
        ("redirect", [{"verb": "x"}], "[0]"),
        ("redirect", {"call_hook": 5}, "data.call_hook"),
        ("config", [], ""),
        ("config", {"synthesizer": {}}, "synthesizer.vendor"),
        ("agent:update", None, "data"),
        ("agent:update", {"type": "other"}, "data.type"),
        ("agent:update", {"type": "update_instructions"}, "data.instructions"),
        ("agent:update", {"type": "update_tools", "tools": "x"}, "data.tools"),
        ("llm:tool-output", {}, "tool_call_id"),
        ("call:status", {"call_status": "busy"}, "data.call_status"),
        ("mute:status", {}, "data.mute_status"),
        ("dtmf", {"digit": "x"}, "data.digit"),
        ("dtmf", {}, "data.digit"),
        ("dtmf", {"digit": "1", "duration": "x"}, "data.duration"),
        ("tag", 5, "data"),
        ("", {}, "command"),
    ],
)
def test_unusable_commands_name_the_place(name: str, data: Any, path: str) -> None:
    with pytest.raises(SpecError) as caught:
        command(name, data)
    assert caught.value.path == path


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["redirect", "config", "agent:update", "llm:tool-output", "call:status", "mute", "dtmf", "tag", "other"]
)


@given(NAMES, ANYTHING, st.dictionaries(st.sampled_from(["tool_call_id", "queueCommand", "msgid"]), ANYTHING))
def test_nothing_breaks_the_reader(name: str, data: object, members: dict[str, Any]) -> None:
    try:
        command(name, data, **members)
    except SpecError as error:
        assert str(error)  # noqa: PT017


def test_expected_languages() -> None:
    message = {"type": "command", "command": "stt:reconfigure", "data": {"languageHints": ["es", "fr "]}}
    assert parse_command(message)[0] == ExpectLanguagesCommand(("es", "fr"))
    with pytest.raises(SpecError):
        parse_command({"type": "command", "command": "stt:reconfigure", "data": {"languageHints": [7]}})


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"noise_isolation_status": "enable"}, (True, None, 100, "read")),
        ({"noise_isolation_status": "enable", "vendor": "rnnoise", "level": 30}, (True, "rnnoise", 30, "read")),
        ({"noise_isolation_status": "enable", "noise_isolation_vendor": "krisp"}, (True, "krisp", 100, "read")),
        ({"noiseIsolation_status": "on", "mode": "webrtc", "direction": "write"}, (True, "webrtc", 100, "write")),
        ({"noiseIsolation_status": "off"}, (False, None, 100, "read")),
        ({"enable": False}, (False, None, 100, "read")),
        ("disable", (False, None, 100, "read")),
        ({"noise_isolation_status": "enable", "level": 500}, (True, None, 100, "read")),
    ],
)
def test_noise_isolation(data: Any, expected: tuple[bool, str | None, float, str]) -> None:
    command, problems = parse_command({"type": "command", "command": "noiseIsolation:status", "data": data})
    assert isinstance(command, NoiseIsolationCommand)
    wish = command.isolation
    assert (wish.enable, wish.mode, wish.level, wish.direction) == expected
    assert bool(problems) == (isinstance(data, dict) and data.get("level") == 500)
