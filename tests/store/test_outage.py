"""The database goes away under a running server: calls go on with what is cached, records are written later."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.databases import PostgreSql

from moonwire.errors import ConfigError, StoreUnavailableError
from moonwire.settings import Settings
from moonwire.store.configuration import parse_configuration
from moonwire.store.recorder import Recorder
from moonwire.store.store import Store

from .test_recorder import RECORD, calls

FILE = "applications: [{name: a, app_json: [{verb: hangup}]}]\nphone_numbers: [{number: '1', application: a}]"


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await check():
            await asyncio.sleep(0)


async def test_postgresql_restarts(make: Callable[..., Settings], tmp_path: Path, own_postgresql: PostgreSql) -> None:
    store = await Store.open(make(tmp_path, own_postgresql.url))
    await store.apply(parse_configuration(FILE, {}))
    recorder = Recorder(store.database, tmp_path / "records", retry_s=0.1)
    recorder.start()
    own_postgresql.stop()

    assert store.directory.application_for_number("+1") is not None
    assert not await store.is_ready()
    with pytest.raises(StoreUnavailableError) as caught:
        await store.poll()
    assert "moonwire:" not in str(caught.value)
    recorder.add(RECORD)
    await recorder.flush()
    spool = tmp_path / "records" / "spool" / "records.jsonl"
    assert spool.exists()

    own_postgresql.start()
    await eventually(store.is_ready)

    async def is_written() -> bool:
        return not spool.exists()

    await eventually(is_written)
    assert [row.call_sid for row in await calls(store.database)] == ["c1"]
    await recorder.close()
    await store.close()


@pytest.mark.parametrize("address", ["nobody@{host}/postgres", "moonwire@{host}/missing"])
async def test_refused_by_postgresql(
    make: Callable[..., Settings], tmp_path: Path, postgresql: str, address: str
) -> None:
    host = postgresql.partition("@")[2].partition("/")[0]
    with pytest.raises(ConfigError, match="cannot be opened"):
        await Store.open(make(tmp_path, "postgresql://" + address.format(host=host)))
