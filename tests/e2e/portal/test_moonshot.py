"""The Moonshot path: add a service with the keyboard alone, test it, save it, and call with it."""

from __future__ import annotations

import pytest
from tests.e2e.portal.conftest import Portal

from moonwire.sandbox.fleet import SANDBOX_KEY

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def test_a_service_is_added_with_the_keyboard_and_the_next_call_uses_it(operator: Portal) -> None:
    page, keyboard = operator.page, operator.page.keyboard
    await operator.tab_to("LLM Services")
    await keyboard.press("Enter")
    await page.get_by_role("heading", name="Bring your own key").wait_for()
    assert not await operator.violations()
    await operator.tab_to("Add LLM Service")
    await keyboard.press("Enter")
    await page.get_by_role("heading", name="Add LLM Service").wait_for()

    await operator.tab_to("Moonshot (Kimi)", "radio")
    await operator.tab_to("Global", "radio")
    await keyboard.press("ArrowRight")
    assert await page.get_by_label("Base URL").input_value() == "https://api.moonshot.cn/v1"
    await keyboard.press("ArrowRight")
    await operator.tab_to("API Key")
    await keyboard.insert_text(SANDBOX_KEY)
    assert await page.get_by_label("API Key", exact=True).get_attribute("type") == "password"
    await operator.tab_to("Base URL")
    await keyboard.press("Control+A")
    await keyboard.type(operator.fleet.moonshot_url)
    await operator.tab_to("Label")
    await keyboard.type("keyboard")
    assert not await operator.violations()
    await operator.tab_to("Save", "submit")
    await keyboard.press("Enter")
    await page.get_by_role("link", name="Moonshot (Kimi) · keyboard").wait_for()
    assert SANDBOX_KEY not in await page.content()

    await operator.call()
    assert operator.fleet.moonshot.requests
