"""Databases to test on: SQLite always, PostgreSQL when its programs are installed (started here, on a free port)."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from moonwire.settings import Settings
from moonwire.store import users
from moonwire.store.store import Store

PROGRAMS = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/local/pgsql/bin")]


def program(name: str) -> str | None:
    return shutil.which(name) or next((str(one / name) for one in PROGRAMS if (one / name).exists()), None)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """A running server's URL; it ends with the tests."""
    initdb, pg_ctl = program("initdb"), program("pg_ctl")
    if initdb is None or pg_ctl is None:
        pytest.skip("PostgreSQL is not installed")
    directory = Path(tempfile.mkdtemp(prefix="moonwire-postgresql-"))  # pytest's own is closed to other users
    user = None
    if os.geteuid() == 0:
        user = "nobody"  # PostgreSQL refuses to run as root
        os.chown(directory, pwd.getpwnam(user).pw_uid, -1)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = str(directory / "data")
    options = f"-p {port} -k {directory} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=50"

    def run(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, user=user, cwd=directory)

    run(initdb, "-D", data, "-U", "moonwire", "-A", "trust", "--no-sync")
    run(pg_ctl, "-D", data, "-o", options, "-l", str(directory / "log"), "-w", "start")
    try:
        yield f"postgresql://moonwire@127.0.0.1:{port}/postgres"
    finally:
        stop = [pg_ctl, "-D", data, "-m", "immediate", "stop"]
        subprocess.run(stop, check=False, capture_output=True, user=user)
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
async def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of an empty database of each kind."""
    data_dir = tmp_path / "data"
    if request.param == "sqlite":
        return make_settings(data_dir)
    url: str = request.getfixturevalue("postgresql")
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    await engine.dispose()
    return make_settings(data_dir, url)


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    """An opened store on an empty database."""
    opened = await Store.open(settings)
    yield opened
    await opened.close()


@pytest.fixture
def make() -> Callable[..., Settings]:
    return make_settings


def make_settings(data_dir: Path, url: str | None = None, master_key: str | None = None) -> Settings:
    return Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue]
        data_dir=data_dir,
        database_url=SecretStr(url) if url else None,
        master_key=SecretStr(master_key) if master_key else None,
        admin_password=SecretStr("first"),
    )


@pytest.fixture(autouse=True)
def light_passwords(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords with little work, except where the hash itself is looked at."""
    if "password" not in request.node.name:
        monkeypatch.setattr(users, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
