"""Opening, applying and reopening on both databases."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, text
from tests.databases import PASSWORD

from moonwire.errors import ConfigError
from moonwire.ports.administration import Principal
from moonwire.settings import Settings
from moonwire.store.administration import StoreAdministration
from moonwire.store.configuration import parse_configuration
from moonwire.store.sealing import SEALED_TABLES
from moonwire.store.store import Store
from moonwire.store.tables import ApiKeyRow, GatewayRow, UserRow
from moonwire.store.users import password_matches

FILE = """
llm_services:
  - {vendor: moonshot, api_key: sk-planted-1, base_url: https://api.moonshot.ai/v1, fallback: ["moonshot:kimi-k2.5"]}
speech_services:
  - {vendor: deepgram, api_key: planted-2, deepgram_stt_uri: "stt.local:8080", deepgram_stt_use_tls: false}
applications:
  - name: kimi
    call_hook: {url: "wss://127.0.0.1:3000/", username: u, password: planted-3}
    call_status_hook: http://127.0.0.1:3000/status
    env_vars: {LLM_MODEL: "moonshot:kimi-k2.6", KEY: planted-4}
    speech_synthesis_vendor: cartesia
    speech_synthesis_voice: sonic-english
    speech_recognizer_vendor: deepgram
    fallback_speech_recognizer_vendor: assemblyai
    use_for_fallback_speech: true
    llm: moonshot:kimi-k2.6
  - {name: inline, app_json: [{verb: hangup}]}
phone_numbers:
  - {number: "+16175551212", application: kimi, carrier: loopback}
carriers:
  - {name: loopback, inbound: [127.0.0.1/32, "::1"], token: planted-5, application: inline}
  - {name: twilio, type: twilio, auth_token: planted-6}
api_keys:
  - {name: ci, token: planted-7}
"""


async def test_apply_is_idempotent_and_seen_at_once(store: Store) -> None:
    configuration = parse_configuration(FILE, {})
    first = await store.apply(configuration)
    assert first.created == [
        "llm_services/moonshot",
        "speech_services/deepgram",
        "applications/kimi",
        "applications/inline",
        "carriers/loopback",
        "carriers/twilio",
        "phone_numbers/16175551212",
        "api_keys/ci",
    ]
    before = store.directory.stored
    second = await store.apply(configuration)
    assert str(second) == "8 unchanged"
    assert (second.created, second.updated) == ([], [])
    assert second.unchanged == first.created
    assert store.directory.stored == before


async def test_directory_after_apply(store: Store) -> None:
    await store.apply(parse_configuration(FILE, {}))
    directory = store.directory
    application = directory.application_for_number("+16175551212")
    assert application is not None
    assert application.name == "kimi"
    assert application.call_hook is not None
    assert (application.call_hook.username, application.call_hook.password) == ("u", "planted-3")
    assert application.call_status_hook is not None
    assert application.env_vars == {"LLM_MODEL": "moonshot:kimi-k2.6", "KEY": "planted-4"}
    assert application.synthesizer is not None
    assert application.synthesizer.voice == "sonic-english"
    assert application.recognizer is not None
    assert application.recognizer.fallback_vendor == "assemblyai"
    assert application.llm is not None
    assert application.llm.model == "kimi-k2.6"
    assert application.webhook_secret is not None
    assert directory.application(application.sid) is application
    assert directory.application_for_number("999") is None

    moonshot = directory.llm_credential(application.account_sid, "Moonshot", None)
    assert moonshot is not None
    assert (moonshot.api_key, moonshot.base_url) == ("sk-planted-1", "https://api.moonshot.ai/v1")
    assert [one.model for one in moonshot.fallback] == ["kimi-k2.5"]
    deepgram = directory.speech_credential(application.account_sid, "deepgram", None)
    assert deepgram is not None
    assert deepgram.base_url == "ws://stt.local:8080"

    assert directory.carrier_for_address("127.0.0.1") == "loopback"
    assert directory.carrier_for_address("::1") == "loopback"
    assert directory.carrier_for_address("127.0.0.2") is None
    assert directory.carrier_for_token("planted-5") == "loopback"
    assert directory.carrier_for_token("") is None
    assert directory.twilio_auth_tokens() == {"twilio": "planted-6"}


async def test_nothing_is_saved_by_halves(store: Store) -> None:
    broken = FILE.replace("application: kimi, carrier", "application: kiwi, carrier")
    with pytest.raises(ConfigError, match=r"phone_numbers\[0\].application: there is no application named 'kiwi'"):
        await store.apply(parse_configuration(broken, {}))
    assert store.directory.stored.applications == {}
    async with store.database.reading() as session:
        assert (await session.scalars(select(GatewayRow))).all() == []


async def test_updates(store: Store) -> None:
    await store.apply(parse_configuration(FILE, {}))
    changed = FILE.replace("sk-planted-1", "sk-new").replace('[127.0.0.1/32, "::1"]', "[10.0.0.0/8]")
    changed = changed.replace(", KEY: planted-4", ", KEY: null").replace(", password: planted-3", "")
    applied = await store.apply(parse_configuration(changed, {}))
    assert applied.updated == ["llm_services/moonshot", "applications/kimi", "carriers/loopback"]
    application = store.directory.application_for_number("16175551212")
    assert application is not None
    assert application.call_hook is not None
    assert application.call_hook.password == "planted-3", "a secret left out stays"
    assert "KEY" not in application.env_vars
    assert store.directory.carrier_for_address("127.0.0.1") is None
    assert store.directory.carrier_for_address("10.1.2.3") == "loopback"


async def test_a_stored_key_does_not_follow_to_another_host(store: Store) -> None:
    await store.apply(parse_configuration(FILE, {}))
    moved = "llm_services: [{vendor: moonshot, base_url: 'https://evil.example/v1'}]"
    with pytest.raises(ConfigError, match=r"llm_services\[0\]: the host changes, so api_key must be given again"):
        await store.apply(parse_configuration(moved, {}))
    await store.apply(parse_configuration(moved.replace("{vendor", "{api_key: sk-2, vendor"), {}))
    same_host = "llm_services: [{vendor: moonshot, base_url: 'https://evil.example/v2'}]"
    await store.apply(parse_configuration(same_host, {}))
    credential = store.directory.llm_credential(store.directory.default_account_sid, "moonshot", None)
    assert credential is not None
    assert (credential.api_key, credential.base_url) == ("sk-2", "https://evil.example/v2")


async def test_another_token_of_the_same_value_is_refused(store: Store) -> None:
    await store.apply(parse_configuration("api_keys: [{name: a, token: t}]", {}))
    with pytest.raises(ConfigError, match=r"api_keys\[0\].token: another API key has the same token"):
        await store.apply(parse_configuration("api_keys: [{name: b, token: t}]", {}))


async def test_no_planted_secret_is_readable_in_the_database(store: Store) -> None:
    await store.apply(parse_configuration(FILE, {}))
    async with store.database.reading() as session:
        for table in (*(one.__tablename__ for one in SEALED_TABLES), "api_keys"):
            rows = (await session.execute(text(f"SELECT * FROM {table}"))).all()
            assert rows
            assert "planted" not in str(rows)
        key = await session.scalar(select(ApiKeyRow))
        assert key is not None
        assert key.hint == "ed-7"


async def test_reopening_keeps_everything(settings: Settings) -> None:
    first = await Store.open(settings)
    await first.apply(parse_configuration(FILE, {}))
    stored = first.directory.stored
    await first.close()
    second = await Store.open(settings)
    assert second.directory.stored == stored
    assert second.one_time_password is None
    await second.close()


async def test_first_user(settings: Settings) -> None:
    given = await Store.open(settings)
    assert given.one_time_password is None
    async with given.database.reading() as session:
        user = await session.scalar(select(UserRow))
    assert user is not None
    assert (user.name, user.force_change) == ("admin", False)
    assert await password_matches(user.password_hash, PASSWORD)
    assert not await password_matches(user.password_hash, "second")
    assert not await password_matches("damaged", PASSWORD)
    await given.close()


async def test_one_time_password(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path)  # pyright: ignore[reportCallIssue]
    store = await Store.open(settings)
    assert store.one_time_password
    async with store.database.reading() as session:
        user = await session.scalar(select(UserRow))
    assert user is not None
    assert user.force_change
    assert user.password_hash.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert await password_matches(user.password_hash, store.one_time_password)
    shown = store.one_time_password
    await store.close()
    again = await Store.open(settings)
    assert again.one_time_password == shown, "shown until it has been changed"
    records = StoreAdministration(again)
    assert await records.change_password(Principal(None, user.sid), shown, "a better one")
    await again.close()
    last = await Store.open(settings)
    assert last.one_time_password is None
    await last.close()


async def test_another_process_sees_a_change(settings: Settings) -> None:
    server, tool = await Store.open(settings), await Store.open(settings)
    await tool.apply(parse_configuration(FILE, {}))
    assert server.directory.application_for_number("16175551212") is None
    await server.poll()
    assert server.directory.application_for_number("16175551212") is not None
    await tool.close()
    await server.close()


async def test_writes_at_once_are_all_seen(store: Store) -> None:
    files = [f"applications: [{{name: a{n}, app_json: [{{verb: hangup}}]}}]" for n in range(8)]
    await asyncio.gather(*(store.apply(parse_configuration(one, {})) for one in files))
    assert {one.name for one in store.directory.stored.applications.values()} == {f"a{n}" for n in range(8)}


async def test_processes_can_start_at_once(settings: Settings) -> None:
    stores = await asyncio.gather(*(Store.open(settings) for _ in range(4)))
    assert len({store.directory.default_account_sid for store in stores}) == 1
    for store in stores:
        await store.close()


async def test_wrong_master_key_is_named_and_changes_nothing(
    settings: Settings, make: Callable[..., Settings], tmp_path: Path
) -> None:
    url = (
        settings.database_url.get_secret_value() if settings.database_url else f"sqlite:///{tmp_path}/data/moonwire.db"
    )
    first = await Store.open(settings)
    await first.apply(parse_configuration(FILE, {}))
    await first.close()
    wrong = base64.b64encode(os.urandom(32)).decode()
    with pytest.raises(ConfigError, match="The master key does not fit the database"):
        await Store.open(make(tmp_path / "other", url, wrong))
    again = await Store.open(settings)
    credential = again.directory.llm_credential(again.directory.default_account_sid, "moonshot", None)
    assert credential is not None
    assert credential.api_key == "sk-planted-1"
    await again.close()


async def test_newer_database_is_refused(settings: Settings) -> None:
    store = await Store.open(settings)
    async with store.database.transaction() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = 'future'"))
    await store.close()
    with pytest.raises(ConfigError, match="newer version of Moonwire"):
        await Store.open(settings)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://moonwire:planted@127.0.0.1:1/none", "cannot be opened"),
        ("sqlite:////proc/none/moonwire.db", "cannot be opened"),
        ("postgresql://moonwire:planted@host:port/name", "is no database URL"),
    ],
)
async def test_unreachable_database(make: Callable[..., Settings], tmp_path: Path, url: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as caught:
        await Store.open(make(tmp_path, url))
    assert "planted" not in str(caught.value)


async def test_readiness(store: Store) -> None:
    assert await store.is_ready()
