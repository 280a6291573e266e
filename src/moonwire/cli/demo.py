"""`moonwire demo`: server, sandbox vendors, the Moonshot page's application and a real SIP call, on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from moonwire.app import Server, dial, running_server
from moonwire.cli.inspect import describe, replay
from moonwire.cli.serve import run_loop
from moonwire.errors import ConfigError
from moonwire.observe.event_log import FileEventLogs
from moonwire.observe.logging import configure_logging
from moonwire.ports.event_log import CallEventLog
from moonwire.sandbox.caller import CallerReport, Interrupt, Say, conversation, prepare
from moonwire.settings import Settings, load_settings
from moonwire.store.configuration import parse_configuration
from moonwire.vendors.turn.smart_turn.file import find_model

NUMBER = "16175551212"
EXAMPLE = Path("examples/moonshot-kimi/app.py")
CONVERSATION = conversation(
    Say("Hello, what are your opening hours?"),
    Say("Please tell me a story about the moon."),
    Interrupt("Wait, stop please.", after_s=2.5),
    Say("Thank you, goodbye."),
)
APPLICATION_START_S = 20.0
console = Console(highlight=False)


def run_demo(output: Path) -> None:
    """Run it; exit 1 when the call did not go as it must."""
    shutil.rmtree(output / "var", ignore_errors=True)
    output.mkdir(parents=True, exist_ok=True)
    own = load_settings()
    settings = Settings(
        data_dir=output / "var",
        turn_model=find_model(own.data_dir, own.turn_model),
        http_port=0,
        sip_host="127.0.0.1",
        sip_port=0,
        sandbox="on",
        log_level="error",
    )
    configure_logging(settings)
    run_loop(lambda: _demonstrate(settings, output))


class WatchedLogs:
    """Implements ports.event_log.EventLogs: prints each call's story while it is written."""

    def __init__(self, logs: FileEventLogs) -> None:
        self.call_sids: list[str] = []
        self._logs = logs

    def open(self, call_sid: str) -> CallEventLog:
        """Open a log that speaks."""
        self.call_sids.append(call_sid)
        return WatchedLog(self._logs.open(call_sid))

    def read(self, call_sid: str) -> list[dict[str, Any]]:
        """Return a call's lines."""
        return self._logs.read(call_sid)


class WatchedLog:
    """One call's log; see WatchedLogs."""

    def __init__(self, log: CallEventLog) -> None:
        self._log = log

    def write(self, kind: str, at_s: float, **fields: Any) -> None:
        """Write and, where people care, print."""
        self._log.write(kind, at_s, **fields)
        text = describe({"kind": kind, "at_s": at_s, **fields})
        if text:
            console.print(f"{max(0.0, at_s):7.2f}  {text.partition('  [')[0]}", markup=False)

    def close(self) -> None:
        """Close."""
        self._log.close()


async def _demonstrate(settings: Settings, output: Path) -> None:
    port = _free_port()
    configuration = parse_configuration(_configuration(port), os.environ)
    logs: list[WatchedLogs] = []

    def watch(files: Any) -> WatchedLogs:
        logs.append(WatchedLogs(files))
        return logs[-1]

    async with _application(port, output), running_server(settings, configuration, watch=watch) as server:
        console.print(f"Server up: SIP on 127.0.0.1:{server.sip.local_port}. Calling {NUMBER} ...", markup=False)
        report = await _call(server)
        await server.engine.drain(10)
        sid = logs[0].call_sids[0]
    lines = FileEventLogs(settings.data_dir).read(sid)
    _show_table(lines, report)
    problems = [*report.problems, *_missing(lines, report, settings.data_dir / "recordings" / f"{sid}.wav")]
    recording = output / "recording.wav"
    shutil.copyfile(settings.data_dir / "recordings" / f"{sid}.wav", recording)
    console.print(f"\nRecording (caller left, agent right): {recording}", markup=False)
    console.print(f"Event log: {settings.data_dir / 'calls' / (sid + '.jsonl')}", markup=False)
    for problem in problems:
        console.print(f"problem: {problem}", markup=False)
    if problems:
        raise SystemExit(1)
    console.print("The demo call went as it should.")


async def _call(server: Server) -> CallerReport:
    steps = await prepare(CONVERSATION)
    return await dial(f"sip:{NUMBER}@127.0.0.1:{server.sip.local_port}", steps)


def _configuration(port: int) -> str:
    return f"""
applications:
  - name: moonshot-kimi
    call_hook: "ws://127.0.0.1:{port}/"
    record_all_calls: true
phone_numbers:
  - {{number: "{NUMBER}", application: moonshot-kimi}}
carriers:
  - {{name: loopback, inbound: ["127.0.0.1/32"]}}
"""


@asynccontextmanager
async def _application(port: int, output: Path) -> AsyncGenerator[None]:
    """Run the example application as a process of its own."""
    example = _example()
    with (output / "application.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(example), env={**os.environ, "PORT": str(port)}, stdout=log, stderr=log
        )
        try:
            await _listening(port, process)
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


def _example() -> Path:
    if not EXAMPLE.exists():
        raise ConfigError(f"{EXAMPLE} is missing; run the demo from a clone of the repository")
    return EXAMPLE


async def _listening(port: int, process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(APPLICATION_START_S):
            while process.returncode is None:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.1)
                else:
                    writer.close()
                    return
    raise ConfigError("the example application did not start; its output is in demo-output/application.log")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _show_table(lines: list[dict[str, Any]], report: CallerReport) -> None:
    table = Table(title="Where each answer's time went (ms)", title_justify="left")
    columns = {"heard": "stt_ms", "turn decided": "eot_ms", "model": "llm_ms", "voice": "tts_ms"}
    for name in ("turn", *columns, "caller stopped to first audio"):
        table.add_column(name, justify="left" if name == "turn" else "right")
    for line in lines:
        if line["kind"] == "turn":
            latency = line["latency"]
            label = line["cause"] + (" (interrupted)" if line["interrupted"] else "")
            cells = [str(latency.get(key, "")) for key in columns.values()]
            table.add_row(label, *cells, str(latency.get("response_ms", "")))
    console.print()
    console.print(table)
    for turn in report.turns:
        if turn.barge_in_stop_s is not None:
            console.print(
                f"Barge-in: the agent was silent {turn.barge_in_stop_s * 1000:.0f} ms after the caller began."
            )


def _missing(lines: list[dict[str, Any]], report: CallerReport, recording: Path) -> list[str]:
    """Return what a complete demo must have shown and did not."""
    checks = {
        "no barge-in cut the agent's audio": any(turn.barge_in_stop_s is not None for turn in report.turns),
        "no turn was interrupted": any(line["kind"] == "turn" and line["interrupted"] for line in lines),
        "fewer than three answers": sum(line["kind"] == "turn" and line["cause"] == "user" for line in lines) >= 3,
        "the application did not hear of the agent's end": any(line.get("name") == "agent_ended" for line in lines),
        "no recording was written": recording.exists() and recording.stat().st_size > 100_000,
        "the event log does not replay": replay(lines).difference is None,
    }
    return [problem for problem, fine in checks.items() if not fine]
