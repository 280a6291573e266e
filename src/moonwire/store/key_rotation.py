"""Seals every stored secret anew with another master key, all or nothing.

The server is stopped meanwhile: a running one knows only the old key.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path

from sqlalchemy import delete, select

from moonwire.errors import ConfigError
from moonwire.settings import Settings
from moonwire.store.database import Database
from moonwire.store.sealing import SEALED_TABLES, reseal
from moonwire.store.secrets import KEY_BYTES, FieldAddress, SecretBox, master_key
from moonwire.store.tables import MetaRow

KEY_CHECK = FieldAddress("meta", "master_key_check", "value")


async def rotate_master_key(settings: Settings, new_key: bytes) -> int:
    """Replace the master key in the database; returns how many records held secrets.

    Raises:
        ConfigError: the database is out of reach, or was not sealed with the current key; nothing was changed.
    """
    box = SecretBox(new_key, earlier=[master_key(settings)])
    database = Database(settings.database)
    try:
        await database.migrate()
        async with database.transaction(exclusive=True) as session:
            check = await session.get(MetaRow, KEY_CHECK.sid)
            if check is None:
                raise ConfigError(f"The database {database.name} holds no secrets yet; there is nothing to rotate.")
            box.open(KEY_CHECK, check.value)
            check.value = box.seal(KEY_CHECK, "moonwire")
            await session.execute(delete(MetaRow).where(MetaRow.key == "one_time_password"))
            rows = [row for table in SEALED_TABLES for row in await session.scalars(select(table))]
            return sum(reseal(box, row) for row in rows)
    finally:
        await database.close()


async def rotate_key_file(settings: Settings) -> int:
    """Make a new key, seal everything with it and put it into the key file; the old file stays as `master.key.old`.

    Interrupted at the worst moment, `master.key.new` holds the key that fits.

    Raises:
        ConfigError: as rotate_master_key, or the key comes from MOONWIRE_MASTER_KEY.
    """
    if settings.master_key is not None:
        raise ConfigError(
            "The master key comes from MOONWIRE_MASTER_KEY, but only a key file can be replaced; move the key into "
            f"{settings.data_dir / 'master.key'} (mode 0600) and unset the variable first."
        )
    master_key(settings)
    path = settings.data_dir / "master.key"
    new_key = os.urandom(KEY_BYTES)
    draft = path.with_name("master.key.new")
    _write(draft, base64.b64encode(new_key) + b"\n")
    try:
        rotated = await rotate_master_key(settings, new_key)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    path.replace(path.with_name("master.key.old"))
    draft.replace(path)
    return rotated


def _write(path: Path, text: bytes) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
