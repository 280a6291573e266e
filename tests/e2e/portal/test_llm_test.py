"""The Test of an LLM Service in each class of failure, as the operator sees it, and the way to a call that works."""

from __future__ import annotations

import pytest
from tests.e2e.portal.conftest import Portal

from moonwire.app import dial
from moonwire.sandbox.caller import Say, conversation, prepare
from moonwire.sandbox.fleet import SANDBOX_CHINA_KEY, SANDBOX_KEY
from moonwire.sandbox.moonshot.faults import Fault, FaultKind

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

PASSED = ["ok"] * 6


async def fill(portal: Portal, *, key: str = SANDBOX_KEY, base_url: str | None = None, model: str = "") -> None:
    """Open an empty form and fill it."""
    page = portal.page
    await portal.open("/account/llm-services/new")
    await page.get_by_label("API Key", exact=True).fill(key)
    await page.get_by_label("Base URL").fill(base_url if base_url is not None else portal.fleet.moonshot_url)
    await page.get_by_label("Model for the test").fill(model)


async def press_test(portal: Portal, button: str = "Test") -> list[str]:
    """Run a test and return the state of each row, once all rows have been shown."""
    await portal.page.get_by_role("button", name=button, exact=button == "Test").click()
    await portal.page.locator(".verdict.good, .verdict.warn, .verdict.bad").wait_for()
    rows = await portal.page.locator(".stage").all()
    return [await row.get_attribute("data-status") or "" for row in rows]


async def test_a_good_key_turns_all_rows_green_and_is_announced(operator: Portal) -> None:
    page = operator.page
    await fill(operator, base_url=f"{operator.fleet.moonshot_url}/chat/completions/", key=f" \u00a0{SANDBOX_KEY}\n")
    assert await press_test(operator) == PASSED
    verdict = page.get_by_role("status").filter(has_text="An agent can talk")
    await verdict.wait_for()
    assert "first words after" in await verdict.inner_text()
    offered = await page.locator("datalist option").evaluate_all("all => all.map((one) => one.value)")
    assert "kimi-k2.6" in offered
    assert not await operator.violations()
    hosts = {request.headers["Host"] for request in operator.fleet.moonshot.requests if request.key == SANDBOX_KEY}
    assert hosts == {operator.fleet.moonshot_url.removeprefix("http://").removesuffix("/v1")}


async def test_what_cannot_be_reached_says_why(operator: Portal) -> None:
    page = operator.page
    await fill(operator, base_url="http://127.0.0.1:9/v1")
    assert (await press_test(operator))[:2] == ["ok", "failed"]
    await page.get_by_text("Check host and port of the Base URL.").wait_for()
    await page.get_by_role("button", name="Save anyway").wait_for()
    assert not await operator.violations()

    await fill(operator, base_url="http://10.1.2.3/v1")
    await page.get_by_role("button", name="Test", exact=True).click()
    await page.locator(".field .error", has_text="10.1.2.3 is private").wait_for()


@pytest.mark.parametrize(
    ("kind", "stage", "says"),
    [
        ("permission", "talk", "allow-list"),
        ("html_200", "talk", ""),
        ("quota", "talk", "balance"),
        ("overloaded", "talk", "capacity"),
    ],
)
async def test_each_failure_of_the_vendor_has_its_row_and_its_words(
    operator: Portal, kind: FaultKind, stage: str, says: str
) -> None:
    operator.fleet.moonshot.faults.add(Fault(kind))
    await fill(operator)
    await press_test(operator)
    row = operator.page.locator(f"[data-stage={stage}]")
    assert await row.get_attribute("data-status") == "failed"
    text = await row.inner_text()
    assert says in text
    assert "org-0f3a9c1d2b" not in await operator.page.content()


async def test_a_retired_model_offers_its_successor(operator: Portal) -> None:
    page = operator.page
    await fill(operator, model="kimi-k2-0711-preview")
    assert "Retired by the vendor" in await page.locator(".field .warning").inner_text()
    states = await press_test(operator)
    assert states[3] == "warning"
    await page.get_by_role("button", name="Test again with kimi-k2.6").first.click()
    await page.locator(".verdict.good").wait_for()
    assert await page.get_by_label("Model for the test").input_value() == "kimi-k2.6"


async def test_a_key_of_the_other_region_finds_its_home_and_the_next_call_talks(operator: Portal) -> None:
    page = operator.page
    await fill(operator, key=SANDBOX_CHINA_KEY)
    assert (await press_test(operator))[2] == "failed"
    before = len(operator.fleet.moonshot.requests)
    button = page.get_by_role("button", name="Check the other region")
    china = operator.fleet.moonshot_china_url
    assert china.removeprefix("http://").removesuffix("/v1") in await button.inner_text()
    assert all(one.region == "global" for one in operator.fleet.moonshot.requests[:before]), "nothing is tried silently"
    assert await press_test(operator, "Check the other region") == PASSED
    assert await page.get_by_label("Base URL").input_value() == china
    await page.get_by_label("Label").fill("china")
    await page.get_by_role("button", name="Save", exact=True).click()
    await page.get_by_role("link", name="Moonshot (Kimi) · china").wait_for()
    await page.get_by_text("Test passed").wait_for()

    asked = len(operator.fleet.moonshot.requests)
    report = await dial(
        f"sip:1000@127.0.0.1:{operator.server.sip.local_port}",
        await prepare(conversation(Say("Hello, what are your opening hours?"))),
    )
    await operator.server.engine.wait_idle()
    assert report.ok, report.problems
    used = {(one.region, one.key) for one in operator.fleet.moonshot.requests[asked:]}
    assert used == {("china", SANDBOX_CHINA_KEY)}


async def test_a_stored_key_is_tested_and_another_host_asks_for_it_again(operator: Portal) -> None:
    page = operator.page
    await fill(operator)
    await page.get_by_role("button", name="Save", exact=True).click()
    await page.get_by_role("link", name="Moonshot (Kimi)").click()
    assert await press_test(operator, "Test again") == PASSED
    await page.get_by_text("Test passed").wait_for()
    await page.get_by_label("Base URL").fill("https://proxy.example.com/v1")
    await page.get_by_text("enter the key again").wait_for()
    assert await page.get_by_role("button", name="Test", exact=False).first.is_disabled()
    await page.get_by_role("button", name="Save", exact=True).click()
    await page.locator(".error", has_text="must be given again").wait_for()
    await page.get_by_label("Base URL").fill(operator.fleet.moonshot_url)
    await page.get_by_label("Model for the test").fill("kimi-k3")
    states = await press_test(operator, "Save and test")
    assert states[4] == "warning", "the model thinks before it speaks"

    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await page.get_by_role("heading", name="Bring your own key").wait_for()
