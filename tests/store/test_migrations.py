"""The migrations make exactly the tables that the code maps, and carry data along."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from moonwire.settings import Settings
from moonwire.store.configuration import parse_configuration
from moonwire.store.database import Database
from moonwire.store.store import Store
from moonwire.store.tables import Table

FILE = "applications: [{name: a, app_json: [{verb: hangup}]}]\nllm_services: [{vendor: m, api_key: k}]"
REVISIONS = sorted(path.name[1:5] for path in Path("src/moonwire/store/migrations/versions").glob("r*.py"))


def drift(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, Table.metadata))


def downgrade(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "src/moonwire/store/migrations")
    config.attributes["connection"] = connection
    command.downgrade(config, revision)


async def test_no_drift(store: Store) -> None:
    async with store.database.reading() as session:
        connection = await session.connection()
        assert await connection.run_sync(drift) == []


async def test_an_older_database_comes_along(settings: Settings) -> None:
    store = await Store.open(settings)
    await store.apply(parse_configuration(FILE, {}))
    before = store.directory.stored
    await store.close()
    for revision in REVISIONS:
        older = Database(settings.database)
        async with older.transaction() as session:
            await (await session.connection()).run_sync(downgrade, revision)
        await older.close()
        again = await Store.open(settings)
        assert again.directory.stored == before, revision
        await again.close()


async def test_down_to_nothing_and_up_again(settings: Settings) -> None:
    store = await Store.open(settings)
    async with store.database.transaction() as session:
        await (await session.connection()).run_sync(downgrade, "base")
    await store.close()
    again = await Store.open(settings)
    assert again.directory.stored.applications == {}
    await again.close()
