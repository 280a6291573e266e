"""`moonwire apply`, `export` and `settings`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import typer

from moonwire.settings import environment, load_settings, settings_table
from moonwire.store.configuration import load_configuration
from moonwire.store.key_rotation import rotate_key_file
from moonwire.store.store import Store


def run_apply(file: Path) -> None:
    """Apply a configuration file."""
    settings = load_settings()
    configuration = load_configuration(file, environment())

    async def work() -> str:
        store = await Store.open(settings)
        try:
            return str(await store.apply(configuration))
        finally:
            await store.close()

    typer.echo(asyncio.run(work()))


def run_export() -> None:
    """Print the configuration."""
    settings = load_settings()

    async def work() -> str:
        store = await Store.open(settings)
        try:
            return await store.export()
        finally:
            await store.close()

    typer.echo(asyncio.run(work()))


def run_settings() -> None:
    """Print the effective settings."""
    for name, value, meaning in settings_table(load_settings()):
        typer.echo(f"{name:28} {value:40} {meaning}")


def run_rotate_key() -> None:
    """Replace the master key file."""
    sealed = asyncio.run(rotate_key_file(load_settings()))
    typer.echo(f"{sealed} secrets sealed with the new key; the old one is master.key.old in the data directory.")
