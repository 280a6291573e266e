"""A running server with the sandbox's vendors, and Chromium in front of its portal."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from argon2 import PasswordHasher
from playwright.async_api import Browser, Page, async_playwright

from moonwire.api.portal import ASSETS
from moonwire.app import Server, dial, running_server
from moonwire.sandbox.caller import CallerReport, HangUp, Say, WaitForSilence, WaitForSpeech, prepare
from moonwire.sandbox.fleet import SandboxFleet
from moonwire.settings import Settings
from moonwire.store import users

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE = Path(__file__).parents[3] / "portal/node_modules/axe-core/axe.min.js"
PASSWORD = "a password of one's own"


@dataclass
class Portal:
    """The server, its address, and what the browser complained about."""

    server: Server
    fleet: SandboxFleet
    page: Page
    url: str
    complaints: list[str]
    http: aiohttp.ClientSession

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """Use the REST API with the browser's session."""
        answer = await self.page.evaluate(_ASK, [method, f"/v1{path}", body])
        assert answer["status"] < 300, answer
        return answer["body"]

    async def call(self, number: str = "1000", *, goes_well: bool = True) -> CallerReport:
        """Call a number over SIP, say something, hear the answer begin and hang up."""
        steps = (WaitForSilence(), Say("Hello, what are your opening hours?"), WaitForSpeech(), HangUp())
        report = await dial(f"sip:{number}@127.0.0.1:{self.server.sip.local_port}", await prepare(steps))
        await self.server.engine.wait_idle()
        assert report.ok is goes_well, report.problems
        return report

    async def remove_services(self) -> None:
        """Forget what a test has stored of language models and speech."""
        (account,) = await self.ask("GET", "/Accounts")
        for kind, sid in (("LlmCredentials", "llm_credential_sid"), ("SpeechCredentials", "speech_credential_sid")):
            base = f"/Accounts/{account['account_sid']}/{kind}"
            for row in await self.ask("GET", base):
                await self.ask("DELETE", f"{base}/{row[sid]}")

    async def settled(self) -> None:
        """Wait until nothing is being loaded and nothing moves."""
        await self.page.wait_for_load_state("networkidle")
        await self.page.locator(".loading").wait_for(state="detached")

    async def open(self, path: str) -> None:
        """Go to a screen and wait for its heading."""
        await self.page.goto(f"{self.url}{path}")
        await self.page.locator("h1").wait_for()

    async def tab_to(self, name: str, role: str = "") -> None:
        """Press Tab until the named element has the focus, as somebody without a mouse does."""
        for _ in range(60):
            await self.page.keyboard.press("Tab")
            if await self.page.evaluate(_FOCUSED, [name, role]):
                return
        raise AssertionError(f"{name} cannot be reached with the keyboard")

    async def violations(self) -> list[str]:
        """Return what axe finds on the screen (WCAG 2.2 A and AA and best practices)."""
        await self.page.evaluate(AXE.read_text(encoding="utf-8"))
        return await self.page.evaluate(
            "async () => (await axe.run()).violations.flatMap("
            "(one) => one.nodes.map((node) => `${one.id}: ${node.html} ${node.failureSummary}`))"
        )


_ASK = """async ([method, path, body]) => {
  const answer = await fetch(path, {
    method,
    headers: { "X-Moonwire-Portal": "1", "Content-Type": "application/json" },
    body: body === null ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : null };
}"""

_FOCUSED = """([name, role]) => {
  const here = document.activeElement;
  if (!here || here === document.body) return false;
  const names = [here.getAttribute("aria-label"), here.labels?.[0]?.innerText, here.innerText].filter(Boolean);
  const isIt = (one) => one === name || one.startsWith(name + " ") || one.startsWith(name + "\\n");
  return names.some((one) => isIt(one.trim())) && (!role || here.tagName.toLowerCase() === role || here.type === role);
}"""


@contextlib.asynccontextmanager
async def chromium() -> AsyncGenerator[Browser]:
    """Start the browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


@contextlib.asynccontextmanager
async def running_portal(data_dir: Path) -> AsyncGenerator[Portal]:
    """Start everything; nobody has logged in yet."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium")
    if not (ASSETS / "index.html").is_file():
        pytest.skip("the portal has not been built (make portal)")
    settings = Settings(data_dir=data_dir, http_port=0, sip_host="127.0.0.1", sip_port=0, sandbox="on")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(users, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        async with running_server(settings) as server, chromium() as browser, aiohttp.ClientSession() as http:
            assert server.sandbox is not None
            context = await browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
            page = await context.new_page()
            page.set_default_timeout(10_000)
            url = f"http://127.0.0.1:{server.http_port}"
            complaints: list[str] = []
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
            page.on(
                "request", lambda sent: None if sent.url.startswith((url, "blob:")) else complaints.append(sent.url)
            )
            yield Portal(server, server.sandbox, page, url, complaints, http)
            assert not complaints, "page errors, refused content or requests to other hosts"


async def log_in_first(portal: Portal) -> None:
    """Log in for the first time and choose a password."""
    one_time = portal.server.store.one_time_password
    assert one_time
    page = portal.page
    await portal.open("/")
    await page.get_by_label("Password").fill(one_time)
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="Choose a password").wait_for()
    await page.get_by_label("Current password").fill(one_time)
    await page.get_by_label("New password", exact=True).fill(PASSWORD)
    await page.get_by_label("New password again").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="Overview").wait_for()


@pytest.fixture
async def portal(tmp_path: Path) -> AsyncGenerator[Portal]:
    """Return a portal of one test's own, before the first login."""
    async with running_portal(tmp_path) as running:
        yield running


@pytest.fixture
async def operator(portal: Portal) -> Portal:
    """Return a portal of one test's own, logged in."""
    await log_in_first(portal)
    return portal


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_operator(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Portal]:
    """Return a portal that all tests of a module share, logged in; their mark is `asyncio(loop_scope="module")`."""
    async with running_portal(tmp_path_factory.mktemp("portal")) as running:
        await log_in_first(running)
        yield running
