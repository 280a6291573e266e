"""A language-model service over REST: tested, moved to its region, called over SIP, and its health afterwards."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from argon2 import PasswordHasher
from pydantic import SecretStr

from moonwire.app import Server, dial, running_server
from moonwire.sandbox.caller import CallerReport, Say, conversation, prepare
from moonwire.sandbox.fleet import SANDBOX_CHINA_KEY, SandboxFleet
from moonwire.settings import Settings
from moonwire.store import users

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

PASSWORD = "a long enough password"


@dataclass
class Operator:
    """The server, its simulators and a logged-in administrator."""

    server: Server
    fleet: SandboxFleet
    http: aiohttp.ClientSession

    @property
    def services(self) -> str:
        return f"/Accounts/{self.server.store.directory.default_account_sid}/LlmCredentials"

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        async with self.http.request(method, f"/v1{path}", json=body) as answer:
            return answer.status, await answer.json() if answer.content_type == "application/json" else None

    async def call(self) -> CallerReport:
        steps = await prepare(conversation(Say("Hello, what are your opening hours?")))
        report = await dial(f"sip:1000@127.0.0.1:{self.server.sip.local_port}", steps)
        await self.server.engine.wait_idle()
        await self.server.store.alerts.flush()
        return report


@pytest.fixture
async def operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Operator]:
    monkeypatch.setattr(users, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    settings = Settings(
        data_dir=tmp_path,
        http_port=0,
        sip_host="127.0.0.1",
        sip_port=0,
        sandbox="on",
        admin_password=SecretStr(PASSWORD),
    )
    async with running_server(settings) as server:
        assert server.sandbox is not None
        url = f"http://127.0.0.1:{server.http_port}"
        login = {"username": "admin", "password": PASSWORD}
        async with aiohttp.ClientSession() as http, http.post(f"{url}/v1/login", json=login) as answer:
            token = (await answer.json())["token"]
        async with aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {token}"}) as http:
            yield Operator(server, server.sandbox, http)


async def test_a_key_finds_its_region_and_talks(operator: Operator) -> None:
    fleet = operator.fleet
    values = {"vendor": "moonshot", "api_key": SANDBOX_CHINA_KEY, "base_url": fleet.moonshot_url}
    status, report = await operator.ask("POST", f"{operator.services}/test", values)
    assert (status, report["status"], report["outcome"]) == (200, "fail", "failed")
    assert "platform.kimi.com" in report["reason"]
    assert report["check_other_region"] == {"region": "Sandbox (China)", "base_url": fleet.moonshot_china_url}
    assert {record.region for record in fleet.moonshot.requests} == {"global"}

    _, report = await operator.ask("POST", f"{operator.services}/test", values | {"region_check": True})
    stage = next(one for one in report["stages"] if one["status"] == "failed")
    assert (stage["code"], stage["suggested"]) == ("region", {"base_url": fleet.moonshot_china_url})

    values |= stage["suggested"]
    _, report = await operator.ask("POST", f"{operator.services}/test", values)
    assert (report["status"], report["outcome"]) == ("ok", "ok")
    assert sum(one["duration_ms"] for one in report["stages"] if one["name"] != "tools") < 1000
    status, made = await operator.ask("POST", operator.services, values)
    assert status == 201
    service = f"{operator.services}/{made['sid']}"
    assert (await operator.ask("GET", f"{service}/test"))[1]["status"] == "ok"
    models = {entry["id"]: entry["status"] for entry in (await operator.ask("GET", f"{service}/models"))[1]}
    assert (models["kimi-k2.6"], models["kimi-k2-0711-preview"]) == ("available", "retired")
    _, manifests = await operator.ask("GET", "/llm-vendors/manifest")
    form = next(one for one in manifests["vendors"] if one["vendor"] == "moonshot")["authKinds"][0]["fields"]
    choices = [one["label"] for one in next(field for field in form if field["name"] == "baseURL")["suggestions"]]
    assert choices == ["Global", "China", "Sandbox (Global)", "Sandbox (China)"]

    fleet.moonshot.requests.clear()
    assert (await operator.call()).ok
    assert {(record.region, record.key) for record in fleet.moonshot.chats} == {("china", SANDBOX_CHINA_KEY)}
    _, shown = await operator.ask("GET", service)
    assert shown["last_used_at"]
    assert shown["last_error"] is None


async def test_what_a_call_meets_is_told_to_the_operator(operator: Operator) -> None:
    values = {"vendor": "moonshot", "api_key": "sk-planted-0123456789", "base_url": operator.fleet.moonshot_url}
    _, made = await operator.ask("POST", operator.services, values)
    report = await operator.call()
    assert report.agent_speech, "the caller hears a sentence"
    _, shown = await operator.ask("GET", f"{operator.services}/{made['sid']}")
    assert "key was refused" in shown["last_error"]
    assert shown["last_error_at"]
    account = operator.server.store.directory.default_account_sid
    _, alerts = await operator.ask("GET", f"/Accounts/{account}/Alerts?page=1&count=25")
    alert = next(one for one in alerts["data"] if one["alert_type"] == "llm-failure")
    assert alert["call_sid"]
    assert "api.moonshot.cn" in alert["detail"]
    assert "planted" not in str((shown, alerts))


async def test_a_user_cannot_lead_the_server_into_private_networks(operator: Operator) -> None:
    for url in ("http://10.0.0.1/v1", "http://169.254.169.254/latest", "http://metadata/v1"):
        values = {"vendor": "moonshot", "api_key": "sk-x", "base_url": url}
        status, refused = await operator.ask("POST", f"{operator.services}/test", values)
        assert (status, refused["code"]) == (400, "private-address")


async def test_tests_are_paced(operator: Operator) -> None:
    values = {"vendor": "moonshot", "api_key": "", "base_url": operator.fleet.moonshot_url}
    statuses = [(await operator.ask("POST", f"{operator.services}/test", values))[0] for _ in range(24)]
    assert statuses[:20] == [200] * 20
    assert statuses[-1] == 429
