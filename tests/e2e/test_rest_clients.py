"""Foreign clients of our REST: jambonz's JambonzClient against live calls, schemathesis against the whole document."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr
from tests.apps.sdk_process import EXAMPLE, node_sdk
from tests.e2e.telephones import Answering, ringing

from moonwire.app import Server, dial, running_server
from moonwire.sandbox.caller import Pause, WaitForSilence, prepare
from moonwire.settings import Settings
from moonwire.store.configuration import parse_configuration

__all__ = ["node_sdk"]  # a fixture

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

OWNER_KEY = "11111111-2222-4333-8444-555555555555"
PASSWORD = "the first password"
SCRIPT = Path(__file__).with_name("rest_client.mjs")


@asynccontextmanager
async def serving(tmp_path: Path) -> AsyncGenerator[Server]:
    """Run a server that an owner of the default account may administer."""
    configuration = parse_configuration(f'api_keys: [{{name: owner, token: "{OWNER_KEY}"}}]', {})
    settings = Settings(
        data_dir=tmp_path,
        http_port=0,
        sip_host="127.0.0.1",
        sip_port=0,
        sandbox="on",
        admin_password=SecretStr(PASSWORD),
    )
    async with running_server(settings, configuration) as server:
        yield server


async def ask(server: Server, method: str, path: str, body: object = None, key: str = OWNER_KEY) -> Any:
    """Ask our REST."""
    async with (
        aiohttp.ClientSession() as http,
        http.request(
            method,
            f"http://127.0.0.1:{server.http_port}/v1{path}",
            json=body,
            headers={"Authorization": f"Bearer {key}"} if key else {},
        ) as answer,
    ):
        assert answer.status < 300, await answer.text()
        return await answer.json() if answer.content_type == "application/json" else None


async def run(*command: str, **environment: str) -> tuple[int, str]:
    """Run a program to its end."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **environment},
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def test_jambonz_client_sees_and_controls_a_live_call(tmp_path: Path, node_sdk: list[str]) -> None:
    people = {"ann": Answering((Pause(60),)), "bob": Answering((Pause(60),))}
    async with serving(tmp_path) as server, ringing(people) as telephones, asyncio.TaskGroup() as group:
        (account,) = await ask(server, "GET", "/Accounts")
        steps = await prepare((WaitForSilence(), Pause(60)))
        uri = f"sip:1000@127.0.0.1:{server.sip.local_port}"
        calling = group.create_task(dial(uri, steps))
        while not any(call["call_status"] == "in-progress" for call in await live_calls(server, account)):
            assert not calling.done()
        status, output = await run(
            *node_sdk,
            str(SCRIPT),
            f"http://127.0.0.1:{server.http_port}",
            account["account_sid"],
            OWNER_KEY,
            telephones.uri("ann"),
            telephones.uri("bob"),
            SDK_PACKAGE=str(EXAMPLE / "package.json"),
        )
        assert status == 0, output
        async with asyncio.timeout(20):
            report = await calling
    told = {line["step"]: line["value"] for line in map(json.loads, output.splitlines())}
    assert told["count"] == {"inbound": 1, "outbound": 0}
    assert told["list"] == 1
    assert told["get"] == {"status": "in-progress", "from": "moonwire-caller"}
    assert told["unknown"] is True
    assert told["create"] == "string", "the new call's sid"
    assert told["created"] == {"direction": "outbound", "to": True, "tag": {"order": 7}, "since": True}
    assert {"noiseIsolation", "whisper", "transfer", "delete"} <= told.keys()
    assert told["early whisper"] is True, "there is nobody to whisper to"
    assert told["refused"] is True
    assert [len(person.calls) for person in people.values()] == [1, 2]
    assert report.ended_by == "moonwire"


async def live_calls(server: Server, account: dict[str, Any]) -> list[dict[str, Any]]:
    """List the calls that are up."""
    calls: list[dict[str, Any]] = await ask(server, "GET", f"/Accounts/{account['account_sid']}/Calls")
    return calls


@pytest.mark.parametrize("who", ["owner", "second tenant"])
async def test_no_request_breaks_rest_or_its_document(who: str, tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        key = OWNER_KEY if who == "owner" else await second_tenant(server)
        status, output = await run(
            sys.executable,
            "-m",
            "schemathesis.cli",
            "run",
            f"http://127.0.0.1:{server.http_port}/v1/openapi.json",
            "-H",
            f"Authorization: Bearer {key}",
            *("--phases", "coverage,fuzzing", "-n", "5", "--max-time", "30", "--continue-on-failure"),
            *("--checks", "not_a_server_error,status_code_conformance,response_schema_conformance"),
            *("--warnings", "off", "--suppress-health-check", "all"),
        )
        assert status == 0, output[-4000:]
        (account,) = await ask(server, "GET", "/Accounts", key=key)
        assert account["name"] != "default" or who == "owner", "a tenant sees its own account only"


async def second_tenant(server: Server) -> str:
    """Make another account with a key of its own, as the administrator."""
    login = await ask(server, "POST", "/login", {"username": "admin", "password": PASSWORD}, key="")
    account = await ask(server, "POST", "/Accounts", {"name": "second"}, key=login["token"])
    key = await ask(server, "POST", "/ApiKeys", {"account_sid": account["sid"]}, key=login["token"])
    token: str = key["token"]
    return token
