"""Brings a database's tables to the newest migration with Alembic; imported only when there is something to do."""

from __future__ import annotations

from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from moonwire.errors import ConfigError


def upgrade(connection: Connection, database: str) -> None:
    """Run all migrations that are missing.

    Raises:
        ConfigError: the database was made by a newer Moonwire.
    """
    with as_file(files("moonwire.store") / "migrations") as scripts:
        config = Config()
        config.set_main_option("script_location", str(scripts).replace("%", "%%"))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError:
            raise ConfigError(
                f"The database {database} was made by a newer version of Moonwire; update Moonwire or name another "
                "database in MOONWIRE_DATABASE_URL."
            ) from None
