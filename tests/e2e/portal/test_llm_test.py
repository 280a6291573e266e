"""The Test of an LLM Service as the operator sees it, and the way from a failed one to a call that works."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from tests.e2e.portal.conftest import Portal
from tests.e2e.portal.service_form import fill, press_test

from moonwire.sandbox.fleet import SANDBOX_CHINA_KEY, SANDBOX_KEY

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

PASSED = ["ok"] * 6


@pytest_asyncio.fixture(loop_scope="module")
async def operator(shared_operator: Portal) -> AsyncGenerator[Portal]:
    """Return the portal; what a test leaves behind is removed."""
    yield shared_operator
    await shared_operator.remove_services()


async def test_a_good_key_turns_all_rows_green_and_is_announced(operator: Portal) -> None:
    page, before = operator.page, len(operator.fleet.moonshot.requests)
    await fill(operator, base_url=f"{operator.fleet.moonshot_url}/chat/completions/", key=f" \u00a0{SANDBOX_KEY}\n")
    assert await press_test(operator) == PASSED
    verdict = page.get_by_role("status").filter(has_text="An agent can talk")
    await verdict.wait_for()
    assert "first words after" in await verdict.inner_text()
    offered = await page.locator("datalist option").evaluate_all("all => all.map((one) => one.value)")
    assert "kimi-k2.6" in offered
    assert not await operator.violations()
    ours = [request for request in operator.fleet.moonshot.requests[before:] if request.key == SANDBOX_KEY]
    assert {request.headers["Host"] for request in ours} == {
        operator.fleet.moonshot_url.removeprefix("http://").removesuffix("/v1")
    }


async def test_a_retired_model_offers_its_successor(operator: Portal) -> None:
    page = operator.page
    await fill(operator, model="kimi-k2-0711-preview")
    assert "Retired by the vendor" in await page.locator(".field .warning").inner_text()
    states = await press_test(operator)
    assert states[3] == "warning"
    await page.get_by_role("button", name="Test again with kimi-k2.6").first.click()
    await page.locator(".verdict.good").wait_for()
    assert await page.get_by_label("Model for the test").input_value() == "kimi-k2.6"


@pytest.mark.parametrize(("key", "home"), [(SANDBOX_CHINA_KEY, "china"), (SANDBOX_KEY, "global")])
async def test_a_key_of_the_other_region_finds_its_home_and_the_next_call_talks(
    operator: Portal, key: str, home: str
) -> None:
    page, fleet = operator.page, operator.fleet
    urls = {"global": fleet.moonshot_url, "china": fleet.moonshot_china_url}
    away = "china" if home == "global" else "global"
    asked = len(fleet.moonshot.requests)
    await fill(operator, key=key, base_url=urls[away])
    assert (await press_test(operator))[2] == "failed"
    told = await page.locator("[data-stage=key]").inner_text()
    assert "platform.kimi.ai" in told
    assert "platform.kimi.com" in told, "the regions are named as the likely cause"
    button = page.get_by_role("button", name="Check the other region")
    assert urls[home].removeprefix("http://").removesuffix("/v1") in await button.inner_text()
    assert {one.region for one in fleet.moonshot.requests[asked:]} == {away}, "nothing is tried silently"
    assert await press_test(operator, "Check the other region") == PASSED
    assert await page.get_by_label("Base URL").input_value() == urls[home]
    await page.get_by_label("Label").fill(home)
    await page.get_by_role("button", name="Save", exact=True).click()
    await page.get_by_role("link", name=f"Moonshot (Kimi) · {home}").wait_for()
    await page.get_by_text("Test passed").wait_for()

    asked = len(fleet.moonshot.requests)
    await operator.call()
    assert {(one.region, one.key) for one in fleet.moonshot.requests[asked:]} == {(home, key)}


async def test_a_stored_key_in_the_wrong_region_is_asked_about_only_with_consent(operator: Portal) -> None:
    page, fleet = operator.page, operator.fleet
    await fill(operator, key=SANDBOX_CHINA_KEY)
    await page.get_by_role("button", name="Save", exact=True).click()
    await page.get_by_role("link", name="Moonshot (Kimi)").click()
    assert (await press_test(operator, "Test again"))[2] == "failed"
    assert (await press_test(operator, "Check the other region"))[2] == "failed"
    await page.get_by_text("The key belongs to the region Sandbox (China).", exact=True).wait_for()
    await page.get_by_role("button", name="Use 127.0.0.1").click()
    assert await page.get_by_label("Base URL").input_value() == fleet.moonshot_china_url
    await page.get_by_text("enter the key again").wait_for()
    await page.get_by_label("API Key").first.fill(SANDBOX_CHINA_KEY)
    assert await press_test(operator, "Test") == PASSED


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
