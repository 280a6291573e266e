"""The form of an LLM Service, as tests fill it and press its Test."""

from __future__ import annotations

from tests.e2e.portal.conftest import Portal

from moonwire.sandbox.fleet import SANDBOX_KEY

NEW_SERVICE = "/account/llm-services/new"


async def fill(portal: Portal, *, key: str = SANDBOX_KEY, base_url: str | None = None, model: str = "") -> None:
    """Open an empty form and fill it."""
    page = portal.page
    await portal.open(NEW_SERVICE)
    await page.get_by_label("API Key", exact=True).fill(key)
    await page.get_by_label("Base URL").fill(base_url if base_url is not None else portal.fleet.moonshot_url)
    await page.get_by_label("Model for the test").fill(model)


async def press_test(portal: Portal, button: str = "Test") -> list[str]:
    """Run a test and return the state of each row, once all rows have been shown."""
    async with portal.page.expect_response(lambda answer: "/test" in answer.url):
        await portal.page.get_by_role("button", name=button, exact=button == "Test").click()
    await portal.page.locator(".verdict.good, .verdict.warn, .verdict.bad").wait_for()
    rows = await portal.page.locator(".stage").all()
    return [await row.get_attribute("data-status") or "" for row in rows]
