"""Opens the database: the engine with its pragmas, and the migrations at start.

SQLite runs in WAL mode with foreign keys on; PostgreSQL takes an advisory lock while it migrates, so that several
processes can start at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import InterfaceError as DBAPIInterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from moonwire.errors import ConfigError, StoreUnavailableError
from moonwire.settings import mask_url

_WRITES = "moonwire_writes"
_WAL_TRIES = 40
_WAL_WAIT_S = 0.25
_LOCK = text("SELECT pg_advisory_xact_lock(1836019566)")
"""PostgreSQL: one process at a time migrates or changes the configuration. SQLite has one writer anyway."""


class Database:
    """One database with its connection pool."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._is_sqlite = url.startswith("sqlite")
        self._away = _away_errors(is_sqlite=self._is_sqlite)
        self._engine = _make_engine(url, is_sqlite=self._is_sqlite)
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)

    @property
    def name(self) -> str:
        """The URL without its password."""
        return mask_url(self._url)

    async def migrate(self) -> None:
        """Bring the tables up to date.

        Raises:
            ConfigError: the database cannot be reached or written, or was made by a newer Moonwire.
        """
        try:
            if self._is_sqlite and (file := make_url(self._url).database):
                Path(file).parent.mkdir(parents=True, exist_ok=True)
            for attempt in range(_WAL_TRIES):
                try:
                    await self._bring_up_to_date()
                    break
                except OperationalError as error:
                    # Of several processes that start at once, one switches a new file to WAL; SQLite does not let the
                    # others wait for that, whatever the busy timeout says.
                    if not self._is_sqlite or "locked" not in str(error) or attempt == _WAL_TRIES - 1:
                        raise
                    await asyncio.sleep(_WAL_WAIT_S)
        except (SQLAlchemyError, *self._away) as error:
            raise ConfigError(
                f"The database {self.name} cannot be opened ({_cause(error)}); check MOONWIRE_DATABASE_URL."
            ) from None

    async def _bring_up_to_date(self) -> None:
        async with self._engine.execution_options(**{_WRITES: True}).begin() as connection:
            if not self._is_sqlite:
                await connection.execute(_LOCK)
            if not await connection.run_sync(_is_current):
                # Only now: Alembic takes a sixth of a second to import, and most starts find nothing to do.
                from moonwire.store.upgrade import upgrade

                await connection.run_sync(upgrade, self.name)

    @asynccontextmanager
    async def transaction(self, *, exclusive: bool = False) -> AsyncGenerator[AsyncSession]:
        """Open a session that commits at the end, or rolls everything back; exclusive ones wait for each other.

        Raises:
            StoreUnavailableError: the database is away, locked or full.
        """
        with self._told():
            async with self._sessions.begin() as session:
                connection = await session.connection(execution_options={_WRITES: True})
                if exclusive and not self._is_sqlite:
                    await connection.execute(_LOCK)
                yield session

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncSession]:
        """Open a session that only reads; errors as transaction."""
        with self._told():
            async with self._sessions() as session:
                yield session

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()

    @contextmanager
    def _told(self) -> Generator[None]:
        """Turn what drivers raise when the database is away into one error."""
        try:
            yield
        except (DBAPIError, PoolTimeoutError, *self._away) as error:
            if isinstance(error, DBAPIError) and not isinstance(error, self._away) and not _is_away(error):
                raise
            raise StoreUnavailableError(f"The database {self.name} is not available ({_cause(error)}).") from None


def _away_errors(*, is_sqlite: bool) -> tuple[type[Exception], ...]:
    """Name the errors that mean "away"; asyncpg's own come through unwrapped while a connection is being made."""
    if is_sqlite:
        return (OperationalError, OSError)
    from asyncpg import InterfaceError, PostgresError

    return (OperationalError, DBAPIInterfaceError, InterfaceError, PostgresError, OSError)


def _is_away(error: DBAPIError) -> bool:
    """Tell a server that went away, is full or has no turn for us from a statement that is wrong.

    Source: PostgreSQL documentation, appendix A (classes 08, 25, 40, 53, 55, 57, 58).
    """
    state = str(getattr(error.orig, "sqlstate", None) or "")
    return error.connection_invalidated or state[:2] in ("08", "25", "40", "53", "55", "57", "58")


def _make_engine(url: str, *, is_sqlite: bool) -> AsyncEngine:
    options: dict[str, Any] = (
        {"connect_args": {"timeout": 10}}
        if is_sqlite
        else {"pool_pre_ping": True, "pool_size": 5, "connect_args": {"timeout": 5, "command_timeout": 30}}
    )
    try:
        engine = create_async_engine(url, **options)
    except (ArgumentError, ValueError):
        raise ConfigError(
            "MOONWIRE_DATABASE_URL is no database URL; an example is postgresql://user:password@localhost/moonwire."
        ) from None
    if is_sqlite:
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Switch a new SQLite connection to WAL, foreign keys, and transactions that we begin ourselves."""
    connection.isolation_level = None
    connection.create_function("lower", 1, _lower, deterministic=True)
    cursor = connection.cursor()
    for pragma in ("busy_timeout=10000", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _lower(text: object) -> object:
    """Fold the case of every script; SQLite's own function knows ASCII only."""
    return text.lower() if isinstance(text, str) else text


def _begin_sqlite(connection: Connection) -> None:
    """Begin for real (Python's driver would exclude DDL), and take the write lock first where something is written.

    A read transaction that turns into a write one may fail at once (Source: sqlite.org/lang_transaction.html, 2.2).
    """
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get(_WRITES) else "BEGIN")


def _is_current(connection: Connection) -> bool:
    """Tell whether the tables are those of the newest migration; its file is named r<revision>_<topic>.py."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    versions = files("moonwire.store") / "migrations" / "versions"
    newest = max(file.name for file in versions.iterdir() if file.name.startswith("r") and file.name.endswith(".py"))
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    return found == [newest[1:].partition("_")[0]]


def _cause(error: Exception) -> str:
    origin = getattr(error, "orig", None) or error
    return str(origin).splitlines()[0] if str(origin) else type(origin).__name__
