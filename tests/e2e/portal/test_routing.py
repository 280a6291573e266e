"""Applications, numbers, carriers and API keys, as an operator sets them up."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from aiohttp import web
from tests.e2e.portal.conftest import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(90)]

SCHEMA = {
    "LLM_MODEL": {
        "type": "string",
        "description": "vendor:model",
        "enum": ["openai:gpt-4o"],
        "default": "openai:gpt-4o",
    },
    "SYSTEM_PROMPT": {
        "type": "string",
        "description": "What the agent is told",
        "uiHint": "textarea",
        "required": True,
    },
    "MAX_TURNS": {"type": "number", "description": "When to stop"},
    "TOOL_KEY": {"type": "string", "description": "For the tool", "obscure": True},
}


@pytest_asyncio.fixture(loop_scope="module")
async def operator(shared_operator: Portal) -> AsyncGenerator[Portal]:
    """Return the portal; what a test leaves behind is removed."""
    yield shared_operator
    for kind, sid in (("PhoneNumbers", "phone_number_sid"), ("Applications", "application_sid")):
        for row in await shared_operator.ask("GET", f"/{kind}"):
            await shared_operator.ask("DELETE", f"/{kind}/{row[sid]}")


@pytest_asyncio.fixture(loop_scope="module")
async def application() -> AsyncGenerator[str]:
    """An application that declares environment variables; yields its address."""

    async def declare(_request: web.Request) -> web.Response:
        return web.json_response(SCHEMA)

    app = web.Application()
    app.router.add_route("OPTIONS", "/{path:.*}", declare)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}/agent"
    finally:
        await runner.cleanup()


async def test_the_form_comes_from_the_application(operator: Portal, application: str) -> None:
    page = operator.page
    await operator.open("/applications/new")
    await page.get_by_label("Name", exact=True).fill("kimi")
    await page.get_by_label("Call hook", exact=True).fill(application)
    await page.get_by_role("button", name="Ask the application").click()
    await page.get_by_label("LLM_MODEL").fill("moonshot:kimi-k2.6")
    await page.get_by_text("It is saved and sent all the same.").wait_for()
    await page.get_by_label("MAX_TURNS").fill("many")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_text("The application needs a value.").wait_for()
    await page.get_by_text("This must be a number.").wait_for()
    await page.get_by_label("SYSTEM_PROMPT").fill("You are brief.")
    await page.get_by_label("MAX_TURNS").fill("12")
    await page.get_by_label("TOOL_KEY", exact=False).first.fill("sk-planted-0123456789")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_role("link", name="kimi").wait_for()

    (stored,) = await operator.ask("GET", "/Applications")
    assert stored["env_vars"] == {"LLM_MODEL": "moonshot:kimi-k2.6", "SYSTEM_PROMPT": "You are brief.", "MAX_TURNS": 12}
    assert stored["secret_env_vars"] == ["TOOL_KEY"]
    assert stored["call_hook"]["method"] == "WS"

    await page.get_by_role("link", name="kimi").click()
    await page.get_by_label("SYSTEM_PROMPT").wait_for()
    assert await page.get_by_label("LLM_MODEL").input_value() == "moonshot:kimi-k2.6"
    assert "sk-planted" not in await page.content()


async def test_a_number_finds_its_application(operator: Portal) -> None:
    page = operator.page
    account = (await operator.ask("GET", "/Accounts"))[0]["account_sid"]
    made = await operator.ask(
        "POST", "/Applications", {"name": "hello", "account_sid": account, "app_json": [{"verb": "hangup"}]}
    )
    await operator.open("/numbers")
    await page.get_by_role("button", name="Add number").first.click()
    await page.get_by_label("Number", exact=True).fill("+1 (617) 555-1212")
    await page.keyboard.press("Enter")
    await page.get_by_text("+16175551212").wait_for()
    async with page.expect_response(lambda answer: answer.request.method == "PUT"):
        await page.get_by_label("Who answers 16175551212").select_option("hello")
    (number,) = await operator.ask("GET", "/PhoneNumbers")
    assert (number["number"], number["application_sid"]) == ("16175551212", made["sid"])
    await page.get_by_role("button", name="Delete 16175551212").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await page.get_by_role("heading", name="No phone number").wait_for()


async def test_a_carrier_lets_nobody_in_until_it_has_an_address(operator: Portal) -> None:
    page = operator.page
    await operator.open("/carriers/new")
    await page.get_by_label("Name", exact=True).fill("trunk")
    await page.get_by_role("button", name="Save, then add addresses").click()
    await page.get_by_text("No address yet").wait_for()
    address = page.get_by_label("Address or network")
    await address.fill("not an address!")
    await page.get_by_role("button", name="Add", exact=True).click()
    await page.locator(".inline-form .error").wait_for()
    await address.fill("203.0.113.0/24")
    await page.get_by_role("button", name="Add", exact=True).click()
    await page.get_by_role("cell", name="203.0.113.0/24").wait_for()
    await page.get_by_role("link", name="Carriers").first.click()
    await page.get_by_text("Lets calls in").wait_for()
    assert await page.get_by_text("Lets calls in").is_visible()


async def test_a_key_is_shown_once(operator: Portal) -> None:
    page = operator.page
    await operator.open("/account/api-keys")
    await page.get_by_role("button", name="Add API key").first.click()
    await page.get_by_label("Name").fill("ci")
    await page.get_by_role("button", name="Make key").click()
    token = await page.get_by_label("Key", exact=True).input_value()
    assert len(token) >= 32
    await page.get_by_role("button", name="I have kept it").click()
    await page.get_by_role("cell", name="ci", exact=True).wait_for()
    assert token not in await page.content()
    async with operator.http.get(f"{operator.url}/v1/Accounts", headers={"Authorization": f"Bearer {token}"}) as answer:
        assert answer.status == 200
    await page.get_by_role("button", name="Delete ci").click()
    await page.keyboard.press("Escape")
    await page.get_by_role("dialog").wait_for(state="detached")
    await page.get_by_role("button", name="Delete ci").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await page.get_by_role("heading", name="No API key").wait_for()
    async with operator.http.get(f"{operator.url}/v1/Accounts", headers={"Authorization": f"Bearer {token}"}) as answer:
        assert answer.status == 401
