"""`moonwire models fetch`: brings what others publish inside packages, with the operator's own package client."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import typer

from moonwire.dialects.network_words import plain_cause
from moonwire.errors import ConfigError
from moonwire.settings import load_settings
from moonwire.vendors.noise.rnnoise.file import RNNOISE
from moonwire.vendors.published_file import PublishedFile, models_folder
from moonwire.vendors.turn.smart_turn.file import SMART_TURN

FETCH_LIMIT_S: Final = 120
HASTE: Final = ("--retries", "1", "--timeout", "10")
"""Without a network the set-up must not wait for long."""


def run_fetch(*, quietly: bool) -> None:
    """Fetch what is not here; `quietly` never fails, for set-ups that can do without."""
    settings = load_settings()
    for file, own in ((SMART_TURN, settings.turn_model), (RNNOISE, settings.rnnoise_library)):
        try:
            found = file.find(settings.data_dir, own)
            if found is None:
                found = fetch(file, models_folder(settings.data_dir))
            elif quietly:
                continue
        except ConfigError as error:
            if not quietly:
                raise
            typer.echo(f"note: {file.without}; {file.name} could not be fetched ({error})", err=True)
            return  # without a network the next one would only take time, too
        typer.echo(f"{file.use}: {found}")


def fetch(file: PublishedFile, folder: Path) -> Path:
    """Download the publisher's wheel and keep the file and its licence.

    Raises:
        ConfigError: no package client, no network, or not the expected file.
    """
    wanted = f"{file.publisher}=={file.release}"
    with tempfile.TemporaryDirectory() as scratch:
        _download(_client(), wanted, Path(scratch))
        wheels = list(Path(scratch).glob("*.whl"))
        if len(wheels) != 1:
            raise ConfigError(f"the package client brought {len(wheels)} wheels of {wanted}, expected one")
        return file.unpack(wheels[0], folder)


def _client() -> Sequence[str]:
    """Return a command that downloads wheels: pip of this environment, of the system, or pip run by uv."""
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0:
        return (sys.executable, "-m", "pip")
    for name in ("pip3", "pip"):
        if found := shutil.which(name):
            return (found,)
    if uv := shutil.which("uv"):
        return (uv, "tool", "run", "pip")
    raise ConfigError(
        "neither pip nor uv is installed; install one, or name files of your own "
        "(MOONWIRE_TURN_MODEL, MOONWIRE_RNNOISE_LIBRARY)"
    )


def _download(client: Sequence[str], wanted: str, folder: Path) -> None:
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
        raise ConfigError(f"{wanted} could not be downloaded: {plain_cause(error)}") from error
    if done.returncode:
        last = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise ConfigError(f"{wanted} could not be downloaded: {last}")
