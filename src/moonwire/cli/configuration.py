"""`moonwire apply`, `export` and `settings`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import typer

from moonwire.errors import ConfigError
from moonwire.settings import environment, load_settings, settings_table
from moonwire.store.configuration import load_configuration, parse_configuration
from moonwire.store.key_rotation import rotate_key_file
from moonwire.store.store import Store


def run_apply(file: Path | None) -> None:
    """Apply a configuration file, or what comes through standard input."""
    settings = load_settings()
    if file is not None:
        configuration = load_configuration(file, environment())
    else:
        configuration = parse_configuration(_piped(), environment(), source="standard input")

    async def work() -> str:
        store = await Store.open(settings)
        try:
            return str(await store.apply(configuration))
        finally:
            await store.close()

    typer.echo(asyncio.run(work()))


def _piped() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError("standard input is not UTF-8 text; save it again as UTF-8.") from None


def run_export(*, placeholders: bool) -> None:
    """Print the configuration."""
    settings = load_settings()

    async def work() -> str:
        store = await Store.open(settings)
        try:
            return await store.export(placeholders=placeholders)
        finally:
            await store.close()

    typer.echo(asyncio.run(work()), nl=False)


def run_settings() -> None:
    """Print the effective settings."""
    for name, value, meaning in settings_table(load_settings()):
        typer.echo(f"{name:28} {value:40} {meaning}")


def run_rotate_key() -> None:
    """Replace the master key file."""
    sealed = asyncio.run(rotate_key_file(load_settings()))
    typer.echo(f"The secrets of {sealed} records are sealed with a new key; the old one is master.key.old, beside it.")
