"""Where a published file comes from: the operator's own file, the fetched one, an installed package; and its hash."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from moonwire.errors import ConfigError
from moonwire.vendors.noise.rnnoise.file import RNNOISE
from moonwire.vendors.published_file import PublishedFile, models_folder
from moonwire.vendors.turn.smart_turn.file import SMART_TURN

FILES = [SMART_TURN, RNNOISE]
DIGEST = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"


def wheel(path: Path, name: str, content: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"publisher/data/{name}", content)
        archive.writestr("publisher-1.dist-info/licenses/LICENSE", "permissive")
    return path


@pytest.mark.parametrize("file", FILES)
def test_a_file_with_another_hash_is_not_kept(file: PublishedFile, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="SHA-256"):
        file.unpack(wheel(tmp_path / "a.whl", file.name, b"something else"), tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_the_expected_file_is_kept_with_its_licence(tmp_path: Path) -> None:
    file = replace(SMART_TURN, sha_256=DIGEST)
    model = file.unpack(wheel(tmp_path / "a.whl", file.name, b"foo"), models_folder(tmp_path))
    assert model.read_bytes() == b"foo"
    assert (model.parent / "smart-turn-LICENSE").read_text() == "permissive"
    assert file.find(tmp_path, None) == model


@pytest.mark.parametrize("content", [b"no archive", None])
def test_a_wheel_without_the_file_says_so(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.whl"
    if content is None:
        zipfile.ZipFile(path, "w").close()
    else:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=RNNOISE.name):
        RNNOISE.unpack(path, tmp_path / "models")


@pytest.mark.parametrize("file", FILES)
def test_the_operators_own_file_wins(file: PublishedFile, tmp_path: Path) -> None:
    own = tmp_path / "mine"
    own.write_bytes(b"x")
    assert file.find(tmp_path, own) == own
    with pytest.raises(ConfigError, match=file.setting):
        file.find(tmp_path, tmp_path / "absent")


@pytest.mark.parametrize("file", FILES)
def test_none_is_none(file: PublishedFile, tmp_path: Path) -> None:
    assert file.find(tmp_path, None) is None
