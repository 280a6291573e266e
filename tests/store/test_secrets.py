"""Sealing: fresh nonces, bound to a place, and keys from setting or file."""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonwire.errors import ConfigError
from moonwire.settings import Settings
from moonwire.store.secrets import FieldAddress, SecretBox, key_id, master_key, parse_key

ADDRESS = FieldAddress("llm_services", "sid", "api_key")
KEY = bytes(range(32))


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_opens(text: str) -> None:
    box = SecretBox(KEY)
    token = box.seal(ADDRESS, text)
    assert box.open(ADDRESS, token) == text
    assert box.seal(ADDRESS, text) != token, "a fresh nonce each time"


@pytest.mark.parametrize(
    "address",
    [
        FieldAddress("speech_services", "sid", "api_key"),
        FieldAddress("llm_services", "other", "api_key"),
        FieldAddress("llm_services", "sid", "token"),
    ],
)
def test_a_moved_token_does_not_open(address: FieldAddress) -> None:
    token = SecretBox(KEY).seal(ADDRESS, "sk-planted")
    with pytest.raises(ConfigError, match="damaged or belongs to another row") as caught:
        SecretBox(KEY).open(address, token)
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize(
    "damage", [lambda token: token[:-6] + "AAAA==", lambda token: token[:20], lambda token: token + "!"]
)
def test_a_damaged_token_does_not_open(damage: Callable[[str], str]) -> None:
    box = SecretBox(KEY)
    with pytest.raises(ConfigError):
        box.open(ADDRESS, damage(box.seal(ADDRESS, "text")))


def test_another_key_is_named() -> None:
    token = SecretBox(KEY).seal(ADDRESS, "text")
    with pytest.raises(ConfigError, match=rf"another master key \({key_id(KEY)}\)"):
        SecretBox(bytes(32)).open(ADDRESS, token)
    assert SecretBox(bytes(32), earlier=[KEY]).open(ADDRESS, token) == "text"


@pytest.mark.parametrize(
    "text",
    [base64.b64encode(KEY).decode(), base64.urlsafe_b64encode(KEY).decode(), KEY.hex(), f" {KEY.hex().upper()}\n"],
)
def test_key_spellings(text: str) -> None:
    assert parse_key(text, "X") == KEY


@pytest.mark.parametrize("text", ["", "password", "00" * 31, "zz" * 32, "ü" * 64])
def test_no_key(text: str) -> None:
    with pytest.raises(ConfigError, match="X must hold 32 bytes as base64 or hex"):
        parse_key(text, "X")


def test_key_file_is_made_once_for_us_alone(make: Callable[..., Settings], tmp_path: Path) -> None:
    settings = make(tmp_path / "data")
    key = master_key(settings)
    assert master_key(settings) == key
    path = tmp_path / "data" / "master.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["master.key"]
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        master_key(settings)
    path.chmod(0o600)
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="must hold 32 bytes"):
        master_key(settings)


def test_key_of_the_setting(make: Callable[..., Settings], tmp_path: Path) -> None:
    key = os.urandom(32)
    assert master_key(make(tmp_path / "none", None, key.hex())) == key
    assert not (tmp_path / "none").exists()


def test_data_directory_that_cannot_be_made(make: Callable[..., Settings], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="set MOONWIRE_DATA_DIR"):
        master_key(make(tmp_path / "file" / "data"))
