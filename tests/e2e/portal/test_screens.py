"""Every screen: readable by everybody (axe), in both themes and languages, and light enough."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from playwright.async_api import ViewportSize
from tests.e2e.portal.conftest import AXE, Portal
from tests.e2e.portal.screens import seed

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(150)]

FIRST_LOAD_LIMIT = 250_000
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 380, "height": 760}
CHINESE = ("overview", "application", "llm-service", "users")
"""Screens that are looked at in Chinese, too; colours and structure do not depend on the language."""


@pytest_asyncio.fixture(loop_scope="module")
async def operator(shared_operator: Portal) -> AsyncGenerator[Portal]:
    """Return the portal at its overview, as somebody sees it who has changed nothing."""
    page = shared_operator.page
    await page.evaluate("localStorage.clear()")
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size(DESKTOP)
    await shared_operator.open("/")
    yield shared_operator


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed (make portal)")
async def test_every_screen_is_clean(operator: Portal) -> None:
    page = operator.page
    screens = await seed(operator)
    found: list[str] = []
    for name, path in screens.items():
        await operator.open(path)
        await operator.settled()
        await page.set_viewport_size(PHONE)
        if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{name} is wider than a telephone")
        await page.set_viewport_size(DESKTOP)
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)
            found += [f"{name} {scheme}: {one}" for one in await operator.violations()]
    await page.evaluate("localStorage.setItem('moonwire.language', 'zh')")
    for name in CHINESE:
        await operator.open(screens[name])
        await operator.settled()
        found += [f"{name} in Chinese: {one}" for one in await operator.violations()]
    assert not found


async def test_everything_is_translated(operator: Portal) -> None:
    page = operator.page
    await operator.remove_services()
    await page.get_by_label("Language").select_option("zh")
    await page.get_by_role("heading", name="总览").wait_for()
    assert await page.locator("html").get_attribute("lang") == "zh-CN"
    await page.reload()
    await page.get_by_role("link", name="大模型服务").click()
    await page.get_by_role("heading", name="使用您自己的密钥").wait_for()


async def test_the_theme_is_remembered(operator: Portal) -> None:
    page = operator.page
    await page.get_by_label("Theme").select_option("dark")
    await page.reload()
    await page.get_by_role("heading", name="Overview").wait_for()
    ground = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(14, 17, 22)"


async def test_a_narrow_screen_has_its_menu_behind_a_button(operator: Portal) -> None:
    page = operator.page
    await page.set_viewport_size(PHONE)
    link = page.get_by_role("link", name="LLM Services")
    assert not await link.is_visible()
    await page.get_by_role("button", name="Menu").click()
    await link.click()
    await page.get_by_role("heading", name="LLM Services", level=1).wait_for()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_the_first_load_is_light(operator: Portal) -> None:
    await operator.open("/")
    await operator.settled()
    loaded: int = await operator.page.evaluate(
        "performance.getEntriesByType('resource').filter((one) => one.name.endsWith('.js'))"
        ".reduce((sum, one) => sum + one.encodedBodySize, 0)"
    )
    assert 0 < loaded < FIRST_LOAD_LIMIT
