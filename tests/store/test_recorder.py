"""Alerts and call records: counted, never blocking, kept while the database is away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select, text

from moonwire.ports.directory import CallRecord
from moonwire.settings import Settings
from moonwire.store.alerts import KEPT_PER_ACCOUNT, RaisedAlert, write_alerts
from moonwire.store.configuration import parse_configuration
from moonwire.store.database import Database
from moonwire.store.recorder import Recorder
from moonwire.store.records import write_calls
from moonwire.store.store import Store
from moonwire.store.tables import AlertRow, CallRow, LlmServiceRow, SpeechServiceRow, utc_now_s

RECORD = CallRecord(
    call_sid="c1",
    account_sid="a1",
    application_sid=None,
    call_id="id@host",
    from_="+1617",
    to="100",
    direction="inbound",
    trunk="loopback",
    transport="sip",
    attempted_at=1.0,
    answered_at=2.0,
    terminated_at=3.0,
    sip_status=200,
    termination_by="caller",
    termination_reason="bye",
    remote_host="127.0.0.1",
    trace_id="t",
    usage={"input_tokens": 100, "total_tokens": 100},
)


async def alerts(database: Database) -> list[AlertRow]:
    async with database.reading() as session:
        return list(await session.scalars(select(AlertRow).order_by(AlertRow.id)))


async def calls(database: Database) -> list[CallRow]:
    async with database.reading() as session:
        return list(await session.scalars(select(CallRow).order_by(CallRow.call_sid)))


async def test_repeated_alerts_are_counted(store: Store) -> None:
    for call in ("c1", "c2", "c3"):
        store.alerts.raise_alert("a1", "llm-failure", "quota", remedy="recharge", call_sid=call)
    store.alerts.raise_alert("a1", "llm-failure", "other")
    store.alerts.raise_alert("a2", "llm-failure", "quota")
    await store.alerts.flush()
    store.alerts.raise_alert("a1", "llm-failure", "quota", call_sid="c4")
    await store.alerts.flush()
    rows = await alerts(store.database)
    assert [(row.account_sid, row.message, row.count, row.call_sid) for row in rows] == [
        ("a1", "quota", 4, "c4"),
        ("a1", "other", 1, ""),
        ("a2", "quota", 1, ""),
    ]
    assert rows[0].remedy == "recharge"
    assert rows[0].first_seen <= rows[0].last_seen


async def test_an_old_cause_is_a_new_alert(store: Store) -> None:
    async with store.database.transaction() as session:
        for at in (0.0, 10.0, 5000.0):
            await write_alerts(session, [RaisedAlert("a", "no-tts", "m", "", "", at)])
    assert [(row.count, row.first_seen, row.last_seen) for row in await alerts(store.database)] == [
        (2, 0.0, 10.0),
        (1, 5000.0, 5000.0),
    ]


async def test_a_call_is_written_once_and_stays_deleted(store: Store) -> None:
    store.call_records.add(RECORD)
    store.call_records.add(replace(RECORD, sip_status=487))
    await store.call_records.flush()
    (row,) = await calls(store.database)
    assert (row.sip_status, row.from_, row.answered_at) == (487, "+1617", 2.0)
    async with store.database.transaction() as session:
        await session.execute(text("UPDATE calls SET deleted_at = 1"))
        await write_calls(session, [RECORD])
    (row,) = await calls(store.database)
    assert (row.sip_status, row.deleted_at) == (487, 1.0)


async def test_spooled_while_the_database_is_away(settings: Settings) -> None:
    store = await Store.open(settings)
    async with store.database.transaction() as session:
        await session.execute(text("ALTER TABLE calls RENAME TO away"))
    recorder = Recorder(store.database, settings.data_dir, retry_s=0.02)
    recorder.start()
    recorder.add(RECORD)
    recorder.raise_alert("a", "no-stt", "m")
    await recorder.flush()
    spool = settings.data_dir / "spool" / "records.jsonl"
    assert len(spool.read_bytes().splitlines()) == 2
    async with store.database.transaction() as session:
        await session.execute(text("ALTER TABLE away RENAME TO calls"))
    async with asyncio.timeout(5):
        while spool.exists():
            await asyncio.sleep(0)
    assert [(row.call_sid, row.usage) for row in await calls(store.database)] == [("c1", RECORD.usage)]
    assert [row.message for row in await alerts(store.database)] == ["m"]
    await recorder.close()
    await store.close()


async def test_spooled_at_the_end_and_written_after_the_next_start(
    make: Callable[..., Settings], tmp_path: Path
) -> None:
    settings = make(tmp_path)
    store = await Store.open(settings)
    async with store.database.transaction() as session:
        await session.execute(text("ALTER TABLE calls RENAME TO away"))
    store.call_records.add(RECORD)
    await store.close()
    spool = tmp_path / "spool" / "records.jsonl"
    with spool.open("ab") as file:
        file.write(b'{"kind":"call","call_sid":"cut sh')
    database = Database(settings.database)
    async with database.transaction() as session:
        await session.execute(text("ALTER TABLE away RENAME TO calls"))
    await database.close()
    again = await Store.open(settings)
    again.call_records.add(replace(RECORD, call_sid="c2"))
    await again.call_records.flush()
    assert [row.call_sid for row in await calls(again.database)] == ["c1", "c2"]
    assert not spool.exists()
    await again.close()


async def test_a_full_queue_drops_and_counts(make: Callable[..., Settings], tmp_path: Path) -> None:
    recorder = Recorder(Database(make(tmp_path).database), tmp_path)
    for _ in range(10_007):
        recorder.add(RECORD)
    assert recorder.dropped == 7


async def test_health_of_services(store: Store) -> None:
    file = "llm_services: [{vendor: m, api_key: k}]\nspeech_services: [{vendor: d, api_key: k}]"
    await store.apply(parse_configuration(file, {}))
    account = store.directory.default_account_sid
    llm, speech = (
        store.directory.llm_credential(account, "m", None),
        store.directory.speech_credential(account, "d", None),
    )
    assert llm is not None
    assert speech is not None
    health = store.service_health
    health.service_failed(llm.sid or "", "quota", "No balance left.")
    for _ in range(100):
        health.service_used(speech.sid or "")
    health.service_used("deleted meanwhile")
    await store.alerts.flush()
    async with store.database.reading() as session:
        row, other = await session.scalar(select(LlmServiceRow)), await session.scalar(select(SpeechServiceRow))
    assert row is not None
    assert other is not None
    assert (row.last_error_code, row.last_error, row.last_used_at) == ("quota", "No balance left.", None)
    assert (other.last_error, other.last_used_at is not None) == ("", True)
    health.service_used(llm.sid or "")
    await store.alerts.flush()
    async with store.database.reading() as session:
        row = await session.scalar(select(LlmServiceRow))
    assert row is not None
    assert (row.last_error_code, row.last_error) == ("", "")
    assert row.last_error_at is not None


async def test_an_alert_ends_when_the_service_works_again(store: Store) -> None:
    await store.apply(parse_configuration("llm_services: [{vendor: m, api_key: k}]", {}))
    account = store.directory.default_account_sid
    credential = store.directory.llm_credential(account, "m", None)
    assert credential is not None
    sid = credential.sid or ""
    for error in ("The key is wrong.", "Overloaded (1.5 s)."):
        store.service_health.service_failed(sid, "credential", error)
        store.alerts.raise_alert(account, "llm-failure", f"credential: {error}")
    store.alerts.raise_alert(account, "llm-failure", "m:model: credential; the call goes on with x:y")
    store.alerts.raise_alert(account, "llm-failure", "other:model: credential; the call goes on with x:y")
    store.alerts.raise_alert(account, "webhook-failure", "The key is wrong.")
    await store.alerts.flush()
    assert {row.cleared_by for row in await alerts(store.database)} == {""}
    store.service_health.service_used(sid)
    await store.alerts.flush()
    assert [row.cleared_by for row in await alerts(store.database)] == ["recovery", "recovery", "recovery", "", ""]
    store.alerts.raise_alert(account, "llm-failure", "credential: Overloaded (2.5 s).")
    await store.alerts.flush()
    row = (await alerts(store.database))[1]
    assert (row.count, row.cleared_at, row.cleared_by) == (2, None, ""), "another number is the same cause, open again"


async def test_a_storm_of_alerts_stays_small(store: Store) -> None:
    for number in range(50):
        store.alerts.raise_alert("a", "llm-failure", f"request chatcmpl-6f0b2a3c1f5e4c0e{number} took {number}.5 s")
    await store.alerts.flush()
    (row,) = await alerts(store.database)
    assert row.count == 50
    names = (
        "moonshot:kimi-k2.5",
        "moonshot:kimi-k2.6",
        "moonshot-v1-8k-vision-preview",
        "moonshot-v1-32k-vision-preview",
    )
    causes = {RaisedAlert("a", "model-retired", f"{name}: retired", "", "", 0.0).cause for name in names}
    assert len(causes) == 4, "a model's number is no accident"
    now_s = utc_now_s()
    async with store.database.transaction() as session:
        old = RaisedAlert("b", "no-tts", "old", "", "", now_s - 91 * 86_400)
        many = [RaisedAlert("c", "no-tts", "m" + "x" * n, "", "", now_s - n) for n in range(KEPT_PER_ACCOUNT + 20)]
        await write_alerts(session, [old, *many])
    await store.alerts.forget_old()
    rows = await alerts(store.database)
    assert [sum(row.account_sid == account for row in rows) for account in "abc"] == [1, 0, KEPT_PER_ACCOUNT]


async def test_two_processes_count_the_same_alert(settings: Settings) -> None:
    first, second = await Store.open(settings), await Store.open(settings)
    for _ in range(20):
        for store in (first, second):
            store.alerts.raise_alert("a", "no-tts", "m")
        await asyncio.gather(first.alerts.flush(), second.alerts.flush())
    (row,) = await alerts(first.database)
    assert row.count == 40
    await first.close()
    await second.close()
