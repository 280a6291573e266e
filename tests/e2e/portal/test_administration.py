"""Users, account settings, speech services, fallbacks and long lists of numbers, as an operator works with them."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from playwright.async_api import expect
from tests.e2e.portal.conftest import Portal
from tests.e2e.portal.service_form import press_test

from moonwire.sandbox.fleet import SANDBOX_KEY

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(90)]


@pytest_asyncio.fixture(loop_scope="module")
async def operator(shared_operator: Portal) -> AsyncGenerator[Portal]:
    """Return the portal, in English again after each test."""
    await shared_operator.page.emulate_media(reduced_motion="reduce")
    yield shared_operator
    await shared_operator.remove_services()
    await shared_operator.page.evaluate("localStorage.setItem('moonwire.language', 'en')")


async def own_account(portal: Portal) -> str:
    return (await portal.ask("GET", "/Accounts"))[0]["account_sid"]


async def test_the_overview_says_that_vendors_are_simulated(operator: Portal) -> None:
    await operator.open("/")
    await operator.page.get_by_role("complementary", name="Sandbox").get_by_text("no real key is in use").wait_for()


async def test_readiness_is_found_out_by_asking(operator: Portal) -> None:
    page, account = operator.page, await own_account(operator)
    for row in await operator.ask("GET", "/Applications"):
        await operator.ask("DELETE", f"/Applications/{row['application_sid']}")
    hook = "ws://127.0.0.1:9/agent"
    made = await operator.ask("POST", "/Applications", {"name": "gone", "account_sid": account, "call_hook": hook})
    await operator.open("/")
    step = page.get_by_role("link", name="An application says what to do")
    await step.get_by_text("none has answered yet").wait_for()
    await page.get_by_role("button", name="Check everything now").click()
    await step.get_by_text("gone: the application did not answer").wait_for()
    assert await page.locator("li.broken", has=step).count() == 1
    await operator.ask("DELETE", f"/Applications/{made['sid']}")


async def test_users_are_added_changed_and_removed(operator: Portal) -> None:
    page = operator.page
    await operator.open("/account/users")
    await page.get_by_role("button", name="Add user").click()
    await page.get_by_label("User name").fill("ann")
    await page.get_by_label("Email").fill("not an address")
    await page.get_by_label("First password", exact=True).fill("short")
    await page.get_by_text("Use at least 8 characters.").wait_for()
    assert await page.get_by_role("button", name="Save").is_disabled()
    await page.get_by_label("First password", exact=True).fill("long enough")
    await page.keyboard.press("Enter")
    await page.locator("dialog .field", has=page.get_by_label("Email")).locator(".error").wait_for()
    assert not await operator.violations()
    await page.get_by_label("Email").fill("ann@example.com")
    await page.keyboard.press("Enter")
    await page.get_by_role("cell", name="ann ann@example.com").wait_for()
    await page.get_by_text("Must change the password").wait_for()
    login = {"username": "ann", "password": "long enough"}
    async with operator.http.post(f"{operator.url}/v1/login", json=login) as answer:
        assert (await answer.json())["force_change"] is True

    await page.get_by_role("button", name="Edit ann").click()
    await page.get_by_label("May log in").uncheck()
    await page.get_by_role("button", name="Save").click()
    await page.get_by_text("Locked").wait_for()
    async with operator.http.post(f"{operator.url}/v1/login", json=login) as answer:
        assert answer.status == 403
    assert await page.get_by_role("button", name="Delete admin").is_disabled(), "nobody removes himself"
    await page.get_by_role("button", name="Delete ann").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await page.get_by_role("cell", name="ann ann@example.com").wait_for(state="detached")


async def test_the_webhook_secret_is_shown_on_demand_and_made_anew(operator: Portal) -> None:
    page = operator.page
    secret = (await operator.ask("GET", f"/Accounts/{await own_account(operator)}/WebhookSecret"))["webhook_secret"]
    await operator.open("/account/settings")
    await operator.settled()
    assert secret not in await page.content()
    await page.get_by_role("button", name="Show", exact=True).click()
    field = page.get_by_label("Webhook secret", exact=True).and_(page.locator("input"))
    assert await field.input_value() == secret
    await page.get_by_role("button", name="Make a new one").click()
    await page.get_by_role("dialog").get_by_role("button", name="Make a new one").click()
    await page.get_by_text("A new secret is in use.").wait_for()
    assert await field.input_value() != secret

    await page.get_by_label("Name").fill("acme")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_text("Saved.").wait_for()
    assert (await operator.ask("GET", "/Accounts"))[0]["name"] == "acme"


async def test_speech_is_tested_before_it_is_saved_for_what_it_is_used_for(operator: Portal) -> None:
    page = operator.page
    await operator.open("/account/speech-services")
    await page.get_by_role("link", name="Add Speech Service").first.click()
    await page.get_by_role("radio", name="Deepgram Listens · Speaks").check()
    await page.get_by_label("API Key", exact=True).fill(SANDBOX_KEY)
    await page.get_by_label("Base URL").fill(operator.fleet.deepgram_url)
    assert await press_test(operator) == ["ok"] * 6, "input, reach, then key and talk for both uses"
    await page.get_by_text("It works: first sound after").wait_for()
    await page.get_by_label("Speaks", exact=True).and_(page.locator("[type=checkbox]")).uncheck()
    assert await press_test(operator) == ["ok"] * 4
    await page.get_by_label("Speaks", exact=True).and_(page.locator("[type=checkbox]")).check()
    await page.get_by_label("Base URL").fill("ws://127.0.0.1:9")
    assert (await press_test(operator))[1] == "failed"
    await page.get_by_text("Check host and port of the Base URL.").wait_for()
    await page.get_by_label("Base URL").fill(operator.fleet.deepgram_url)
    await press_test(operator)
    assert not await operator.violations()
    await page.get_by_role("button", name="Save", exact=True).click()
    row = page.get_by_role("row", name="Deepgram")
    await row.get_by_text("Test passed").wait_for()
    assert "ms" in await row.locator("td.numeric").inner_text(), "the first sound is remembered"


async def test_fallbacks_are_ordered_and_kept(operator: Portal) -> None:
    page = operator.page
    base = f"/Accounts/{await own_account(operator)}/LlmCredentials"
    await operator.ask("POST", base, {"vendor": "groq", "label": "fast", "api_key": "gsk-0123456789"})
    made = await operator.ask("POST", base, {"vendor": "moonshot", "api_key": SANDBOX_KEY})
    await operator.open(f"/account/llm-services/{made['sid']}")
    await page.get_by_role("button", name="Add fallback").click()
    await page.get_by_label("Fallback 1: Service").select_option("Groq · fast")
    assert await page.get_by_label("Fallback 1: Model").input_value(), "a model of the vendor is proposed"
    await page.get_by_label("Fallback 1: Model").fill("openai/gpt-oss-120b")
    await page.get_by_role("button", name="Add fallback").click()
    await page.get_by_label("Fallback 2: Service").select_option("Moonshot (Kimi)")
    await page.get_by_label("Fallback 2: Model").fill("kimi-k3")
    await page.get_by_role("button", name="Move Fallback 2 up").click()
    await page.get_by_role("button", name="Save", exact=True).click()
    await page.get_by_text("then kimi-k3").wait_for()
    stored = (await operator.ask("GET", f"{base}/{made['sid']}"))["fallback"]
    assert [(one["vendor"], one["model"], one["label"]) for one in stored] == [
        ("moonshot", "kimi-k3", None),
        ("groq", "openai/gpt-oss-120b", "fast"),
    ]

    account = await own_account(operator)
    verbs = [{"verb": "hangup"}]
    voice = {"speech_synthesis_vendor": "cartesia", "speech_synthesis_voice": {"mode": "id", "id": "x"}}
    body = {"name": "desk", "account_sid": account, "app_json": verbs, **voice}
    application = await operator.ask("POST", "/Applications", body)
    await operator.open(f"/applications/{application['sid']}")
    await page.get_by_label("Language model: Service").select_option("Groq · fast")
    await page.get_by_role("button", name="Add fallback").click()
    await page.get_by_label("Fallback 1: Service").select_option("Moonshot (Kimi)")
    await page.get_by_label("Use fallback speech").check()
    await page.get_by_role("group", name="Fallback speech").get_by_label("Voice vendor").fill("elevenlabs")
    assert not await operator.violations()
    await page.get_by_role("button", name="Save").click()
    await page.get_by_role("link", name="desk").wait_for()
    stored = await operator.ask("GET", f"/Applications/{application['sid']}")
    assert (stored["llm"]["vendor"], stored["llm"]["label"]) == ("groq", "fast")
    assert [one["vendor"] for one in stored["fallback"]] == ["moonshot"]
    assert stored["fallback_speech_synthesis_vendor"] == "elevenlabs"
    assert stored["use_for_fallback_speech"] == 1
    assert stored["speech_synthesis_voice"] == {"mode": "id", "id": "x"}, "what the form cannot show stays"


async def test_thousands_of_numbers_come_page_by_page(operator: Portal) -> None:
    page = operator.page
    account = await own_account(operator)
    for row in await operator.ask("GET", "/PhoneNumbers"):
        await operator.ask("DELETE", f"/PhoneNumbers/{row['phone_number_sid']}")
    for index in range(60):
        await operator.ask("POST", "/PhoneNumbers", {"number": f"1617555{index:04d}", "account_sid": account})
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url) if "PhoneNumbers" in sent.url else None)
    await operator.open("/numbers")
    await page.get_by_text("1–50 of 60").wait_for()
    await page.get_by_role("button", name="Older").click()
    await page.get_by_text("51–60 of 60").wait_for()
    await page.get_by_label("Search numbers").fill("+1 617 555 0007")
    await expect(page.locator("tbody tr")).to_have_count(1)
    await page.get_by_text("+16175550007").wait_for()
    assert all("page_size=50" in url for url in asked)


async def test_refusals_are_told_in_the_readers_language(operator: Portal) -> None:
    page = operator.page
    await page.evaluate("localStorage.setItem('moonwire.language', 'zh')")
    await operator.open("/account/llm-services/new")
    await page.get_by_label("API 密钥", exact=True).fill("sk-nobody")
    await page.get_by_label("Base URL").fill("http://10.1.2.3/v1")
    await page.get_by_role("button", name="测试", exact=True).click()
    await page.locator(".field .error", has_text="10.1.2.3 是内网地址").wait_for()
    await page.get_by_label("Base URL").fill(operator.fleet.moonshot_url)
    assert (await press_test(operator, "测试"))[2] == "failed"
    told = await page.locator("[data-stage=key]").inner_text()
    assert "密钥被拒绝" in told
    assert "refused" not in told.split("供应商的原话")[0]
