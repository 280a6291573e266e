"""Takes a picture of every screen of the portal, light and dark, English and Chinese, for people to look at.

    .venv/bin/python -m tools.portal_screenshots FOLDER [en-light en-dark zh-light zh-dark]

It starts a server with simulated vendors, fills an account, makes real calls (one of which fails) and needs Chromium.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.e2e.portal.conftest import Portal, log_in_first, running_portal
from tests.e2e.portal.screens import seed
from tests.e2e.portal.service_form import fill, press_test

from moonwire.sandbox.fleet import SANDBOX_CHINA_KEY, SANDBOX_KEY
from moonwire.sandbox.moonshot.faults import Fault

LOOKS = ("en-light", "en-dark", "zh-light", "zh-dark")


async def main(folder: Path, looks: Sequence[str]) -> None:
    """Take all pictures."""
    with tempfile.TemporaryDirectory() as data:
        async with running_portal(Path(data)) as portal:
            await _before_login(portal, folder)
            await log_in_first(portal)
            screens = await _lived_in(portal)
            for look in looks:
                await _dress(portal, look)
                for name, path in screens.items():
                    await portal.open(path)
                    await _picture(portal, folder, f"{name}.{look}")
                await _tests(portal, folder, look)
                await _dialogs(portal, folder, look)


async def _before_login(portal: Portal, folder: Path) -> None:
    for scheme in ("light", "dark"):
        await portal.page.emulate_media(color_scheme=scheme)
        await portal.open("/")
        await _picture(portal, folder, f"login.en-{scheme}")


async def _lived_in(portal: Portal) -> Mapping[str, str]:
    """Fill the account and use it: calls that go well, one that meets a vendor without money."""
    screens = dict(await seed(portal))
    (account,) = await portal.ask("GET", "/Accounts")
    base = f"/Accounts/{account['account_sid']}"
    for kind in ("LlmCredentials", "SpeechCredentials"):
        sid_name = "llm_credential_sid" if kind == "LlmCredentials" else "speech_credential_sid"
        for row in await portal.ask("GET", f"{base}/{kind}"):
            await portal.ask("PUT", f"{base}/{kind}/{row[sid_name]}", {"api_key": SANDBOX_KEY})
            await portal.ask("GET", f"{base}/{kind}/{row[sid_name]}/test")
    china = {
        "vendor": "moonshot",
        "label": "china",
        "api_key": SANDBOX_CHINA_KEY,
        "base_url": portal.fleet.moonshot_url,
    }
    made = await portal.ask("POST", f"{base}/LlmCredentials", china)
    await portal.ask("GET", f"{base}/LlmCredentials/{made['sid']}/test")
    voice = {"vendor": "cartesia", "api_key": SANDBOX_KEY, "base_url": portal.fleet.cartesia_url}
    await portal.ask("POST", f"{base}/SpeechCredentials", voice)
    await portal.call("16175551212")
    portal.fleet.moonshot.faults.add(Fault("quota"))
    await portal.call("16175551212", goes_well=False)
    portal.fleet.moonshot.faults.clear()
    calls = await portal.ask("GET", f"{base}/RecentCalls?page=1&count=10&days=1")
    return screens | {
        "call": f"/calls/{calls['data'][-1]['call_sid']}",
        "call-failed": f"/calls/{calls['data'][0]['call_sid']}",
    }


async def _dress(portal: Portal, look: str) -> None:
    language, _, scheme = look.partition("-")
    await portal.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    await portal.page.evaluate("(language) => localStorage.setItem('moonwire.language', language)", language)


async def _tests(portal: Portal, folder: Path, look: str) -> None:
    """The staged Test, in English, where its button has the name that is looked for."""
    if not look.startswith("en"):
        return
    await fill(portal)
    await press_test(portal)
    await _picture(portal, folder, f"llm-test-good.{look}")
    await fill(portal, key=SANDBOX_CHINA_KEY)
    await press_test(portal)
    await _picture(portal, folder, f"llm-test-region.{look}")
    await fill(portal, model="kimi-k2-0711-preview")
    await press_test(portal)
    await _picture(portal, folder, f"llm-test-retired.{look}")


async def _dialogs(portal: Portal, folder: Path, look: str) -> None:
    for name, path in (("users", "/account/users"), ("numbers", "/numbers"), ("api-keys", "/account/api-keys")):
        await portal.open(path)
        await portal.page.locator(".page-head .button.main").click()
        await portal.page.locator("dialog[open]").wait_for()
        await _picture(portal, folder, f"{name}-dialog.{look}")


async def _picture(portal: Portal, folder: Path, name: str) -> None:
    await portal.settled()
    height: int = await portal.page.evaluate("Math.max(800, document.documentElement.scrollHeight)")
    await portal.page.set_viewport_size({"width": 1280, "height": height})
    await portal.page.screenshot(path=folder / f"{name}.png")
    await portal.page.set_viewport_size({"width": 1280, "height": 800})


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print(__doc__)
        sys.exit(2)
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2:] or LOOKS))
