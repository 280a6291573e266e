"""Answers from memory: labels, the sandbox overlay, addresses, speed."""

from __future__ import annotations

import time
from dataclasses import replace
from ipaddress import ip_network

import pytest
from pydantic import SecretStr

from moonwire.ports.administration import SEARCH, Principal
from moonwire.ports.directory import ApplicationRecord, VendorCredential
from moonwire.spec.components import Recognizer
from moonwire.store.administration import StoreAdministration
from moonwire.store.directory import MemoryDirectory
from moonwire.store.networks import NetworkTable
from moonwire.store.sandbox_overlay import SANDBOX_APPLICATION_SID, sandbox_configuration
from moonwire.store.snapshot import KnownCarrier, KnownCredential, Snapshot
from moonwire.store.store import Store
from moonwire.store.tables import ApplicationRow, PhoneNumberRow, new_sid

OVERLAY = sandbox_configuration("http://m/v1", "ws://d", "ws://c")


def known(*labels: str | None, default: str | None = None) -> MemoryDirectory:
    credentials = [
        KnownCredential(VendorCredential("moonshot", label), label == default is not None) for label in labels
    ]
    return MemoryDirectory(Snapshot(default_account_sid="a", llm={("a", "moonshot"): credentials}))


@pytest.mark.parametrize(
    ("directory", "label", "expected"),
    [
        (known(None), None, "unlabelled"),
        (known(None), "x", "none"),
        (known("x"), None, "x"),
        (known("x", "y"), None, "none"),
        (known("x", "y", default="y"), None, "y"),
        (known("x", None), None, "unlabelled"),
        (known("x", None), "", "unlabelled"),
        (known("x", None), "x", "x"),
    ],
)
def test_labels(directory: MemoryDirectory, label: str | None, expected: str) -> None:
    found = directory.llm_credential("a", "moonshot", label)
    assert ("none" if found is None else found.label or "unlabelled") == expected
    assert directory.llm_credential("b", "moonshot", None) is None


def test_sandbox_fills_what_is_missing() -> None:
    directory = known(None)
    directory.overlay_sandbox(OVERLAY)
    moonshot = directory.llm_credential("a", "moonshot", None)
    assert moonshot is not None
    assert moonshot.base_url is None, "the configured one wins"
    deepgram = directory.speech_credential("a", "deepgram", None)
    assert deepgram is not None
    assert deepgram.base_url == "ws://d"
    assert directory.carrier_for_address("127.0.0.1") == "loopback"
    assert directory.carrier_for_address("127.0.0.2") is None
    assert directory.has_vendor_keys
    application = directory.application_for_number("+anything")
    assert application is not None
    assert (application.account_sid, application.sid) == ("a", SANDBOX_APPLICATION_SID)
    assert directory.application(SANDBOX_APPLICATION_SID) is application
    directory.overlay_sandbox(None)
    assert directory.carrier_for_address("127.0.0.1") is None
    assert directory.application_for_number("1") is None


def test_sandbox_application_gives_way_to_configured_ones() -> None:
    directory = MemoryDirectory()
    directory.overlay_sandbox(OVERLAY)
    assert directory.application_for_number("1") is not None
    application = ApplicationRecord("s", "a", "n", None)
    directory.replace_snapshot(Snapshot(applications={"s": application}, numbers={"1": "s"}))
    assert directory.application_for_number("+1") is application
    assert directory.application_for_number("2") is None


def test_who_listens_and_speaks_when_an_application_names_nobody() -> None:
    def found(*services: KnownCredential, recognizer: str | None = None) -> tuple[str | None, str | None]:
        own = Recognizer(vendor=recognizer) if recognizer else None
        application = ApplicationRecord("s", "a", "n", None, recognizer=own)
        speech = {("a", one.credential.vendor): (one,) for one in services}
        directory = MemoryDirectory(Snapshot(applications={"s": application}, numbers={"1": "s"}, speech=speech))
        record = directory.application_for_number("1")
        assert record is not None
        return (
            record.recognizer.vendor if record.recognizer else None,
            record.synthesizer.vendor if record.synthesizer else None,
        )

    deepgram, cartesia = (KnownCredential(VendorCredential(vendor)) for vendor in ("deepgram", "cartesia"))
    assert found() == (None, None)
    assert found(cartesia, deepgram) == ("deepgram", "cartesia")
    assert found(deepgram) == ("deepgram", "deepgram")
    assert found(cartesia) == (None, "cartesia")
    assert found(deepgram, cartesia, recognizer="google") == ("google", "cartesia")
    only_ears = KnownCredential(VendorCredential("deepgram", speaks=False))
    assert found(only_ears) == ("deepgram", None)
    assert found(cartesia, replace(deepgram, is_default=True)) == ("deepgram", "deepgram")


def test_most_specific_network_wins() -> None:
    table = NetworkTable(
        (ip_network(text), owner)
        for text, owner in [
            ("0.0.0.0/0", "all"),
            ("10.0.0.0/8", "ten"),
            ("10.1.0.0/16", "one"),
            ("2001:db8::/32", "six"),
        ]
    )
    for address, owner in {
        "1.2.3.4": "all",
        "10.2.0.1": "ten",
        "10.1.2.3": "one",
        "::ffff:10.1.2.3": "one",
        "[2001:db8::7]": "six",
        "2001:db8::7%eth0": "six",
        "2001:db9::1": None,
        "nonsense": None,
        "": None,
    }.items():
        assert table.owner(address) == owner
        assert table.owner(address) == owner, "from the cache"


def test_address_cache_is_bounded() -> None:
    table = NetworkTable([(ip_network("10.0.0.0/8"), "ten")])
    for number in range(25_000):
        table.owner(f"10.0.{number // 250}.{number % 250}")
    assert len(table._answers) <= 10_000


def test_lookup_among_ten_thousand_takes_less_than_a_millisecond() -> None:
    applications = {str(n): ApplicationRecord(str(n), "a", f"app {n}", None) for n in range(10_000)}
    numbers = {f"1617555{n:04}": str(n) for n in range(10_000)}
    carriers = [KnownCarrier(f"c{n}", (ip_network(f"10.{n // 250}.{n % 250}.0/24"),)) for n in range(1000)]
    directory = MemoryDirectory(Snapshot(applications=applications, numbers=numbers, carriers=carriers))
    assert directory.carrier_for_address("10.3.7.1") == "c757"
    best = min(_timed(directory) for _ in range(20))
    assert best < 0.001


def _timed(directory: MemoryDirectory) -> float:
    begin = time.perf_counter()
    assert directory.application_for_number("+16175554711") is not None
    assert directory.carrier_for_address("10.3.7.1") == "c757"
    return time.perf_counter() - begin


def test_a_carriers_calls_to_unknown_numbers_run_its_application() -> None:
    application = ApplicationRecord("s", "a", "n", None)
    carriers = [KnownCarrier("north", account_sid="a", application_sid="s"), KnownCarrier("south", account_sid="a")]
    directory = MemoryDirectory(Snapshot(applications={"s": application}, carriers=carriers))
    assert directory.application_for_carrier("north") is application
    assert directory.application_for_carrier("south") is None
    assert directory.application_for_carrier("east") is None


def test_a_bare_application_signs_with_its_accounts_secret() -> None:
    directory = MemoryDirectory(Snapshot(webhook_secrets={"a": SecretStr("s3cret")}))
    bare = directory.bare_application("a")
    assert bare.webhook_secret is not None
    assert (bare.account_sid, bare.by_operator) == ("a", False)
    assert directory.bare_application("b").webhook_secret is None


async def test_a_write_costs_the_same_however_much_there_is(store: Store) -> None:
    names = [f"a{index}" for index in range(2000)]
    async with store.transaction() as session:
        account = store.directory.default_account_sid
        applications = [
            ApplicationRow(sid=new_sid(), account_sid=account, name=name, app_json='[{"verb":"hangup"}]', sealed={})
            for name in names
        ]
        session.add_all(applications)
        await session.flush()
        session.add_all(
            PhoneNumberRow(sid=new_sid(), account_sid=account, number=f"1617{index:07}", application_sid=row.sid)
            for index, row in enumerate(applications)
        )
    assert len(store.directory.stored.numbers) == 2000
    records, admin = StoreAdministration(store), Principal(None)
    before = store.directory.stored
    made = await records.resource("applications").create(
        admin, {"account_sid": account, "name": "new", "app_json": '[{"verb":"hangup"}]'}
    )
    number = {"account_sid": account, "number": "+44", "application_sid": made["sid"]}
    sid = (await records.resource("phone_numbers").create(admin, number))["sid"]
    stored = store.directory.stored
    assert stored.applications[applications[0].sid] is before.applications[applications[0].sid], "not loaded anew"
    found = store.directory.application_for_number("44")
    assert found is not None
    assert found.name == "new"
    page = await records.resource("applications").page(admin, {SEARCH: "A99"}, 2, 10)
    assert (page.total, len(page.rows)) == (11, 1)
    await records.resource("phone_numbers").delete(admin, sid)
    assert store.directory.application_for_number("44") is None
    await records.resource("applications").delete(admin, applications[0].sid)
    assert store.directory.application_for_number("16170000000") is None
    patched = store.directory.stored
    await store.refresh()
    assert store.directory.stored == patched, "the same as loaded anew"
