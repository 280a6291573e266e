"""An alert is on the Overview until somebody has seen to it, or the service works again."""

from __future__ import annotations

import pytest
from tests.e2e.portal.conftest import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def test_an_alert_stays_until_it_has_been_seen(operator: Portal) -> None:
    page, store = operator.page, operator.server.store
    account = store.directory.default_account_sid
    store.alerts.raise_alert(account, "llm-failure", "credential: The key was refused.", remedy="Paste another one.")
    await store.alerts.flush()
    await operator.open("/")
    await page.get_by_text("The key was refused.").wait_for()
    await page.get_by_text("Paste another one.").wait_for()
    await page.get_by_role("button", name="Seen: credential: The key was refused.").click()
    await page.get_by_text("The key was refused.").wait_for(state="detached")
    await operator.open("/alerts")
    await page.get_by_text("The key was refused.").wait_for()
    assert await page.get_by_role("button", name="Seen").count() == 0
    store.alerts.raise_alert(account, "llm-failure", "credential: The key was refused.")
    await store.alerts.flush()
    await operator.open("/")
    await page.get_by_text("2 times").wait_for()
    assert await page.get_by_role("button", name="Seen").is_visible(), "open again"
