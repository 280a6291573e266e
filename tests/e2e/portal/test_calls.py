"""One real call, seen in the portal: while it is up, then transcript, delays, recording, reason; then deleted."""

from __future__ import annotations

import asyncio

import pytest
from tests.e2e.portal.conftest import Portal
from tests.e2e.portal.screens import AGENT

from moonwire.app import dial
from moonwire.sandbox.caller import Say, conversation, prepare

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def test_a_call_tells_its_story(operator: Portal) -> None:
    page = operator.page
    account = (await operator.ask("GET", "/Accounts"))[0]["account_sid"]
    application = {"name": "reception", "account_sid": account, "app_json": [AGENT], "record_all_calls": True}
    made = await operator.ask("POST", "/Applications", application)
    number = {"number": "16175551212", "account_sid": account, "application_sid": made["sid"]}
    await operator.ask("POST", "/PhoneNumbers", number)
    steps = await prepare(conversation(Say("Hello, what are your opening hours?")))
    async with asyncio.TaskGroup() as group:
        calling = group.create_task(dial(f"sip:16175551212@127.0.0.1:{operator.server.sip.local_port}", steps))
        await operator.open("/")
        active = page.get_by_role("region", name="1 active now")
        await active.get_by_text("talking").wait_for()
        assert "+16175551212" in await active.inner_text()
        assert await active.locator("time").get_attribute("datetime")
    report = calling.result()
    assert report.ok, report.problems
    await operator.server.engine.wait_idle()
    await active.wait_for(state="detached")

    await operator.open("/calls")
    await page.get_by_text("The caller hung up").wait_for()
    await page.get_by_role("link", name="+16175551212").click()
    await page.get_by_text("Hello, what are your opening hours?", exact=True).wait_for()
    await page.get_by_role("columnheader", name="Caller stopped → agent heard").wait_for()
    assert await page.locator(".waterfall tbody tr").count() >= 2
    await page.wait_for_function("document.querySelector('audio')?.duration > 3")
    assert await page.locator(".recording figure").count() == 2
    assert not await operator.violations()

    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await page.get_by_role("heading", name="No calls").wait_for()
