"""Process settings: read once from the environment (prefix MOONWIRE_) and a .env file.

What an operator changes while the server runs (services, applications, numbers, carriers) is not here: it lives in
the database, see store/configuration.py.
"""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Annotated, Literal, cast
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from moonwire.errors import ConfigError

PREFIX = "MOONWIRE_"

Port = Annotated[int, Field(ge=0, le=65535)]


class Settings(BaseSettings):
    """Everything one process needs to know before it opens its database and its sockets."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    http_host: str = "127.0.0.1"
    """Address of portal, REST and media sockets; 0.0.0.0 for all interfaces."""

    http_port: Port = 8080
    """TCP port of portal, REST and media sockets; 0 lets the system choose."""

    sip_host: str = "0.0.0.0"
    """Address of SIP and RTP; only configured carriers are answered."""

    sip_port: Port = 5060
    """UDP and TCP port of SIP; 0 lets the system choose."""

    rtp_port_min: Port = 20000
    """Lowest UDP port of RTP."""

    rtp_port_max: Port = 29999
    """Highest UDP port of RTP; two ports per call."""

    public_ip: str | None = None
    """Address that callers see in SIP and SDP; unset: the address of the interface that leads to them."""

    data_dir: Path = Path("var")
    """Directory of database file, generated key, event logs, recordings and spool."""

    greeting_turn_end: bool = True
    """Agents send a `turn_end` for their greeting, unless an application says otherwise; older jambonz sent none."""

    turn_model: Path | None = None
    """Acoustic end-of-turn model (ONNX, Smart Turn's contract); unset: the one that `moonwire models fetch` brought."""

    rnnoise_library: Path | None = None
    """Shared library of RNNoise, such as one built for this processor; unset: what `moonwire models fetch` brought."""

    database_url: SecretStr | None = None
    """SQLite file or PostgreSQL URL (postgresql://user:password@host/name); unset: a file in the data directory."""

    redis_url: SecretStr | None = None
    """Redis URL for many processes; unset: one process."""

    master_key: SecretStr | None = None
    """32 bytes as base64 or hex that encrypt stored secrets; unset: a key file in the data directory (mode 0600)."""

    admin_password: SecretStr | None = None
    """First password of the user `admin`; unset: a one-time password is shown at the first start."""

    sandbox: Literal["auto", "on", "off"] = "auto"
    """Shipped vendor simulators; auto: when no vendor key is configured."""

    private_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Hosts and networks in private ranges, comma-separated, that REST and portal users may name in URLs."""

    rest_limit: Annotated[int, Field(ge=0, le=1_000_000)] = 600
    """Requests of one REST client in five minutes; 0: any number. Clients on this machine are not limited."""

    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ("127.0.0.1", "::1")
    """HTTP proxies (addresses, networks) whose X-Forwarded-For and X-Forwarded-Proto are believed, comma-separated."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe log line that is written."""

    log_pii: bool = False
    """Write transcripts, numbers and digits into the log instead of masking them."""

    @field_validator("sandbox", "log_level", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.strip().lower() if isinstance(value, str) else value

    @field_validator("private_hosts", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part for part in value.replace(",", " ").split() if part) if isinstance(value, str) else value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return tuple(str(ipaddress.ip_network(one, strict=False)) for one in value)
        except ValueError:
            raise ValueError("must be IP addresses or networks, for example 10.0.0.0/8") from None

    @field_validator("public_ip")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                return str(ipaddress.ip_address(value.strip()))
            except ValueError:
                raise ValueError("must be an IP address, for example 203.0.113.7") from None
        return value

    @field_validator("database_url")
    @classmethod
    def _is_database(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and _database_scheme(value.get_secret_value()) is None:
            raise ValueError(
                "must begin with sqlite:// or postgresql://, for example sqlite:////var/lib/moonwire/moonwire.db"
            )
        return value

    @model_validator(mode="after")
    def _port_range(self) -> Settings:
        if self.rtp_port_min > self.rtp_port_max:
            raise ValueError(f"{PREFIX}RTP_PORT_MIN must not be above {PREFIX}RTP_PORT_MAX")
        return self

    @property
    def database(self) -> str:
        """The database URL with the async driver's name, password included."""
        if self.database_url is None:
            return f"sqlite+aiosqlite:///{self.data_dir.resolve() / 'moonwire.db'}"
        url = self.database_url.get_secret_value()
        return f"{_database_scheme(url)}://{url.split('://', 1)[1]}"

    def sandbox_is_on(self, *, vendor_keys: bool) -> bool:
        """Say whether the shipped simulators run, given whether any vendor key is configured."""
        return self.sandbox == "on" or (self.sandbox == "auto" and not vendor_keys)


def load_settings(*, env_file: str | Path | None = ".env") -> Settings:
    """Read the settings from the environment and the given file.

    Raises:
        ConfigError: one sentence per wrong variable, naming it and what it accepts; never the value of a secret.
    """
    try:
        return Settings(_env_file=env_file)  # pyright: ignore[reportCallIssue]
    except ValidationError as error:
        raise ConfigError("\n".join(_complaint(detail) for detail in error.errors())) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{env_file} is not UTF-8 text; save it again as UTF-8.") from None


def environment(env_file: str | Path | None = ".env") -> dict[str, str]:
    """Return the variables that `${NAME}` in a configuration file may use: the process's, then those of the file."""
    found = dotenv_values(env_file) if env_file and Path(env_file).is_file() else {}
    return {name: value for name, value in found.items() if value is not None} | dict(os.environ)


def settings_table(settings: Settings) -> list[tuple[str, str, str]]:
    """List every variable, its effective value with secrets masked, and what it means."""
    rows: list[tuple[str, str, str]] = []
    for name, field in Settings.model_fields.items():
        rows.append((f"{PREFIX}{name.upper()}", _shown(name, settings), field.description or ""))
    return rows


def _shown(name: str, settings: Settings) -> str:
    value: object = getattr(settings, name)
    match name:
        case "database_url":
            return mask_url(settings.database)
        case "redis_url" if isinstance(value, SecretStr):
            return mask_url(value.get_secret_value())
        case "master_key" if value is None:
            return "(key file)"
        case _ if isinstance(value, SecretStr):
            return "********"
        case "private_hosts" | "trusted_proxies" if isinstance(value, tuple):
            return ", ".join(str(one) for one in cast("tuple[object, ...]", value))
        case _:
            return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def mask_url(url: str) -> str:
    """Return the URL with the password and the query hidden."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "********"
    if parts.password is not None:
        host = parts.netloc.rpartition("@")[2]
        url = url.replace(parts.netloc, f"{parts.username or ''}:********@{host}", 1)
    head, mark, _ = url.partition("?")
    return f"{head}{mark}{'********' if mark else ''}"


def _database_scheme(url: str) -> str | None:
    match url.split("://", 1)[0] if "://" in url else "":
        case "sqlite" | "sqlite+aiosqlite":
            return "sqlite+aiosqlite"
        case "postgres" | "postgresql" | "postgresql+asyncpg":
            return "postgresql+asyncpg"
        case _:
            return None


def _complaint(detail: ErrorDetails) -> str:
    """Turn one validation error into a sentence that names the variable and the remedy."""
    text = detail["msg"].removeprefix("Value error, ")
    if not detail["loc"]:
        return f"{text}."
    variable = f"{PREFIX}{str(detail['loc'][0]).upper()}"
    match detail["type"]:
        case "int_parsing" | "int_from_float" | "greater_than_equal" | "less_than_equal":
            text = f"must be a whole number from 0 to {1_000_000 if detail['loc'][0] == 'rest_limit' else 65535}"
        case "literal_error":
            text = f"must be {str(detail.get('ctx', {}).get('expected', '')).replace(chr(39), '')}"
        case "bool_parsing":
            text = "must be true or false"
        case _:
            pass
    return f"{variable} {text}."
