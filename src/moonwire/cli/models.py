"""`moonwire models fetch`: brings the open turn-detection model with the operator's own package client."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import typer

from moonwire.errors import ConfigError
from moonwire.settings import load_settings
from moonwire.vendors.turn.smart_turn.file import PUBLISHER, RELEASE, find_model, models_folder, unpack

FETCH_LIMIT_S: Final = 120
HASTE: Final = ("--retries", "1", "--timeout", "10")
"""Without a network the set-up must not wait for long."""


def run_fetch(*, quietly: bool) -> None:
    """Fetch the model unless it is here; `quietly` never fails, for set-ups that can do without."""
    settings = load_settings()
    try:
        found = find_model(settings.data_dir, settings.turn_model)
        if found is None:
            found = fetch(models_folder(settings.data_dir))
        elif quietly:
            return
    except ConfigError as error:
        if not quietly:
            raise
        typer.echo(f"note: turns are ended by a silence timer; the open model could not be fetched ({error})", err=True)
        return
    typer.echo(f"turn-detection model: {found}")


def fetch(folder: Path) -> Path:
    """Download the publisher's wheel and keep the model and its licence.

    Raises:
        ConfigError: no package client, no network, or not the expected file.
    """
    with tempfile.TemporaryDirectory() as scratch:
        _download(_client(), Path(scratch))
        wheels = list(Path(scratch).glob("*.whl"))
        if len(wheels) != 1:
            raise ConfigError(f"the package client brought {len(wheels)} wheels of {PUBLISHER} {RELEASE}, expected one")
        return unpack(wheels[0], folder)


def _client() -> Sequence[str]:
    """Return a command that downloads wheels: pip of this environment, of the system, or pip run by uv."""
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0:
        return (sys.executable, "-m", "pip")
    for name in ("pip3", "pip"):
        if found := shutil.which(name):
            return (found,)
    if uv := shutil.which("uv"):
        return (uv, "tool", "run", "pip")
    raise ConfigError("neither pip nor uv is installed; install one, or set MOONWIRE_TURN_MODEL to the model's file")


def _download(client: Sequence[str], folder: Path) -> None:
    wanted = f"{PUBLISHER}=={RELEASE}"
    options = [
        "download",
        "--quiet",
        "--no-deps",
        "--no-input",
        "--only-binary=:all:",
        "--disable-pip-version-check",
        *HASTE,
    ]
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, no shell
            [*client, *options, "--dest", str(folder), wanted],
            capture_output=True,
            text=True,
            timeout=FETCH_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"{wanted} could not be downloaded: {type(error).__name__}") from error
    if done.returncode:
        last = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise ConfigError(f"{wanted} could not be downloaded: {last}")
