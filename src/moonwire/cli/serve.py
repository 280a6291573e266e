"""`moonwire serve` and `moonwire sandbox`: run until told to stop; the first signal drains, the second forces."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable, Coroutine
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import typer
import uvloop

from moonwire.app import Server, running_server
from moonwire.errors import ConfigError
from moonwire.observe.logging import configure_logging
from moonwire.sandbox.fleet import running_fleet
from moonwire.settings import Settings, environment, load_settings
from moonwire.store.configuration import load_configuration


def run_loop(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine on uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work())


def run_server(config: Path | None) -> None:
    """Serve until a signal comes."""
    settings = load_settings()
    configure_logging(settings)
    configuration = load_configuration(config, environment()) if config else None

    async def work() -> None:
        stop = stop_signals()
        async with running_server(settings, configuration) as server:
            _welcome(settings, server)
            # What lives now lives for ever; a full collection that looks through it would stop the audio for 70 ms.
            gc.collect()
            gc.freeze()
            await stop.wait()
            typer.echo("Draining: no new calls; a second signal stops at once.", err=True)
            stop.clear()
            draining = asyncio.create_task(server.drain())
            forced = asyncio.create_task(stop.wait())
            await asyncio.wait({draining, forced}, return_when=asyncio.FIRST_COMPLETED)
            draining.cancel()
            forced.cancel()

    run_loop(work)


def stop_signals() -> asyncio.Event:
    """Return an event that SIGINT and SIGTERM set, each time anew."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


def _welcome(settings: Settings, server: Server) -> None:
    typer.echo(f"Moonwire is up. HTTP on {settings.http_host}:{server.http_port}, SIP on port {server.sip.local_port}.")
    if server.store.one_time_password:
        typer.echo(f"First login: user admin, one-time password {server.store.one_time_password}")
    if server.sandbox is not None:
        typer.echo("Sandbox vendors are on: no key is needed, nothing leaves this machine.")
        typer.echo(
            f'Try: moonwire call sip:1000@127.0.0.1:{server.sip.local_port} --say "What are your opening hours?"'
        )


def run_sandbox(host: str, port: int, day: str) -> None:
    """Run the simulators until a signal comes."""
    try:
        today = date.fromisoformat(day) if day else datetime.now(UTC).date()
    except ValueError:
        raise ConfigError(f"--date {day} is no day; write it like 2025-11-01") from None

    async def work() -> None:
        stop = stop_signals()
        ports = (port, port + 1, port + 2, port + 3) if port else (0, 0, 0, 0)
        async with running_fleet(host, ports, today=today) as fleet:
            typer.echo(f"moonshot (global) {fleet.moonshot_url}  key sk-sandbox")
            typer.echo(f"moonshot (china)  {fleet.moonshot_china_url}  key sk-sandbox-china")
            typer.echo(f"deepgram          {fleet.deepgram_url}  any key")
            typer.echo(f"cartesia          {fleet.cartesia_url}  any key")
            await stop.wait()

    run_loop(work)
