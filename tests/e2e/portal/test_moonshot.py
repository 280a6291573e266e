"""The path with the keyboard alone: first login, a key that is refused, one that works, the call that uses it."""

from __future__ import annotations

import pytest
from tests.e2e.portal.conftest import PASSWORD, Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

KEY = "sk-typed-by-the-operator-4f2a"


async def log_in_with_the_keyboard(portal: Portal) -> None:
    keyboard = portal.page.keyboard
    one_time = portal.server.store.one_time_password
    assert one_time
    await portal.open("/")
    await keyboard.type(one_time)
    await keyboard.press("Enter")
    await portal.page.get_by_role("heading", name="Choose a password").wait_for()
    for field, text in (("Current password", one_time), ("New password", PASSWORD), ("New password again", PASSWORD)):
        await portal.tab_to(field)
        await keyboard.type(text)
    await keyboard.press("Enter")
    await portal.page.get_by_role("heading", name="Overview").wait_for()


async def press_test(portal: Portal) -> str:
    """Press Test with the keyboard; returns what is announced at its end."""
    await portal.tab_to("Test", "button")
    async with portal.page.expect_response(lambda answer: "/test" in answer.url):
        await portal.page.keyboard.press("Enter")
    announced = portal.page.locator(".verdict.good, .verdict.warn, .verdict.bad")
    await announced.wait_for()
    assert await announced.get_attribute("role") == "status"
    return await announced.inner_text()


async def test_from_the_first_login_to_a_call_on_ones_own_key(portal: Portal) -> None:
    page, keyboard, moonshot = portal.page, portal.page.keyboard, portal.fleet.moonshot
    await log_in_with_the_keyboard(portal)
    await portal.tab_to("LLM Services")
    await keyboard.press("Enter")
    await page.get_by_role("heading", name="Bring your own key").wait_for()
    assert not await portal.violations()
    await portal.tab_to("Add LLM Service")
    await keyboard.press("Enter")
    await page.get_by_role("heading", name="Add LLM Service").wait_for()

    await portal.tab_to("Moonshot (Kimi)", "radio")
    await portal.tab_to("Global", "radio")
    await keyboard.press("ArrowRight")
    assert await page.get_by_label("Base URL").input_value() == "https://api.moonshot.cn/v1"
    await keyboard.press("ArrowRight")
    assert await page.get_by_label("Base URL").input_value() == portal.fleet.moonshot_url
    await portal.tab_to("API Key")
    await keyboard.insert_text(KEY)
    assert await page.get_by_label("API Key", exact=True).get_attribute("type") == "password"
    await portal.tab_to("Label")
    await keyboard.type("keyboard")
    assert "could not talk" in await press_test(portal), "the vendor does not know this key yet"
    moonshot.accept(KEY)
    assert "An agent can talk" in await press_test(portal)
    assert not await portal.violations()
    await portal.tab_to("Save", "submit")
    await keyboard.press("Enter")
    await page.get_by_role("link", name="Moonshot (Kimi) · keyboard").wait_for()
    await page.get_by_text("Test passed").wait_for()
    shown = await page.content()
    assert KEY not in shown
    assert "4f2a" in shown, "its last four characters"

    moonshot.requests.clear()
    await portal.call()
    used = {(one.region, one.key, one.headers["Host"]) for one in moonshot.requests}
    assert used == {("global", KEY, portal.fleet.moonshot_url.removeprefix("http://").removesuffix("/v1"))}
    await portal.open("/account/llm-services")
    await page.get_by_text("Worked").wait_for()
