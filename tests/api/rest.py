"""A REST server on an empty SQLite store, with two tenants and an administrator."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from fastapi import FastAPI
from pydantic import SecretStr

from moonwire.api.application import create_api
from moonwire.api.health import HealthSources
from moonwire.api.services import ApiServices, CredentialTest
from moonwire.core.hosts import LOOPBACK, HostPolicy
from moonwire.observe.event_log import FileEventLogs
from moonwire.ports.directory import VendorCredential
from moonwire.settings import Settings
from moonwire.store.administration import StoreAdministration
from moonwire.store.store import Store


class ProcessClock:
    def monotonic_s(self) -> float:
        return time.monotonic()

    def utc_s(self) -> float:
        return time.time()


@dataclass
class Tenant:
    """One caller of the API."""

    session: aiohttp.ClientSession
    token: str
    account_sid: str = ""

    async def ask(self, method: str, path: str, body: Any = None, **query: str) -> tuple[int, Any]:
        """Send a request; returns status and decoded body (None when empty, text when not JSON)."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with self.session.request(method, f"/v1{path}", json=body, params=query, headers=headers) as answer:
            if answer.content_type == "application/json":
                return answer.status, await answer.json()
            return answer.status, (await answer.text()) or None

    async def make(self, path: str, body: Any) -> str:
        """Create something and return its sid."""
        status, made = await self.ask("POST", path, body)
        assert status == 201, made
        return made["sid"]


@dataclass
class Rest:
    """The server and who talks to it."""

    app: FastAPI
    store: Store
    logs: FileEventLogs
    admin: Tenant
    alice: Tenant
    bob: Tenant
    stranger: Tenant
    tested: list[VendorCredential]


@contextlib.asynccontextmanager
async def opened(serve: Any, data_dir: Path) -> AsyncGenerator[Rest]:
    settings = Settings(_env_file=None, data_dir=data_dir, admin_password=SecretStr("first password"))  # pyright: ignore[reportCallIssue]
    store = await Store.open(settings)
    logs = FileEventLogs(data_dir)
    tested: list[VendorCredential] = []

    async def test(credential: VendorCredential) -> CredentialTest:
        tested.append(credential)
        ok = credential.api_key != "sk-wrong-key-0000"
        return CredentialTest(ok, "" if ok else "The key is wrong.", {"stages": []})

    async def models(_credential: VendorCredential) -> list[dict[str, Any]]:
        return [{"id": "kimi-k2.6", "displayName": "Kimi K2.6"}]

    async def app_env(url: str) -> dict[str, Any] | None:
        return {"LLM_MODEL": {"type": "string", "description": "d"}} if "env" in url else None

    services = ApiServices(
        StoreAdministration(store),
        logs,
        ProcessClock(),
        HostPolicy(LOOPBACK),
        llm_manifests=lambda: [{"vendor": "moonshot"}],
        test_llm=test,
        test_speech=test,
        list_models=models,
        probe_app_env=app_env,
    )

    async def ready() -> bool:
        return True

    app = create_api(HealthSources({"database": ready}, lambda: (b"", "text/plain")), services)
    try:
        async with serve(app) as session:
            admin = Tenant(session, await _admin_token(session))
            alice, bob = [await _tenant(admin, name) for name in ("alice", "bob")]
            yield Rest(app, store, logs, admin, alice, bob, Tenant(session, ""), tested)
    finally:
        await store.close()
        logs.close()


async def _admin_token(session: aiohttp.ClientSession) -> str:
    status, answer = await Tenant(session, "").ask(
        "POST", "/login", {"username": "admin", "password": "first password"}
    )
    assert status == 200, answer
    return answer["token"]


async def _tenant(admin: Tenant, name: str) -> Tenant:
    account_sid = await admin.make("/Accounts", {"name": name})
    status, key = await admin.ask("POST", "/ApiKeys", {"account_sid": account_sid, "name": name})
    assert status == 201
    return Tenant(admin.session, key["token"], account_sid)
