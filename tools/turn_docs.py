"""Writes docs/reference/turns.md from the turn machine itself; `--check` fails when the page has drifted.

The machine is explored breadth first from its start: every event in every state, states that differ only in times and
reply numbers taken as one. What the page says is therefore what the machine does.
"""

from __future__ import annotations

import copy
import sys
from collections import defaultdict
from dataclasses import fields, replace
from pathlib import Path
from typing import get_args

from moonwire.core.turns import commands as cmd
from moonwire.core.turns import events as ev
from moonwire.core.turns.machine import TurnMachine
from moonwire.core.turns.settings import TurnSettings

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "turns.md"

Key = tuple[object, ...]
Row = tuple[str, str, str, str]
"""event, state before, state after, commands"""

NORMAL = TurnSettings(no_response_s=8.0, language="en")
VARIANTS = {
    "With barge-in off": (replace(NORMAL, barge_in=False), "`bargeIn.enable: false`. Only what differs from above."),
    "With early generation": (replace(NORMAL, early=True), "`earlyGeneration: true`. Only what differs from above."),
    "By duration alone": (replace(NORMAL, min_words=0), "`bargeIn.minWords: 0`. Only what differs from above."),
    "With sticky": (replace(NORMAL, sticky=True), "`bargeIn.sticky: true`. Only what differs from above."),
}
STEP_S = 0.3
"""Time between explored events: long enough for an interim word to count, short enough for one dip."""


def events(machine: TurnMachine, now: float) -> dict[str, ev.TurnEvent]:
    """Every event that is worth telling in this state, by the name it has on the page."""
    reply = machine.state.reply
    found: dict[str, ev.TurnEvent] = {
        "CallAnswered": ev.CallAnswered(now),
        "SpeechStarted": ev.SpeechStarted(now),
        "SpeechEnded": ev.SpeechEnded(now),
        "InterimTranscript": ev.InterimTranscript(now, "some words"),
        "InterimTranscript(back-channel)": ev.InterimTranscript(now, "mm-hm"),
        "FinalTranscript": ev.FinalTranscript(now, "some words"),
        "FinalTranscript(back-channel)": ev.FinalTranscript(now, "mm-hm"),
        "FinalTranscript(unfinished)": ev.FinalTranscript(now, "and the"),
        "FinalTranscript(distant)": ev.FinalTranscript(now, "some words", distant=True),
        "InterruptionPredicted": ev.InterruptionPredicted(now, "engine"),
        "DigitPressed": ev.DigitPressed(now, "1"),
        "DigitPressed(#)": ev.DigitPressed(now, "#"),
        "EarlyEndOfTurn": ev.EarlyEndOfTurn(now, "engine"),
        "TurnResumed": ev.TurnResumed(now, "engine"),
        "EndOfTurn": ev.EndOfTurn(now, "engine"),
        "ReplyRequested": ev.ReplyRequested(now, interrupt=False),
        "ReplyRequested(interrupt)": ev.ReplyRequested(now, interrupt=True),
        "AgentFailed": ev.AgentFailed(now, "reason"),
        "CallEnded": ev.CallEnded(now),
    }
    if reply:
        found["PlaybackStarted"] = ev.PlaybackStarted(now, reply)
        found["PlaybackFinished"] = ev.PlaybackFinished(now, reply)
        found["ToolsStarted"] = ev.ToolsStarted(now, reply)
        found["ToolsFinished"] = ev.ToolsFinished(now, reply)
        found["ReplyFailed"] = ev.ReplyFailed(now, reply, "reason")
    for timer, due in machine.state.armed.items():
        found[f"TimerFired({timer})"] = ev.TimerFired(max(now, due), timer)
    return found


def key(machine: TurnMachine) -> Key:
    """What tells two situations apart."""
    state = machine.state
    text = state.pending_text
    return (
        state.phase, state.user, state.agent, state.cause, frozenset(state.armed),
        bool(text), text[-4:] in (" the", ": 1)"),
        state.voice, state.decided, state.owed, state.failures, state.ending is not None,
    )  # fmt: skip


def name(machine: TurnMachine) -> str:
    state = machine.state
    return state.phase if state.phase != "live" else f"{state.user} / {state.agent}"


def told(command: cmd.TurnCommand) -> str:
    """One command as the page writes it: without numbers, times and texts."""
    match command:
        case cmd.StartReply(cause=cause):
            return f"StartReply({cause})"
        case cmd.CancelReply(reason=reason):
            return f"CancelReply({reason})"
        case cmd.CommitAgentTurn(interrupted=interrupted):
            return "CommitAgentTurn(interrupted)" if interrupted else "CommitAgentTurn"
        case cmd.ArmTimer(timer=timer) | cmd.DisarmTimer(timer=timer):
            return f"{type(command).__name__}({timer})"
        case _:
            return type(command).__name__


def explore(settings: TurnSettings) -> list[Row]:
    """Walk through everything the machine can be led to."""
    rows: dict[Row, None] = {}
    start = TurnMachine(settings)
    seen = {key(start)}
    waiting = [(start, 0.0)]
    while waiting:
        machine, now = waiting.pop(0)
        for label, event in events(machine, now + STEP_S).items():
            after = copy.deepcopy(machine)
            commands = after.handle(event)
            if commands or name(after) != name(machine):
                rows[label, name(machine), name(after), ", ".join(told(command) for command in commands)] = None
            if key(after) not in seen:
                seen.add(key(after))
                waiting.append((after, event.at))
    return list(rows)


def table(rows: list[Row]) -> list[str]:
    """One line for each event, pair of states and outcome; states with the same outcome share a line."""
    shared: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for event, before, after, commands in rows:
        shared[event, after, commands].append(before)
    order = [kind.__name__ for kind in get_args(ev.TurnEvent)]
    lines = ["| event | in state (caller / agent) | then | commands |", "|---|---|---|---|"]
    for (event, after, commands), befores in sorted(
        shared.items(), key=lambda item: (order.index(item[0][0].split("(")[0]), item[0][0], item[1], item[0][1:])
    ):
        lines.append(f"| {event} | {'; '.join(sorted(set(befores)))} | {after} | {commands or '-'} |")
    return lines


def diagram(rows: list[Row]) -> list[str]:
    """The ways between the states, as a Mermaid diagram."""
    ways: dict[tuple[str, str], list[str]] = defaultdict(list)
    for event, before, after, _ in rows:
        if before != after and after != "ended" and event not in ways[before, after]:
            ways[before, after].append(event)
    states = sorted({state for pair in ways for state in pair})
    ids = {state: state.replace(" / ", "_") for state in states}
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f'    state "{state}" as {ids[state]}' for state in states]
    lines += ["    [*] --> new"]
    for (before, after), labels in sorted(ways.items()):
        lines.append(f"    {ids[before]} --> {ids[after]} : {', '.join(sorted(labels))}")
    return [*lines, "```"]


def vocabulary(union: object) -> list[str]:
    lines = ["| name | members | meaning |", "|---|---|---|"]
    for kind in get_args(union):
        members = ", ".join(field.name for field in fields(kind)) or "-"
        lines.append(f"| {kind.__name__} | {members} | {(kind.__doc__ or '').strip()} |")
    return lines


def page() -> str:
    normal = explore(NORMAL)
    early = explore(replace(NORMAL, early=True))
    floors = sorted({state for row in early for state in row[1:3] if "/" in state})
    lines = [
        "# Turn taking",
        "",
        "Generated by `tools/turn_docs.py` from `src/moonwire/core/turns/machine.py`, whose first lines explain the",
        "ideas. Conversations as examples: `tests/dialogs/`. `at` and `due` are seconds since answer, media time.",
        "",
        "## Events",
        "",
        *vocabulary(ev.TurnEvent),
        "",
        "## Commands",
        "",
        *vocabulary(cmd.TurnCommand),
        "",
        "## States",
        "",
        f"The caller's floor and the agent's floor; {len(floors)} pairs occur: {', '.join(floors)}.",
        "",
        *diagram(early),
        "",
        "## Transitions",
        "",
        "Barge-in on, prompt after silence on. An event that is missing in a state does nothing there. Where one event",
        "has several outcomes in a state, it depends on what is pending: words, voice, what is owed to the caller, or",
        "the number of failures in a row.",
        "",
        *table(normal),
    ]
    for title, (settings, text) in VARIANTS.items():
        different = [row for row in explore(settings) if row not in set(normal)]
        lines += ["", f"### {title}", "", text, "", *table(different)]
    return "\n".join(lines) + "\n"


def main() -> int:
    text = page()
    if "--check" in sys.argv:
        current = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        if current != text:
            print(f"{PAGE} does not match the turn machine: run tools/turn_docs.py and read the difference")
            return 1
        print("turns.md matches the turn machine")
        return 0
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(text, encoding="utf-8")
    print(f"written {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
