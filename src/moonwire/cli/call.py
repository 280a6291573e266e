"""`moonwire call`: a scripted SIP caller; exit 1 when the call did not go as scripted."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from moonwire.app import dial
from moonwire.cli.serve import run_loop
from moonwire.core.audio.wav import WavError, read_wav
from moonwire.errors import ConfigError
from moonwire.observe.logging import configure_logging
from moonwire.sandbox.caller import CallerReport, CallerTurn, PlayAudio, Say, SendDigits, conversation, prepare
from moonwire.settings import Settings


@dataclass(frozen=True, slots=True)
class CallOptions:
    """What the command line asks for."""

    uri: str
    say: Sequence[str]
    wav: Sequence[Path]
    dtmf: str
    record: Path | None
    as_json: bool


def run_call(options: CallOptions) -> None:
    """Place the call and print the report; the log stays quiet, the report is the output."""
    configure_logging(Settings(log_level="error"), stream=sys.stderr)
    turns: list[Say | PlayAudio | SendDigits] = [Say(text) for text in options.say]
    turns += [PlayAudio(path.name, _audio(path)) for path in options.wav]
    if options.dtmf:
        turns.append(SendDigits(options.dtmf))

    async def work() -> None:
        steps = await prepare(conversation(*turns))
        report = await dial(options.uri, steps, record_to=options.record)
        typer.echo(json.dumps(report.as_json(), indent=2) if options.as_json else "\n".join(told(report)))
        if not report.ok:
            raise SystemExit(1)

    run_loop(work)


def told(report: CallerReport) -> list[str]:
    """Return the report as lines for people."""
    lines = [f"call of {report.duration_s:.1f} s, ended by {report.ended_by} ({report.end_reason})"]
    lines += [_told(turn) for turn in report.turns]
    lines += [f"problem: {problem}" for problem in report.problems]
    if report.recording:
        lines.append(f"recording: {report.recording}")
    return lines


def _told(turn: CallerTurn) -> str:
    delays = _delays(turn.response_delay_s, turn.barge_in_stop_s)
    return f"{turn.started_s:7.2f} s  {turn.kind}: {turn.text}{delays}"


def _delays(response_s: float | None, stop_s: float | None) -> str:
    parts: list[str] = []
    if stop_s is not None:
        parts.append(f"agent stopped after {stop_s * 1000:.0f} ms")
    if response_s is not None:
        parts.append(f"answered after {response_s * 1000:.0f} ms")
    return f"  [{', '.join(parts)}]" if parts else ""


def _audio(path: Path) -> bytes:
    try:
        return read_wav(path.read_bytes())
    except (OSError, WavError) as error:
        raise ConfigError(f"{path} cannot be played: {error}") from None
