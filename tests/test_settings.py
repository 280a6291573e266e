"""What the environment may say, and what it is told when it says something else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from moonwire.errors import ConfigError
from moonwire.settings import Settings, environment, load_settings, mask_url, settings_table


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("MOONWIRE_"):
            monkeypatch.delenv(name)


def load() -> Settings:
    return load_settings(env_file=None)


def test_defaults() -> None:
    settings = load()
    assert (settings.http_port, settings.sip_port, settings.sandbox) == (8080, 5060, "auto")
    assert settings.database.startswith("sqlite+aiosqlite:////")
    assert settings.database.endswith("/var/moonwire.db")
    assert settings.sandbox_is_on(vendor_keys=False)
    assert not settings.sandbox_is_on(vendor_keys=True)


def test_environment_wins_over_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("MOONWIRE_HTTP_PORT=1234\nMOONWIRE_SIP_PORT=5070\nOTHER=1\n")
    monkeypatch.setenv("MOONWIRE_HTTP_PORT", "4321")
    settings = load_settings(env_file=file)
    assert (settings.http_port, settings.sip_port) == (4321, 5070)


def test_empty_variable_means_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOONWIRE_HTTP_PORT", "")
    assert load().http_port == 8080


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("HTTP_PORT", "eighty", "MOONWIRE_HTTP_PORT must be a whole number from 0 to 65535."),
        ("SIP_PORT", "70000", "MOONWIRE_SIP_PORT must be a whole number from 0 to 65535."),
        ("SANDBOX", "maybe", "MOONWIRE_SANDBOX must be auto, on or off."),
        ("PUBLIC_IP", "example.com", "MOONWIRE_PUBLIC_IP must be an IP address, for example 203.0.113.7."),
        ("LOG_PII", "perhaps", "MOONWIRE_LOG_PII must be true or false."),
        ("RTP_PORT_MIN", "65000", "MOONWIRE_RTP_PORT_MIN must not be above MOONWIRE_RTP_PORT_MAX."),
    ],
)
def test_wrong_value_is_one_sentence(monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str) -> None:
    monkeypatch.setenv(f"MOONWIRE_{name}", value)
    with pytest.raises(ConfigError) as caught:
        load()
    assert str(caught.value) == sentence


def test_wrong_database_url_hides_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOONWIRE_DATABASE_URL", "mysql://root:hunter2@db/moonwire")
    with pytest.raises(
        ConfigError, match=r"MOONWIRE_DATABASE_URL must begin with sqlite:// or postgresql://"
    ) as caught:
        load()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_postgresql_gets_the_async_driver(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setenv("MOONWIRE_DATABASE_URL", f"{scheme}://u:p@db/moonwire")
    assert load().database == "postgresql+asyncpg://u:p@db/moonwire"


def test_table_masks_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOONWIRE_DATABASE_URL", "postgresql://u:hunter2@db/moonwire?sslkey=hunter3")
    monkeypatch.setenv("MOONWIRE_ADMIN_PASSWORD", "hunter4")
    monkeypatch.setenv("MOONWIRE_MASTER_KEY", "hunter5")
    monkeypatch.setenv("MOONWIRE_PRIVATE_HOSTS", "10.0.0.0/8, ollama.local")
    table = settings_table(load())
    rows = {name: value for name, value, _ in table}
    assert rows["MOONWIRE_DATABASE_URL"] == "postgresql+asyncpg://u:********@db/moonwire?********"
    assert rows["MOONWIRE_PRIVATE_HOSTS"] == "10.0.0.0/8, ollama.local"
    assert "hunter" not in str(table)
    assert all(description for _, _, description in table)


def test_mask_url_keeps_file_paths() -> None:
    assert mask_url("sqlite+aiosqlite:////var/lib/x.db") == "sqlite+aiosqlite:////var/lib/x.db"
    assert mask_url("redis://:hunter2@h:6379/0") == "redis://:********@h:6379/0"


def test_mask_url_survives_nonsense() -> None:
    assert mask_url("http://[broken") == "********"


def test_environment_joins_file_and_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("KEY_A=file\nKEY_B=file\n")
    monkeypatch.setenv("KEY_B", "process")
    names = environment(file)
    assert (names["KEY_A"], names["KEY_B"]) == ("file", "process")
    assert environment(tmp_path / "missing")["KEY_B"] == "process"
