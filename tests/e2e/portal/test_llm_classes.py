"""The Test in every class of failure, in the browser: the right row, what is wrong, and what to do about it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from tests.e2e.portal.conftest import Portal
from tests.e2e.portal.service_form import fill, press_test
from tests.vendors.test_reach import listening, self_signed

from moonwire.api import trial_pace
from moonwire.sandbox.fleet import SANDBOX_CHINA_KEY, SANDBOX_KEY
from moonwire.sandbox.moonshot.faults import Fault

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(90)]

ROWS = ("input", "reach", "key", "model", "talk", "tools")


@dataclass(frozen=True)
class Case:
    """What is wrong, and what the operator is told."""

    code: str
    row: str
    says: str
    remedy: str
    fault: Fault | None = None
    key: str = SANDBOX_KEY
    base_url: str = "{moonshot}"
    model: str = ""
    retired_models: str = ""
    is_warning: bool = False


CASES = [
    # Input
    Case("api_key-missing", "input", "API Key is missing.", "Enter API Key.", key=" \u00a0"),
    Case("key-characters", "input", "letters that no key has", "Copy the key again", key="sk-schlüssel"),
    Case("other-product", "input", "belongs to another product", "Kimi Code", key="sk-kimi-0123", is_warning=True),
    # Reach
    Case("dns", "reach", "vendor.invalid is unknown", "Check its spelling", base_url="https://vendor.invalid/v1"),
    Case("refused", "reach", "refuses the connection", "Check host and port", base_url="http://127.0.0.1:9/v1"),
    Case("tls", "reach", "does not speak TLS", "Check scheme and port", base_url="https://{moonshot_host}/v1"),
    Case("certificate", "reach", "is not trusted", "install its authority", base_url="https://{self_signed}/v1"),
    Case("timeout", "reach", "does not answer", "Check firewalls", base_url="https://{silent}/v1"),
    # Key
    Case("key", "key", "key was refused", "platform.kimi.ai work only at", key="sk-nobody"),
    Case("ip-not-allowed", "key", "this server's address", "IP allow-list", Fault("permission", on="models")),
    Case("permission", "key", "may not do this", "API is open to the account", Fault("not_open", on="models")),
    Case("not-an-api", "key", "no API answer", "a web page answered", Fault("html_200", on="models")),
    Case("vendor-failed", "key", "failed on its side", "usually passes", Fault("bad_gateway_html", on="models")),
    Case("redirect", "key", "leads elsewhere", "final address", Fault("redirect", on="models")),
    Case("broken-off", "key", "broke off", "Try again", Fault("reset_before_headers", on="models")),
    Case("wrong-path", "key", "no such path", "ends with /v1", base_url="http://{moonshot_host}/v2"),
    # Model
    Case("retired", "model", "retired on 2026-05-25", "Calls go on with kimi-k2.6", model="kimi-k2-0711-preview",
         is_warning=True),
    Case("retired", "model", "retired on 2026-05-25", "Use one of kimi-k2.6", model="kimi-k2-0711-preview",
         retired_models="refuse"),
    Case("unlisted", "model", "not in the list", "Lists can be incomplete", model="kimi-nope", is_warning=True),
    # Talk
    Case("model-unavailable", "talk", "not available to this account", "Use one of kimi-k2.6", model="kimi-nope"),
    Case("quota", "talk", "no balance left", "Add money", Fault("quota")),
    Case("overloaded", "talk", "no capacity", "configure a fallback", Fault("overloaded")),
    Case("concurrency", "talk", "Too many answers at the same time", "tier 0", Fault("concurrency")),
    Case("rate-limit", "talk", "rate limit is reached", "tier 0", Fault("rpm")),
    Case("rate-limit", "talk", "tokens per minute", "smaller llmOptions.maxTokens", Fault("tpm")),
    Case("daily-limit", "talk", "limit for today", "opens again tomorrow", Fault("tpd")),
    Case("ip-not-allowed", "talk", "this server's address", "IP allow-list", Fault("permission")),
    Case("temperature", "talk", "temperature was refused", "Remove temperature", Fault("temperature")),
    Case("content-filtered", "talk", "Moderation refused", "Rephrase", Fault("content_filter")),
    Case("vendor-failed", "talk", "failed on its side", "usually passes", Fault("unavailable")),
    Case("not-an-api", "talk", "no API answer", "a web page answered", Fault("html_200")),
    Case("stalled", "talk", "did not end within", "quicker model", Fault("stall_before_content")),
    Case("thinks-first", "talk", "thinks before it speaks", "choose kimi-k2.6", model="kimi-k3", is_warning=True),
    # Tools
    Case("malformed-tool-call", "tools", "wrong arguments", "without tools are not affected",
         Fault("bad_tool_json", on="tools"), is_warning=True),
    Case("rate-limit", "tools", "Two requests in a row", "raise the account's tier", Fault("rpm", on="tools"),
         is_warning=True),
    Case("vendor-failed", "tools", "failed on its side", "usually passes", Fault("server_error", on="tools"),
         is_warning=True),
]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hosts(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[dict[str, str]]:
    """Hosts that are wrong in their own ways."""
    done = asyncio.Event()

    async def say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await done.wait()
        writer.close()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    folder: Path = tmp_path_factory.mktemp("certificate")
    async with listening(context=self_signed(folder)) as port:
        silent_port = silent.sockets[0].getsockname()[1]
        yield {"self_signed": f"127.0.0.1:{port}", "silent": f"127.0.0.1:{silent_port}"}
    done.set()
    silent.close()


@pytest_asyncio.fixture(loop_scope="module")
async def operator(shared_operator: Portal, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Portal]:
    """Return the portal with a vendor that is well again after each test."""
    monkeypatch.setattr(trial_pace, "AT_ONCE", 1000)
    monkeypatch.setattr("moonwire.vendors.llm_trial.TALK_LIMIT_S", 3.0)
    await shared_operator.page.emulate_media(reduced_motion="reduce")
    yield shared_operator
    shared_operator.fleet.moonshot.faults.clear()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.row}-{case.code}")
async def test_each_class_has_its_row_its_words_and_its_remedy(
    operator: Portal, hosts: dict[str, str], case: Case
) -> None:
    fleet, page = operator.fleet, operator.page
    if case.fault is not None:
        fleet.moonshot.faults.add(case.fault)
    moonshot_host = fleet.moonshot_url.removeprefix("http://").removesuffix("/v1")
    base_url = case.base_url.format(moonshot=fleet.moonshot_url, moonshot_host=moonshot_host, **hosts)
    await fill(operator, key=case.key, base_url=base_url, model=case.model)
    if case.retired_models:
        await page.get_by_label("Retired models").select_option(case.retired_models)
    states = await press_test(operator)
    row = page.locator(f"[data-stage={case.row}]")
    at = ROWS.index(case.row)
    assert states[at] == ("warning" if case.is_warning else "failed")
    assert await row.get_attribute("data-code") == case.code
    text = await row.inner_text()
    assert case.says in text
    assert case.remedy in text
    if not case.is_warning:
        assert set(states[at + 1 :]) <= {"skipped"}, "nothing is tried after a failure"
        assert "failed" not in states[:at]
        await page.get_by_text("An agent could not talk with this.").wait_for()
    shown = await page.content()
    assert "org-0f3a9c1d2b" not in shown, "the vendor's account ids are masked"


@pytest.mark.parametrize(
    ("base_url", "says"),
    [
        ("http://10.1.2.3/v1", "10.1.2.3 is private"),
        ("http://169.254.169.254/v1", "169.254.169.254 is private"),
        ("https://", "must be an absolute"),
        ("ftp://api.moonshot.ai/v1", "must be an absolute"),
    ],
)
async def test_an_address_that_is_refused_is_told_at_its_field(operator: Portal, base_url: str, says: str) -> None:
    await fill(operator, base_url=base_url)
    await operator.page.get_by_role("button", name="Test", exact=True).click()
    await operator.page.locator(".field", has=operator.page.get_by_label("Base URL")).get_by_text(says).wait_for()
    assert not await operator.page.locator(".stage").count()


@pytest.mark.parametrize(("key", "home"), [(SANDBOX_KEY, "Global"), (SANDBOX_CHINA_KEY, "China")])
async def test_a_key_of_neither_region_stays_a_refused_key(operator: Portal, key: str, home: str) -> None:
    """The other region is asked only when its button is pressed; a key that nobody knows stays unknown."""
    page, fleet = operator.page, operator.fleet
    here = fleet.moonshot_url if home == "Global" else fleet.moonshot_china_url
    asked = len(fleet.moonshot.requests)
    await fill(operator, key=f"{key}-unknown", base_url=here)
    assert (await press_test(operator))[2] == "failed"
    assert {one.region for one in fleet.moonshot.requests[asked:]} == {home.lower()}, "nothing is tried silently"
    assert (await press_test(operator, "Check the other region"))[2] == "failed"
    assert {one.region for one in fleet.moonshot.requests[asked:]} == {"global", "china"}
    assert await page.get_by_label("Base URL").input_value() == here, "a suggestion that fails is not taken over"
