"""A REST server on an empty store, with two tenants and an administrator."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from fastapi import FastAPI
from tests.databases import PASSWORD

from moonwire.api.application import create_api, serve_with
from moonwire.api.health import HealthSources
from moonwire.api.services import ApiServices, CredentialTest
from moonwire.core.hosts import LOOPBACK, HostPolicy
from moonwire.errors import HookError
from moonwire.observe.event_log import FileEventLogs
from moonwire.ports.directory import VendorCredential
from moonwire.ports.live_calls import LiveCall, NewCall, PlacedCall
from moonwire.settings import Settings
from moonwire.spec.commands import Command
from moonwire.store.administration import StoreAdministration
from moonwire.store.store import Store


class ProcessClock:
    def monotonic_s(self) -> float:
        return time.monotonic()

    def utc_s(self) -> float:
        return time.time()


CALL_SID = "6f0b2a3c-1f5e-4c0e-9f57-0a3f5d1c2b4a"


@dataclass
class OneCall:
    """A process with one call that is up, for whoever owns it."""

    account_sid: str = ""
    commands: list[Command] = field(default_factory=list)
    placed: list[NewCall] = field(default_factory=list)

    def all(self) -> Sequence[LiveCall]:
        return [LiveCall(CALL_SID, self.account_sid, {"call_sid": CALL_SID, "direction": "inbound"})]

    def get(self, call_sid: str) -> LiveCall | None:
        return self.all()[0] if call_sid == CALL_SID else None

    async def place(self, call: NewCall) -> PlacedCall:
        self.placed.append(call)
        return PlacedCall(CALL_SID, "call-id")

    def execute(self, call_sid: str, command: Command) -> None:
        self.commands.append(command)


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
    live: OneCall


@contextlib.asynccontextmanager
async def opened(serve: Any, settings: Settings) -> AsyncGenerator[Rest]:
    store = await Store.open(settings)
    logs = FileEventLogs(settings.data_dir)
    tested: list[VendorCredential] = []
    live = OneCall()

    async def test(credential: VendorCredential, region_check: bool = False) -> CredentialTest:
        tested.append(credential)
        ok = credential.api_key != "sk-wrong-key-0000"
        times = {"time_to_first_token_ms": 431, "time_to_first_audio_ms": 122}
        return CredentialTest(ok, "" if ok else "The key is wrong.", {"stages": [], **times})

    async def models(_credential: VendorCredential) -> list[dict[str, Any]]:
        return [{"id": "kimi-k2.6", "displayName": "Kimi K2.6"}]

    async def app_env(url: str) -> dict[str, Any] | None:
        if "down" in url:
            raise HookError("down", url=url)
        model = {"type": "string", "description": "d", "required": True, "enum": ["openai:gpt-4o"]}
        pin = {"type": "string", "description": "d", "obscure": True}
        return {"LLM_MODEL": model, "N": {"type": "number", "description": "d"}, "PIN": pin} if "env" in url else None

    services = ApiServices(
        StoreAdministration(store),
        logs,
        ProcessClock(),
        HostPolicy(LOOPBACK),
        llm_manifests=lambda: [{"vendor": "moonshot"}],
        speech_manifests=lambda: [{"vendor": "deepgram", "uses": ["stt", "tts"]}],
        is_sandboxed=True,
        test_llm=test,
        test_speech=test,
        list_models=models,
        probe_app_env=app_env,
        live_calls=live,
    )

    app = _application()
    serve_with(app, services)
    try:
        async with serve(app) as session:
            admin = Tenant(session, await _admin_token(session))
            alice, bob = [await _tenant(admin, name) for name in ("alice", "bob")]
            live.account_sid = alice.account_sid
            yield Rest(app, store, logs, admin, alice, bob, Tenant(session, ""), tested, live)
    finally:
        await store.close()
        logs.close()


@functools.cache
def _application() -> FastAPI:
    """Make the routes once for all tests: that takes longer than most of them."""
    return create_api(HealthSources({}, lambda: (b"", "text/plain")), ApiServices(_NOBODY, _NOBODY, _NOBODY))


_NOBODY: Any = None


async def _admin_token(session: aiohttp.ClientSession) -> str:
    status, answer = await Tenant(session, "").ask("POST", "/login", {"username": "admin", "password": PASSWORD})
    assert status == 200, answer
    return answer["token"]


async def _tenant(admin: Tenant, name: str) -> Tenant:
    account_sid = await admin.make("/Accounts", {"name": name})
    status, key = await admin.ask("POST", "/ApiKeys", {"account_sid": account_sid, "name": name})
    assert status == 201
    return Tenant(admin.session, key["token"], account_sid)
