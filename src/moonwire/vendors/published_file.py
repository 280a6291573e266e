"""Finds files that others publish inside a Python package, and takes them out of its wheel with their hash checked.

Such a package drags a whole framework in for one file; so its wheel is fetched by the operator's own package client
(`moonwire models fetch`), and only the file and the licence are kept.
"""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from moonwire.errors import ConfigError


def models_folder(data_dir: Path) -> Path:
    """Return where fetched files lie."""
    return data_dir / "models"


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """One file and who publishes it."""

    use: str
    """What it is for, in the operator's words."""
    name: str
    sha_256: str
    publisher: str
    release: str
    """The release whose wheel holds exactly this file."""
    licence_name: str
    """Under which name the publisher's licence is kept beside it."""
    setting: str
    """Names the operator's own file."""
    without: str
    """What happens when it is missing."""

    def find(self, data_dir: Path, own: Path | None) -> Path | None:
        """Return the file to use: the operator's own, the fetched one, or that of an installed package; None without.

        Raises:
            ConfigError: the operator named a file that is not there.
        """
        if own is not None:
            if not own.is_file():
                raise ConfigError(f"{self.setting} names {own}, which is not a file")
            return own
        fetched = models_folder(data_dir) / self.name
        return fetched if fetched.is_file() else self._installed()

    def unpack(self, wheel: Path, folder: Path) -> Path:
        """Take file and licence out of the publisher's wheel.

        Raises:
            ConfigError: the wheel does not hold the expected file.
        """
        try:
            with zipfile.ZipFile(wheel) as archive:
                content = archive.read(_member(archive, self.name))
                licence = archive.read(_member(archive, "licenses/LICENSE"))
        except (OSError, zipfile.BadZipFile, KeyError) as error:
            raise ConfigError(f"{wheel.name} does not hold {self.name}: {error}") from error
        found = hashlib.sha256(content).hexdigest()
        if found != self.sha_256:
            raise ConfigError(
                f"{self.name} in {wheel.name} has SHA-256 {found}, expected {self.sha_256}; it was not kept"
            )
        folder.mkdir(parents=True, exist_ok=True)
        (folder / self.licence_name).write_bytes(licence)
        partial = folder / f"{self.name}.partial"
        partial.write_bytes(content)
        return partial.replace(folder / self.name)

    def _installed(self) -> Path | None:
        """Look into the installed package's list of files; importing it would bring its whole framework along."""
        try:
            files = metadata.files(self.publisher) or []
        except metadata.PackageNotFoundError:
            return None
        for file in files:
            if file.name == self.name:
                path = Path(str(file.locate()))
                return path if path.is_file() else None
        return None


def _member(archive: zipfile.ZipFile, end: str) -> str:
    for name in archive.namelist():
        if name.endswith(end):
            return name
    raise KeyError(end)
