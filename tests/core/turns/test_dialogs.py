"""Conversations as text: every file in tests/dialogs/ is played to the machine, line by line.

Format: `== title` begins a conversation, `settings` lines change TurnSettings. Every other line is
`<seconds> <event> -> <commands>`, commands separated by `; ` or a single `.` for none; a line that begins with `->`
continues the one before. What is spoken stands in double quotes. A trailing `[caller / agent]` gives the floors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from moonwire.core.turns import commands as cmd
from moonwire.core.turns import events as ev
from moonwire.core.turns.machine import TurnMachine
from moonwire.core.turns.settings import TurnSettings

DIALOGS = Path(__file__).parents[2] / "dialogs"
LINE = re.compile(r"\s*(?P<at>\d+\.\d+)\s+(?P<event>.+?)\s+->\s*(?P<commands>.*?)(?:\s*\[(?P<floors>[^\]]+)\])?\s*")


@dataclass
class Step:
    event: ev.TurnEvent
    commands: list[str]
    floors: str | None
    line: int


@dataclass
class Dialog:
    name: str
    settings: TurnSettings = field(default_factory=TurnSettings)
    steps: list[Step] = field(default_factory=list)


def parse_event(at: float, text: str) -> ev.TurnEvent:
    quoted = re.search(r'"(.*)"', text)
    match text.split():
        case ["call", "answered"]:
            return ev.CallAnswered(at)
        case ["call", "ended"]:
            return ev.CallEnded(at)
        case ["voice", "on"]:
            return ev.SpeechStarted(at)
        case ["voice", "off"]:
            return ev.SpeechEnded(at)
        case ["interim", *_] if quoted:
            return ev.InterimTranscript(at, quoted[1])
        case ["final", *_] if quoted:
            return ev.FinalTranscript(at, quoted[1])
        case ["distant", kind, *_] if quoted:
            told = {"interim": ev.InterimTranscript, "final": ev.FinalTranscript}[kind]
            return told(at, quoted[1], distant=True)
        case ["answer", kind, *_] if quoted:
            told = {"interim": ev.InterimTranscript, "final": ev.FinalTranscript}[kind]
            return told(at, quoted[1], asked=True)
        case ["language", language]:
            return ev.LanguageHeard(at, language)
        case ["interruption", "predicted", engine]:
            return ev.InterruptionPredicted(at, engine.strip("()"))
        case ["digit", digit]:
            return ev.DigitPressed(at, digit)
        case ["early", "end", engine]:
            return ev.EarlyEndOfTurn(at, engine.strip("()"))
        case ["resumed", engine]:
            return ev.TurnResumed(at, engine.strip("()"))
        case ["end", "of", "turn", engine]:
            return ev.EndOfTurn(at, engine.strip("()"))
        case ["timer", name]:
            return ev.TimerFired(at, name)  # pyright: ignore[reportArgumentType]
        case ["audio", number, "started"]:
            return ev.PlaybackStarted(at, int(number))
        case ["audio", number, "finished"]:
            return ev.PlaybackFinished(at, int(number))
        case ["reply", number, "failed", reason]:
            return ev.ReplyFailed(at, int(number), reason)
        case ["tools", number, "started"]:
            return ev.ToolsStarted(at, int(number))
        case ["tools", number, "finished"]:
            return ev.ToolsFinished(at, int(number))
        case ["reply", "requested"]:
            return ev.ReplyRequested(at, interrupt=False)
        case ["reply", "requested", "urgently"]:
            return ev.ReplyRequested(at, interrupt=True)
        case ["agent", "failed", reason]:
            return ev.AgentFailed(at, reason)
        case _:
            raise ValueError(text)


def write_command(command: cmd.TurnCommand) -> str:
    match command:
        case cmd.StartReply(reply=reply, cause=cause):
            return f"start {reply} ({cause})"
        case cmd.StartEarlyReply(reply=reply, text=text):
            return f'start {reply} (early) "{text}"'
        case cmd.ReleaseReply(reply=reply):
            return f"release {reply}"
        case cmd.CancelReply(reply=reply, reason=reason):
            return f"cancel {reply} ({reason})"
        case cmd.PausePlayback(reply=reply):
            return f"pause {reply}"
        case cmd.ResumePlayback(reply=reply):
            return f"resume {reply}"
        case cmd.ClearPlayback(reply=reply):
            return f"clear {reply}"
        case cmd.CommitUserTurn(text=text):
            return f'user said "{text}"'
        case cmd.CommitAgentTurn(reply=reply, interrupted=interrupted):
            return f"agent said {reply}{', interrupted' if interrupted else ''}"
        case cmd.ArmTimer(timer=timer, due=due):
            return f"arm {timer} {due:.2f}"
        case cmd.DisarmTimer(timer=timer):
            return f"disarm {timer}"
        case cmd.EndAgent(reason=reason):
            return f"end agent ({reason})"


def parse_settings(text: str, settings: TurnSettings) -> TurnSettings:
    for pair in text.split():
        name, _, value = pair.partition("=")
        read: bool | float | int | str = (
            value == "yes"
            if value in {"yes", "no"}
            else value
            if value.isalpha()
            else int(value)
            if value.isdigit()
            else float(value)
        )
        settings = replace(settings, **{name: read})
    return settings


def parse(path: Path) -> list[Dialog]:
    dialogs: list[Dialog] = []
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = raw.split("#", 1)[0].rstrip() if raw.lstrip().startswith("#") else raw.rstrip()
        if not line:
            continue
        if line.startswith("== "):
            dialogs.append(Dialog(line[3:]))
        elif line.startswith("settings "):
            dialogs[-1].settings = parse_settings(line[9:], dialogs[-1].settings)
        elif line.lstrip().startswith("->"):
            step = dialogs[-1].steps[-1]
            text, _, floors = line.strip()[2:].partition("[")
            step.commands += text.strip().split("; ")
            step.floors = floors.rstrip("] ") or None
        else:
            found = LINE.fullmatch(line)
            assert found, f"{path.name}:{number}: {line}"
            orders = [] if found["commands"] == "." else found["commands"].split("; ")
            event = parse_event(float(found["at"]), found["event"])
            dialogs[-1].steps.append(Step(event, orders, found["floors"], number))
    return dialogs


FILES = sorted(DIALOGS.glob("*.dialog"))
CASES = [pytest.param(path, dialog, id=f"{path.stem}: {dialog.name}") for path in FILES for dialog in parse(path)]


@pytest.mark.parametrize(("path", "dialog"), CASES)
def test_dialog(path: Path, dialog: Dialog) -> None:
    machine = TurnMachine(dialog.settings)
    for step in dialog.steps:
        got = [write_command(command) for command in machine.handle(step.event)]
        assert got == step.commands, f"{path.name}:{step.line}"
        if step.floors:
            state = machine.state
            assert f"{state.user} / {state.agent}" == step.floors, f"{path.name}:{step.line}"


def test_enough_is_told() -> None:
    assert len(CASES) >= 20
