"""Opening vendor accounts for calls: whose address may be reached, and who hears how a stored account does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from pydantic import SecretStr

from moonwire.core.dialog.messages import UserMessage
from moonwire.core.hosts import LOOPBACK, HostPolicy
from moonwire.errors import CredentialError, VendorError
from moonwire.observe.clock import SystemClock
from moonwire.ports.directory import ApplicationRecord, LlmChoice, VendorCredential
from moonwire.ports.llm import ChatRequest
from moonwire.ports.vendors import LlmSelection
from moonwire.sandbox.contracts.llm import collect, failure
from moonwire.sandbox.moonshot import SANDBOX_KEYS, Fault, MoonshotSimulator, Pacing
from moonwire.spec.components import Recognizer, Synthesizer
from moonwire.vendors.address_guard import AddressGuard
from moonwire.vendors.catalogue import VendorCatalogue
from moonwire.vendors.connections import VendorConnections
from moonwire.vendors.watched_speech import WatchedSpeechToText, WatchedTextToSpeech

KEY = SANDBOX_KEYS["global"][0]
HELLO = ChatRequest("kimi-k2.6", (UserMessage("Hello?"),))
CHOICE = LlmChoice("moonshot", "kimi-k2.6")


@dataclass
class Shelf:
    """Stored credentials, and what is noted about them."""

    llm: dict[str | None, VendorCredential] = field(default_factory=dict)
    speech: VendorCredential | None = None
    notes: list[tuple[str, str]] = field(default_factory=list)

    def application_for_number(self, number: str) -> ApplicationRecord | None:
        return None

    def application(self, sid: str) -> ApplicationRecord | None:
        return None

    def application_for_carrier(self, carrier: str) -> ApplicationRecord | None:
        return None

    def bare_application(self, account_sid: str) -> ApplicationRecord:
        return ApplicationRecord("", account_sid, "", None)

    def llm_credential(self, account_sid: str, vendor: str, label: str | None) -> VendorCredential | None:
        return self.llm.get(label)

    def speech_credential(self, account_sid: str, vendor: str, label: str | None) -> VendorCredential | None:
        return self.speech

    def service_used(self, credential_sid: str) -> None:
        self.notes.append((credential_sid, "used"))

    def service_failed(self, credential_sid: str, code: str, message: str) -> None:
        assert KEY not in message
        self.notes.append((credential_sid, code))


@dataclass
class Bench:
    shelf: Shelf
    catalogue: VendorCatalogue
    simulator: MoonshotSimulator
    base_url: str

    def store(self, sid: str, label: str | None = None, *, by_operator: bool = True, key: str = KEY) -> None:
        self.shelf.llm[label] = VendorCredential(
            "moonshot",
            label,
            sid,
            {"api_key": SecretStr(key)},
            {"base_url": self.base_url},
            by_operator=by_operator,
        )


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    simulator = MoonshotSimulator(pacing=Pacing(first_token_s=0.0, gap_s=0.0, thinking_s=0.0))
    hosts, shelf = HostPolicy(), Shelf()
    pool = VendorConnections(SystemClock(), AddressGuard(hosts).connector)
    async with aiohttp.ClientSession() as http:
        catalogue = VendorCatalogue(shelf, http, pool, hosts.allows_host, health=shelf)
        yield Bench(shelf, catalogue, simulator, await simulator.start())
        await pool.close()
    await simulator.stop()


async def test_what_the_operator_wrote_may_be_private_and_what_users_wrote_may_not(bench: Bench) -> None:
    bench.store("a")
    assert (await collect(bench.catalogue.language_model("", LlmSelection(CHOICE)), HELLO)).text
    bench.store("a", by_operator=False)
    error = await failure(bench.catalogue.language_model("", LlmSelection(CHOICE)), HELLO)
    assert error.said.cause == "private-address"
    assert bench.shelf.notes == [("a", "used"), ("a", "private-address")]


@pytest.mark.parametrize("auth", [{"api_key": KEY, "base_url": "http://10.0.0.1/v1"}, {"endpoint": "169.254.169.254"}])
async def test_an_application_cannot_name_private_hosts(bench: Bench, auth: dict[str, str]) -> None:
    with pytest.raises(CredentialError, match="private"):
        bench.catalogue.language_model("", LlmSelection(CHOICE, auth))


async def test_an_application_brings_its_own_account(bench: Bench) -> None:
    async with aiohttp.ClientSession() as http:
        hosts = HostPolicy(LOOPBACK)
        pool = VendorConnections(SystemClock(), AddressGuard(hosts).connector)
        catalogue = VendorCatalogue(bench.shelf, http, pool, hosts.allows_host, health=bench.shelf)
        own = LlmSelection(CHOICE, {"api_key": KEY, "base_url": bench.base_url})
        assert (await collect(catalogue.language_model("", own), HELLO)).text
        await pool.close()
    assert bench.shelf.notes == [], "it is nobody's service"


async def test_an_own_key_goes_where_the_accounts_calls_go(bench: Bench) -> None:
    bench.store("a", key="sk-of-the-account")
    own = LlmSelection(CHOICE, {"apiKey": KEY})
    assert (await collect(bench.catalogue.language_model("", own), HELLO)).text
    assert [chat.key for chat in bench.simulator.chats] == [KEY]
    assert bench.shelf.notes == [], "it is not the account's key that was used"


@pytest.mark.parametrize(("fault", "code"), [("quota", "quota"), ("permission", "ip-not-allowed")])
async def test_failures_are_noted(bench: Bench, fault: str, code: str) -> None:
    bench.store("a")
    bench.simulator.faults.add(Fault(fault))  # type: ignore[arg-type]
    await failure(bench.catalogue.language_model("", LlmSelection(CHOICE)), HELLO)
    assert bench.shelf.notes == [("a", code)]


async def test_one_conversations_trouble_is_not_the_services(bench: Bench) -> None:
    bench.store("a")
    bench.simulator.faults.add(Fault("content_filter"))
    await failure(bench.catalogue.language_model("", LlmSelection(CHOICE)), HELLO)
    assert bench.shelf.notes == []


async def test_a_model_that_was_given_up_is_noted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "moonwire.vendors.llm.fallback.FallbackModel.__init__.__kwdefaults__",
        {
            "useful_within_s": 0.1,
            "late": None,
        },
    )
    bench.store("a")
    bench.store("b", "second")
    bench.simulator.faults.add(Fault("stall_before_headers", times=1))
    behind = (LlmChoice("moonshot", "kimi-k2.6", "second"),)
    answer = await collect(bench.catalogue.language_model("", LlmSelection(CHOICE, fallback=behind)), HELLO)
    assert answer.switches[0].reason == "vendor-timeout"
    assert bench.shelf.notes == [("a", "vendor-timeout"), ("b", "used")]


class Heard:
    """Keeps what a listener is told."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> object:
        return lambda *arguments: self.calls.append(name)


class Account:
    """A speech account that gives everything to its listener at once."""

    def __init__(self, *events: tuple[str, tuple[object, ...]]) -> None:
        self.events = events

    def open(self, choice: object, listener: object = None) -> object:
        if listener is not None:
            self._tell(listener)
        return self

    def speak(self, listener: object) -> object:
        self._tell(listener)
        return self

    async def close(self) -> None: ...

    def _tell(self, listener: object) -> None:
        for name, arguments in self.events:
            getattr(listener, name)(*arguments)


LOST = VendorError("gone", vendor="x")


async def test_speech_accounts_are_watched() -> None:
    notes: list[VendorError | None] = []
    heard = Heard()
    events = (
        ("on_stt_speech_started", ()), ("on_stt_interim", ("a",)), ("on_stt_final", ("a", 1.0)),
        ("on_stt_final", ("b", 1.0)), ("on_stt_early_end_of_turn", ("b",)), ("on_stt_turn_resumed", ()),
        ("on_stt_end_of_turn", ()), ("on_stt_failed", (LOST,)),
    )  # fmt: skip
    WatchedSpeechToText(Account(*events), notes.append).open(Recognizer(vendor="x"), heard)  # type: ignore[arg-type]
    assert heard.calls == [name for name, _ in events]
    assert notes == [None, LOST]

    notes.clear()
    heard = Heard()
    events = (
        ("on_tts_audio", (b"a",)), ("on_tts_words", ((),)), ("on_tts_audio", (b"b",)), ("on_tts_done", ()),
        ("on_tts_failed", (LOST,)),
    )  # fmt: skip
    voice = WatchedTextToSpeech(Account(*events), notes.append).open(Synthesizer(vendor="x"))  # type: ignore[arg-type]
    voice.speak(heard)  # type: ignore[arg-type]
    await voice.close()
    assert heard.calls == [name for name, _ in events]
    assert notes == [None, LOST]
