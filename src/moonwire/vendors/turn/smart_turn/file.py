"""Finds the Smart Turn file on this machine, and takes it out of the package that publishes it.

The model is published inside a Python package, not on its own; that package's wheel is fetched by the operator's own
package client (`moonwire models fetch`), checked, and only the one file and its licence are kept.
"""

from __future__ import annotations

import hashlib
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Final

from moonwire.errors import ConfigError

FILE_NAME: Final = "smart-turn-v3.2-cpu.onnx"
SHA_256: Final = "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f"
PUBLISHER: Final = "pipecat-ai"
RELEASE: Final = "1.14.0"
"""The release whose wheel holds exactly this file."""
LICENCE_NAME: Final = "smart-turn-LICENSE"


def models_folder(data_dir: Path) -> Path:
    """Return where fetched models lie."""
    return data_dir / "models"


def find_model(data_dir: Path, own: Path | None) -> Path | None:
    """Return the file to use: the operator's own, the fetched one, or that of an installed package; None without any.

    Raises:
        ConfigError: the operator named a file that is not there.
    """
    if own is not None:
        if not own.is_file():
            raise ConfigError(f"MOONWIRE_TURN_MODEL names {own}, which is not a file")
        return own
    fetched = models_folder(data_dir) / FILE_NAME
    return fetched if fetched.is_file() else _installed()


def unpack(wheel: Path, folder: Path) -> Path:
    """Take model and licence out of the publisher's wheel.

    Raises:
        ConfigError: the wheel does not hold the expected file.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            model = archive.read(_member(archive, FILE_NAME))
            licence = archive.read(_member(archive, "licenses/LICENSE"))
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise ConfigError(f"{wheel.name} does not hold {FILE_NAME}: {error}") from error
    found = hashlib.sha256(model).hexdigest()
    if found != SHA_256:
        raise ConfigError(f"{FILE_NAME} in {wheel.name} has SHA-256 {found}, expected {SHA_256}; it was not kept")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / LICENCE_NAME).write_bytes(licence)
    partial = folder / f"{FILE_NAME}.partial"
    partial.write_bytes(model)
    return partial.replace(folder / FILE_NAME)


def _member(archive: zipfile.ZipFile, end: str) -> str:
    for name in archive.namelist():
        if name.endswith(end):
            return name
    raise KeyError(end)


def _installed() -> Path | None:
    """Look into the installed package's list of files; importing it would bring its whole framework along."""
    try:
        files = metadata.files(PUBLISHER) or []
    except metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.name == FILE_NAME:
            path = Path(str(file.locate()))
            return path if path.is_file() else None
    return None
