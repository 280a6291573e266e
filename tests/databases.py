"""Databases to test on: SQLite always, PostgreSQL when its programs are installed (started here, on a free port)."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from moonwire.settings import Settings

PROGRAMS = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/local/pgsql/bin")]
PASSWORD = "first password"


def program(name: str) -> str | None:
    """Find a program of PostgreSQL; Debian keeps them out of PATH."""
    return shutil.which(name) or next((str(one / name) for one in PROGRAMS if (one / name).exists()), None)


class PostgreSql:
    """A server of our own, in its own directory, on a free port."""

    def __init__(self) -> None:
        initdb, pg_ctl = program("initdb"), program("pg_ctl")
        if initdb is None or pg_ctl is None:
            pytest.skip("PostgreSQL is not installed")
        self._pg_ctl = pg_ctl
        self._directory = Path(tempfile.mkdtemp(prefix="moonwire-postgresql-"))  # pytest's own is closed to others
        self._user = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
        if self._user:
            os.chown(self._directory, pwd.getpwnam(self._user).pw_uid, -1)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self._run(initdb, "-D", self._data, "-U", "moonwire", "-A", "trust", "--no-sync")
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql://moonwire@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        options = f"-p {self._port} -k {self._directory} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run(self._pg_ctl, "-D", self._data, "-o", options, "-l", str(self._directory / "log"), "-w", "start")

    def stop(self) -> None:
        self._run(self._pg_ctl, "-D", self._data, "-m", "immediate", "stop")

    def remove(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):  # a test may have left it stopped
            self.stop()
        shutil.rmtree(self._directory, ignore_errors=True)

    @property
    def _data(self) -> str:
        return str(self._directory / "data")

    def _run(self, *command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, user=self._user, cwd=self._directory)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a server that all tests share."""
    server = PostgreSql()
    yield server.url
    server.remove()


@pytest.fixture
def own_postgresql() -> Iterator[PostgreSql]:
    """A server that a test may stop and start."""
    server = PostgreSql()
    yield server
    server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
async def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of an empty database of each kind."""
    data_dir = tmp_path / "data"
    if request.param == "sqlite":
        return make_settings(data_dir)
    url: str = request.getfixturevalue("postgresql")
    await empty(url)
    return make_settings(data_dir, url)


async def empty(url: str) -> None:
    """Drop everything that a PostgreSQL database holds."""
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    await engine.dispose()


def make_settings(data_dir: Path, url: str | None = None, master_key: str | None = None) -> Settings:
    """Make settings of a database: a file in the directory, or the one at the URL."""
    return Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue]
        data_dir=data_dir,
        database_url=SecretStr(url) if url else None,
        master_key=SecretStr(master_key) if master_key else None,
        admin_password=SecretStr(PASSWORD),
    )
