"""Encrypts what the database must not know: AES-256-GCM, a fresh nonce each time, bound to table, row and field.

A token reads `1.<key id>.<base64 of nonce and ciphertext>`. The key id names the master key that made it, so that a
server with the wrong key says so and rotation can go row by row. Passwords and API keys are not encrypted but hashed
(store/users.py, store/api_keys.py).

Source: NIST SP 800-38D sections 5.2 and 8.2 (96-bit nonces).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from moonwire.errors import ConfigError
from moonwire.settings import Settings

KEY_BYTES = 32
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class FieldAddress:
    """Where a secret lives; a token moved to another place does not open."""

    table: str
    sid: str
    field: str

    @property
    def associated_data(self) -> bytes:
        """The bytes that the ciphertext is bound to."""
        return f"{self.table}/{self.sid}/{self.field}".encode()


class SecretBox:
    """Seals with the current master key, opens with it and with earlier ones."""

    def __init__(self, key: bytes, earlier: Sequence[bytes] = ()) -> None:
        self._key_id = key_id(key)
        self._ciphers = {key_id(one): AESGCM(one) for one in (*earlier, key)}

    @property
    def current_key_id(self) -> str:
        """The id in every new token."""
        return self._key_id

    def seal(self, address: FieldAddress, text: str) -> str:
        """Encrypt one field."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._ciphers[self._key_id].encrypt(nonce, text.encode(), address.associated_data)
        return f"1.{self._key_id}.{base64.b64encode(sealed).decode()}"

    def open(self, address: FieldAddress, token: str) -> str:
        """Decrypt one field.

        Raises:
            ConfigError: made with another master key, moved from another row, or damaged.
        """
        version, _, rest = token.partition(".")
        made_with, _, body = rest.partition(".")
        cipher = self._ciphers.get(made_with)
        if version != "1" or cipher is None:
            raise ConfigError(
                f"{address.table} {address.sid}: {address.field} was stored with another master key ({made_with}); "
                "start with that key in MOONWIRE_MASTER_KEY."
            )
        try:
            sealed = base64.b64decode(body, validate=True)
            return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], address.associated_data).decode()
        except (InvalidTag, binascii.Error, ValueError):
            raise ConfigError(
                f"{address.table} {address.sid}: the stored {address.field} is damaged or belongs to another row; "
                "enter it again."
            ) from None


def key_id(key: bytes) -> str:
    """Return eight hex digits that name a key without telling it."""
    return hashlib.sha256(b"moonwire master key id\0" + key).hexdigest()[:8]


def master_key(settings: Settings) -> bytes:
    """Return the master key: of the setting, or of the key file, which is made at the first start.

    Raises:
        ConfigError: the setting or the file is no key, or the file cannot be made or is readable by others.
    """
    if settings.master_key is not None:
        return parse_key(settings.master_key.get_secret_value(), "MOONWIRE_MASTER_KEY")
    path = settings.data_dir / "master.key"
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make_key_file(path)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ConfigError(f"{path} can be read by other users; run: chmod 600 {path}")
        text = path.read_text(encoding="ascii")
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be made or read ({error.strerror}); set MOONWIRE_DATA_DIR to a writable directory."
        ) from None
    except UnicodeDecodeError:
        text = ""
    return parse_key(text, str(path))


def parse_key(text: str, source: str) -> bytes:
    """Return the 32 bytes that base64 or hex text stands for.

    Raises:
        ConfigError: neither.
    """
    text = text.strip()
    try:
        if len(text) == 2 * KEY_BYTES:
            key = bytes.fromhex(text)
        else:
            key = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError(f"{source} must hold 32 bytes as base64 or hex, as made by: openssl rand -base64 32")
    return key


def _make_key_file(path: Path) -> None:
    """Write a new key unless there is one; two processes that start at once agree on the first one's."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink(missing_ok=True)
