"""Where the model comes from: the operator's own file, the fetched one, an installed package; and its hash."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from moonwire.errors import ConfigError
from moonwire.vendors.turn.smart_turn.file import FILE_NAME, find_model, models_folder, unpack


def wheel(path: Path, content: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"publisher/data/{FILE_NAME}", content)
        archive.writestr("publisher-1.dist-info/licenses/LICENSE", "permissive")
    return path


def test_a_file_with_another_hash_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="SHA-256"):
        unpack(wheel(tmp_path / "a.whl", b"something else"), tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_the_expected_file_is_kept_with_its_licence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
    monkeypatch.setattr("moonwire.vendors.turn.smart_turn.file.SHA_256", digest)
    model = unpack(wheel(tmp_path / "a.whl", b"foo"), models_folder(tmp_path))
    assert model.read_bytes() == b"foo"
    assert (model.parent / "smart-turn-LICENSE").read_text() == "permissive"
    assert find_model(tmp_path, None) == model


@pytest.mark.parametrize("content", [b"no archive", None])
def test_a_wheel_without_the_model_says_so(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.whl"
    if content is None:
        zipfile.ZipFile(path, "w").close()
    else:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=FILE_NAME):
        unpack(path, tmp_path / "models")


def test_the_operators_own_file_wins(tmp_path: Path) -> None:
    own = tmp_path / "mine.onnx"
    own.write_bytes(b"x")
    assert find_model(tmp_path, own) == own
    with pytest.raises(ConfigError, match="MOONWIRE_TURN_MODEL"):
        find_model(tmp_path, tmp_path / "absent.onnx")


def test_none_is_none(tmp_path: Path) -> None:
    assert find_model(tmp_path, None) is None
