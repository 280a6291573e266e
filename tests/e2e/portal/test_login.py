"""First login, the forced change of the one-time password, and what the browser keeps."""

from __future__ import annotations

import pytest
from tests.e2e.portal.conftest import PASSWORD, Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]


async def test_the_one_time_password_must_be_changed_with_the_keyboard_alone(portal: Portal) -> None:
    page, keyboard = portal.page, portal.page.keyboard
    one_time = portal.server.store.one_time_password
    assert one_time
    await portal.open("/account/llm-services")
    await keyboard.type(one_time)
    await keyboard.press("Enter")
    await page.get_by_role("heading", name="Choose a password").wait_for()
    assert not await portal.violations()
    await portal.tab_to("Current password")
    await keyboard.type(one_time)
    await portal.tab_to("New password")
    await keyboard.type("short")
    await keyboard.press("Enter")
    await page.get_by_text("Use at least 8 characters.").wait_for()
    await page.get_by_label("New password", exact=True).fill(PASSWORD)
    await page.get_by_label("New password again").fill(PASSWORD)
    await keyboard.press("Enter")
    await page.get_by_role("heading", name="LLM Services", level=1).wait_for()

    cookies = await page.context.cookies()
    (session,) = [cookie for cookie in cookies if cookie.get("name") == "moonwire_session"]
    assert session.get("httpOnly")
    assert session.get("sameSite") == "Strict"
    assert await page.evaluate("Object.values({...localStorage, ...sessionStorage}).join() + document.cookie") == ""


async def test_a_wrong_password_says_so_and_nothing_more(portal: Portal) -> None:
    page = portal.page
    await portal.open("/")
    assert not await portal.violations()
    await page.get_by_label("User name").fill("nobody")
    await page.get_by_label("Password").fill("wrong password")
    await page.keyboard.press("Enter")
    await page.get_by_text("Wrong user name or password.").wait_for()


async def test_logging_out_ends_the_session(operator: Portal) -> None:
    page = operator.page
    await page.get_by_role("button", name="Log out").click()
    await page.get_by_role("heading", name="Log in to Moonwire").wait_for()
    await operator.open("/calls")
    await page.get_by_role("heading", name="Log in to Moonwire").wait_for()
    assert await page.get_by_role("button", name="Log out").count() == 0


async def test_a_cookie_alone_authorises_nothing(operator: Portal) -> None:
    status = await operator.page.evaluate("async () => (await fetch('/v1/Accounts')).status")
    assert status == 401, "a request without the portal's header is refused (CSRF)"
