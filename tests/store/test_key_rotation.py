"""Every secret opens with the new key and with no other; a failure changes nothing."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from moonwire.errors import ConfigError
from moonwire.settings import Settings
from moonwire.store.configuration import parse_configuration
from moonwire.store.key_rotation import rotate_key_file
from moonwire.store.store import Store

FILE = """
llm_services: [{vendor: moonshot, api_key: sk-planted}]
applications: [{name: a, call_hook: {url: "ws://x", username: u, password: p}, env_vars: {K: v}}]
carriers: [{name: c, token: t}]
"""


async def prepared(settings: Settings) -> None:
    store = await Store.open(settings)
    await store.apply(parse_configuration(FILE, {}))
    await store.close()


async def test_rotation(settings: Settings) -> None:
    await prepared(settings)
    path = settings.data_dir / "master.key"
    old = path.read_bytes()
    assert await rotate_key_file(settings) == 4, "account, service, application, carrier"
    assert path.read_bytes() != old
    assert path.with_name("master.key.old").read_bytes() == old
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    store = await Store.open(settings)
    credential = store.directory.llm_credential(store.directory.default_account_sid, "moonshot", None)
    assert credential is not None
    assert credential.api_key == "sk-planted"
    assert store.directory.carrier_for_token("t") == "c"
    await store.close()
    path.write_bytes(old)
    with pytest.raises(ConfigError, match="does not fit"):
        await Store.open(settings)


async def test_a_failure_changes_nothing(settings: Settings) -> None:
    await prepared(settings)
    path = settings.data_dir / "master.key"
    old = path.read_bytes()
    store = await Store.open(settings)
    async with store.database.transaction() as session:
        await session.execute(text("""UPDATE voip_carriers SET sealed = '{"token": "1.00000000.AAAA"}'"""))
    await store.close()
    with pytest.raises(ConfigError, match="another master key"):
        await rotate_key_file(settings)
    assert path.read_bytes() == old
    assert not path.with_name("master.key.new").exists()


async def test_a_key_in_the_environment_is_not_ours_to_replace(make: Callable[..., Settings], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="comes from MOONWIRE_MASTER_KEY"):
        await rotate_key_file(make(tmp_path, None, "00" * 32))
