"""The staged Test tells the truth: every known cause of failure has its class, its sentence and its remedy."""

from __future__ import annotations

import asyncio
import datetime
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr

from moonwire.core.hosts import LOOPBACK, HostPolicy
from moonwire.observe.clock import SystemClock
from moonwire.ports.directory import VendorCredential
from moonwire.sandbox.moonshot import SANDBOX_KEYS, Fault, MoonshotSimulator, Pacing, ScriptedAnswer, ScriptedCall
from moonwire.sandbox.moonshot.limits import TIER_0
from moonwire.sandbox.moonshot.registry import registry
from moonwire.vendors.address_guard import AddressGuard
from moonwire.vendors.connections import VendorConnections
from moonwire.vendors.llm_trial import LlmTester, TrialOptions
from moonwire.vendors.trial_report import Stage, Trial

KEY = SANDBOX_KEYS["global"][0]
CHINA_KEY = SANDBOX_KEYS["china"][0]


@pytest.fixture
async def connections() -> AsyncIterator[VendorConnections]:
    pool = VendorConnections(SystemClock())
    yield pool
    await pool.close()


@pytest.fixture
async def simulator() -> AsyncIterator[MoonshotSimulator]:
    running = MoonshotSimulator(pacing=Pacing(first_token_s=0.0, gap_s=0.0, thinking_s=0.2))
    yield running
    await running.stop()


@pytest.fixture
async def base_url(simulator: MoonshotSimulator) -> str:
    return await simulator.start()


@pytest.fixture
def tester(connections: VendorConnections) -> LlmTester:
    return LlmTester(connections)


def credential(base_url: str, key: str = KEY, **fields: Any) -> VendorCredential:
    by_operator = fields.pop("by_operator", True)
    return VendorCredential(
        "moonshot",
        secrets={"api_key": SecretStr(key)} if key else {},
        fields={"base_url": base_url, **fields},
        by_operator=by_operator,
    )


def stage(trial: Trial, name: str) -> Stage:
    return next(one for one in trial.stages if one.name == name)


def broken(trial: Trial) -> Stage:
    """The one failed stage; what follows was not tried, and the remedy is there."""
    assert trial.outcome == "failed"
    names = [one.status for one in trial.stages]
    position = names.index("failed")
    assert set(names[position + 1 :]) <= {"skipped"}
    assert trial.stages[position].hint
    assert trial.reason.startswith(trial.stages[position].message)
    return trial.stages[position]


async def test_a_healthy_account(tester: LlmTester, simulator: MoonshotSimulator, base_url: str) -> None:
    began_s = asyncio.get_running_loop().time()
    trial = await tester.test(credential(base_url))
    assert asyncio.get_running_loop().time() - began_s < 1.0
    assert [one.name for one in trial.stages] == ["input", "reach", "key", "model", "talk", "tools"]
    assert (trial.outcome, trial.reason) == ("ok", "")
    assert trial.report["model"] == "kimi-k2.6", "taken from the list"
    assert 0 <= trial.report["time_to_first_token_ms"] < 1000
    assert trial.report["connect_ms"] > 0
    models = {model["id"]: model["status"] for model in trial.report["models"]}
    assert (models["kimi-k2.6"], models["kimi-k2.5"]) == ("available", "retired")
    talk = simulator.chats[0].json
    assert talk["stream"] is True
    assert talk["thinking"] == {"type": "disabled"}
    assert talk["max_completion_tokens"] == 400, "what an agent asks for"
    assert stage(trial, "talk").request_id
    assert KEY not in str(trial.report)


@pytest.mark.parametrize(
    ("fault", "failing", "code", "says"),
    [
        (Fault("permission", on="models"), "key", "ip-not-allowed", "allow-list"),
        (Fault("not_open", on="models"), "key", "permission", "open to the account"),
        (Fault("html_200", on="models"), "key", "not-an-api", "web page"),
        (Fault("bad_gateway_html", on="models"), "key", "vendor-failed", "usually passes"),
        (Fault("redirect", on="models"), "key", "redirect", "final address"),
        (Fault("server_error", on="models"), "key", "vendor-failed", "passes"),
        (Fault("reset_before_headers", on="models"), "key", "broken-off", "Try again"),
        (Fault("server_error"), "talk", "vendor-failed", "passes"),
        (Fault("quota"), "talk", "quota", "Add money"),
        (Fault("overloaded"), "talk", "overloaded", "fallback"),
        (Fault("rpm"), "talk", "rate-limit", "tier 0"),
        (Fault("concurrency"), "talk", "concurrency", "tier 0"),
        (Fault("tpm"), "talk", "rate-limit", "tier"),
        (Fault("tpd"), "talk", "daily-limit", "tomorrow"),
        (Fault("temperature"), "talk", "temperature", "Remove temperature"),
        (Fault("content_filter"), "talk", "content-filtered", "Rephrase"),
        (Fault("empty_stream"), "talk", "empty-stream", "Base URL"),
        (Fault("length_empty"), "talk", "request-rejected", "maxTokens"),
        (Fault("html_200"), "talk", "not-an-api", "web page"),
    ],
    ids=lambda value: f"{value.kind}-{value.on}" if isinstance(value, Fault) else None,
)
async def test_each_failure_has_its_class_and_remedy(
    tester: LlmTester, simulator: MoonshotSimulator, base_url: str, fault: Fault, failing: str, code: str, says: str
) -> None:
    simulator.faults.add(fault)
    trial = await tester.test(credential(base_url))
    found = broken(trial)
    assert (found.name, found.code) == (failing, code)
    assert says in found.hint
    assert KEY not in str(trial.report)
    assert "org-0f3a" not in str(trial.report), "the vendor's account ids are masked"


async def test_the_list_works_and_every_answer_fails(
    tester: LlmTester, simulator: MoonshotSimulator, base_url: str
) -> None:
    simulator.faults.add(Fault("unavailable"))
    trial = await tester.test(credential(base_url))
    assert [one.status for one in trial.stages] == ["ok", "ok", "ok", "ok", "failed", "skipped"]
    assert stage(trial, "talk").vendor_type == "server_unavailable"
    assert "temporarily" in stage(trial, "talk").vendor_text


@pytest.mark.parametrize(("key", "home"), [(KEY, "global"), (CHINA_KEY, "china")])
async def test_a_key_of_the_other_region(
    connections: VendorConnections, simulator: MoonshotSimulator, key: str, home: str
) -> None:
    urls = {"global": await simulator.start(region="global"), "china": await simulator.start(region="china")}
    tester = LlmTester(connections, None, lambda _: tuple(urls.items()))
    away = "china" if home == "global" else "global"
    trial = await tester.test(credential(urls[away], key))
    found = broken(trial)
    assert (found.name, found.code, found.vendor_type) == ("key", "key", "invalid_authentication_error")
    assert "platform.kimi.ai" in found.hint
    assert "platform.kimi.com" in found.hint
    assert trial.report["check_other_region"] == {"region": home, "base_url": urls[home]}
    assert {record.region for record in simulator.requests} == {away}, "nothing is tried silently"

    trial = await tester.test(credential(urls[away], key), TrialOptions(region_check=True))
    found = broken(trial)
    assert found.code == "region"
    assert found.suggested == {"base_url": urls[home]}
    assert trial.report["region_check"]["status"] == "ok"
    assert (await tester.test(credential(str(found.suggested["base_url"]), key))).is_ok

    trial = await tester.test(credential(urls[away], "sk-nobody"), TrialOptions(region_check=True))
    assert broken(trial).code == "key"
    assert trial.report["region_check"]["status"] == "failed"


async def test_other_hosts_have_no_other_region(tester: LlmTester, base_url: str) -> None:
    trial = await tester.test(credential(base_url, "sk-nobody"), TrialOptions(region_check=True))
    assert broken(trial).suggested == {}
    assert "check_other_region" not in trial.report


async def test_a_retired_model_is_told_with_date_and_successor(tester: LlmTester, base_url: str) -> None:
    trial = await tester.test(credential(base_url, model_id="kimi-k2-0711-preview"))
    found = stage(trial, "model")
    assert (trial.outcome, found.status, found.code) == ("ok_with_warnings", "warning", "retired")
    assert "2026-05-25" in found.message
    assert found.suggested == {"model_id": "kimi-k2.6"}
    assert stage(trial, "talk").code == "substituted"

    trial = await tester.test(credential(base_url, model_id="kimi-k2-0711-preview", retired_models="refuse"))
    assert (broken(trial).name, broken(trial).code) == ("model", "retired")
    assert "kimi-k2.6" in broken(trial).hint


async def test_a_model_that_still_lives_there_is_no_problem(
    tester: LlmTester, simulator: MoonshotSimulator, base_url: str
) -> None:
    simulator.world.models = registry(datetime.date(2025, 12, 1))
    trial = await tester.test(credential(base_url, model_id="kimi-k2-0711-preview"))
    assert trial.outcome == "ok"


async def test_an_unlisted_model_is_a_warning_and_the_answer_decides(
    tester: LlmTester, simulator: MoonshotSimulator, base_url: str
) -> None:
    found = broken(trial := await tester.test(credential(base_url, model_id="kimi-nope")))
    assert stage(trial, "model").code == "unlisted"
    assert (found.name, found.code) == ("talk", "model-unavailable")
    assert found.suggested == {"model_id": "kimi-k2.6"}


async def test_thinking_before_speaking_is_measured(tester: LlmTester, base_url: str) -> None:
    trial = await tester.test(credential(base_url, model_id="kimi-k3"))
    found = stage(trial, "talk")
    assert (trial.outcome, found.code, found.suggested) == (
        "ok_with_warnings",
        "thinks-first",
        {"model_id": "kimi-k2.6"},
    )
    assert trial.report["time_to_first_token_ms"] > 50


async def test_a_silent_vendor(
    tester: LlmTester, simulator: MoonshotSimulator, base_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moonwire.vendors.llm_trial.TALK_LIMIT_S", 0.3)
    simulator.faults.add(Fault("stall_before_content"))
    found = broken(await tester.test(credential(base_url)))
    assert (found.name, found.code) == ("talk", "stalled")
    assert simulator.chats[-1].disconnected_s is not None or len(simulator.chats) == 1


@pytest.mark.parametrize(
    ("key", "url", "code"),
    [
        ("", None, "api_key-missing"),
        (" \u00a0\n", None, "api_key-missing"),
        ("sk-schlüssel", None, "key-characters"),
        (KEY, "ftp://x/v1", "url-invalid"),
        (KEY, "http://[::1/v1", "url-invalid"),
    ],
)
async def test_bad_input(tester: LlmTester, base_url: str, key: str, url: str | None, code: str) -> None:
    found = broken(await tester.test(credential(url or base_url, key)))
    assert (found.name, found.code) == ("input", code)


@pytest.mark.parametrize(
    ("pasted_key", "pasted_url", "told"),
    [
        (f"{KEY}\n", "", "key"),
        (f"\u00a0{KEY} ", "", "key"),
        (KEY, "/chat/completions", "/chat/completions"),
        (KEY, "/", ""),
    ],
)
async def test_what_people_paste_is_cleaned_and_told(
    tester: LlmTester, base_url: str, pasted_key: str, pasted_url: str, told: str
) -> None:
    trial = await tester.test(credential(base_url + pasted_url, pasted_key))
    assert trial.is_ok
    assert told in stage(trial, "input").message
    assert trial.report["base_url"] == base_url


async def test_a_coding_key_is_explained_not_refused(tester: LlmTester, base_url: str) -> None:
    trial = await tester.test(credential(base_url, "sk-kimi-0123456789"))
    found = stage(trial, "input")
    assert (found.status, found.code) == ("warning", "other-product")
    assert "Kimi Code" in found.hint
    assert broken(trial).name == "key"


async def test_private_addresses_are_closed_to_users_and_open_to_the_operator(
    connections: VendorConnections, base_url: str
) -> None:
    closed = LlmTester(connections, AddressGuard(HostPolicy()))
    found = broken(await closed.test(credential(base_url, by_operator=False)))
    assert (found.name, found.code) == ("input", "private-address")
    assert (await closed.test(credential(base_url, by_operator=True))).is_ok
    permitted = LlmTester(connections, AddressGuard(HostPolicy(LOOPBACK)))
    assert (await permitted.test(credential(base_url, by_operator=False))).is_ok
    rebound = credential(base_url.replace("127.0.0.1", "localhost"), by_operator=False)
    by_name_only = LlmTester(connections, AddressGuard(_TrustingNames()))
    found = broken(await by_name_only.test(rebound))
    assert (found.name, found.code) == ("reach", "private-address")


class _TrustingNames(HostPolicy):
    """A policy that takes every name for a public one, as a name is that only later leads to a private address."""

    def allows_host(self, host: str) -> bool:
        return True


async def test_nobody_listens(tester: LlmTester) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        found = broken(await tester.test(credential(f"http://127.0.0.1:{nobody.getsockname()[1]}/v1")))
    assert (found.name, found.code) == ("reach", "refused")


async def test_a_wrong_path_is_told(tester: LlmTester, base_url: str) -> None:
    found = broken(await tester.test(credential(base_url.replace("/v1", "/v2"))))
    assert (found.name, found.code) == ("key", "wrong-path")


async def test_tier_0_is_found_out(connections: VendorConnections) -> None:
    simulator = MoonshotSimulator(pacing=Pacing(0.0, 0.0, 0.0), tiers={KEY: TIER_0})
    try:
        tester = LlmTester(connections)
        url = await simulator.start()
        trials = [await tester.test(credential(url)) for _ in range(2)]
    finally:
        await simulator.stop()
    assert trials[0].outcome == "ok"
    assert stage(trials[1], "tools").code == "rate-limit"
    assert "tier 0" in stage(trials[1], "tools").hint


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("I do not know.", "no-tool-call"),
        (ScriptedAnswer("", (ScriptedCall("get_weather", {"town": "Paris"}),)), "malformed-tool-call"),
        (ScriptedAnswer("", (ScriptedCall("get_weather", raw='{"city": "Par'),)), "malformed-tool-call"),
    ],
)
async def test_tools_that_do_not_work_are_a_warning(
    tester: LlmTester, simulator: MoonshotSimulator, base_url: str, answer: ScriptedAnswer | str, code: str
) -> None:
    simulator.say("Yes, I can hear you.", answer)
    trial = await tester.test(credential(base_url))
    assert (trial.outcome, stage(trial, "tools").code) == ("ok_with_warnings", code)


async def test_an_unknown_vendor_is_not_tested(tester: LlmTester) -> None:
    trial = await tester.test(VendorCredential("nobody"))
    assert (trial.outcome, trial.is_ok) == ("not_tested", False)
    assert "nobody" in trial.reason


async def test_leaves_nothing_behind(tester: LlmTester, base_url: str) -> None:
    await tester.test(credential(base_url))
    before = asyncio.all_tasks()
    await tester.test(credential(base_url))
    assert asyncio.all_tasks() <= before | {asyncio.current_task()}
