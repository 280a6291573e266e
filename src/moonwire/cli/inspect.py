"""`moonwire replay` and `moonwire explain`: what a call's event log proves and tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import typer

from moonwire.core.turns.codec import (
    TURN_COMMAND,
    TURN_EVENT,
    TURN_SETTINGS,
    decode_command,
    decode_event,
    decode_settings,
)
from moonwire.core.turns.commands import TurnCommand
from moonwire.core.turns.machine import TurnMachine
from moonwire.errors import ConfigError
from moonwire.observe.event_log import FileEventLogs
from moonwire.settings import load_settings

Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Replay:
    """What came out when the events were fed again."""

    events: int
    commands: int
    difference: str | None
    """The first place where the machine decided otherwise."""


def replay(lines: Sequence[Line]) -> Replay:
    """Feed recorded turn events to fresh machines (one per agent of the call) and compare the commands."""
    machine: TurnMachine | None = None
    expected: list[TurnCommand] = []
    events = commands = 0
    for number, line in enumerate(lines, start=1):
        match line["kind"]:
            case kind if kind == TURN_SETTINGS:
                machine, expected = TurnMachine(decode_settings(line)), []
            case kind if kind == TURN_EVENT and machine is not None:
                if expected:
                    return Replay(events, commands, f"line {number}: {expected[0]} was not recorded")
                events += 1
                expected = machine.handle(decode_event(line))
            case kind if kind == TURN_COMMAND:
                commands += 1
                recorded = decode_command(line)
                decided = expected.pop(0) if expected else None
                if decided != recorded:
                    return Replay(events, commands, f"line {number}: recorded {recorded}, now decided {decided}")
            case _:
                pass
    return Replay(events, commands, f"at the end: {expected[0]} was not recorded" if expected else None)


def run_replay(call_sid: str) -> None:
    """Print whether the call's decisions are reproduced; exit 1 when they are not."""
    result = replay(_lines(call_sid))
    if result.difference is not None:
        raise ConfigError(f"The replay differs: {result.difference}")
    typer.echo(f"{result.events} events fed again, {result.commands} commands, no difference.")


def run_explain(call_sid: str) -> None:
    """Print the call as a story."""
    for line in _lines(call_sid):
        text = describe(line)
        if text:
            typer.echo(f"{max(0.0, float(line['at_s'])):8.2f}  {text}")


def describe(line: Line) -> str | None:
    """Return one line of the story, or None when the line is of no interest to people."""
    match line["kind"]:
        case "call":
            return _about_call(line)
        case "turn.command" if line["type"] == "CommitUserTurn":
            return f"caller: {line['pii_text']}"
        case "turn":
            heard = line.get("pii_heard", "")
            delays = ", ".join(f"{name} {value} ms" for name, value in line["latency"].items() if name.endswith("_ms"))
            return f"agent{' (interrupted)' if line['interrupted'] else ''}: {heard}  [{delays}]"
        case "error":
            remedy = f" Remedy: {line['remedy']}" if line.get("remedy") else ""
            return f"trouble in {line.get('verb', '?')}: {line.get('error')}.{remedy}"
        case "llm":
            return _about_model(line)
        case "stt" | "tts" if line.get("name") == "vendor_switched":
            return f"{line['kind']}: {line['asked']} is given up ({line['code']}); {line['used']} goes on"
        case "stt" if line.get("name") == "language":
            return f"the caller speaks {line['language']}, and is answered in {line['voice_language']}"
        case _:
            return None


def _about_call(line: Line) -> str | None:
    match line["name"]:
        case "offered":
            return f"call offered over {line['transport']} by carrier {line['carrier']} for '{line['application']}'"
        case "answered":
            return "answered"
        case "agent_started":
            turns = line["turn_detection"]
            return f"agent starts: {line['llm']['vendor']}:{line['llm']['model']}, turns ended by {turns['engine']}"
        case "noise_isolation":
            return _about_noise(line)
        case "noise_isolation_done":
            return f"{line['engine']} has cleaned {line['audio_s']:g} s, at {line['core']:.1%} of a core"
        case "agent_ended":
            return f"agent ends: {line['reason']}" + (f" ({line['error']})" if line.get("error") else "")
        case "ended":
            return f"call ended by {line['by']}: {line['reason']} (SIP {line['sip_status']})"
        case _:
            return None


def _about_model(line: Line) -> str | None:
    match line.get("name"):
        case "model_switched":
            why = line.get("why") or f"{line['requested']}: {line['reason']}"
            return f"model: {why}; {line['used']} answers instead"
        case "history_shortened":
            cut = f", {line['cut_results']} tool results cut" if line["cut_results"] else ""
            return f"model: the conversation has outgrown its context; {line['messages']} old messages left out{cut}"
        case "request_changed":
            return f"model: the vendor refused the request ({line['refusal']}); accepted after {line['change']}"
        case "turn_withdrawn":
            return "model: moderation refused the caller's words; they are left out from now on"
        case "thinking_filler":
            return "model: still thinking; the caller is asked to wait"
        case _:
            return None


def _about_noise(line: Line) -> str:
    whose = "the caller's side" if line["direction"] == "read" else "the agent's side"
    if line["asked"] == "off":
        return f"noise suppression of {whose} ends"
    why = f" instead of {line['asked']}: {line['reason']}" if line.get("reason") else ""
    return f"noise suppression of {whose} by {line['engine']}, level {line['level']:g}{why}"


def _lines(call_sid: str) -> list[dict[str, Any]]:
    logs = FileEventLogs(load_settings().data_dir)
    try:
        return logs.read(call_sid)
    finally:
        logs.close()
