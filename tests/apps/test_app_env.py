"""Asking applications for their environment variables."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from moonwire.apps.app_env import AppEnvProbe
from moonwire.errors import HookError

SCHEMA = {"LLM_MODEL": {"type": "string", "description": "vendor:model", "default": "moonshot:kimi-k2.6"}}


@asynccontextmanager
async def answering(status: int, body: str) -> AsyncGenerator[str]:
    async def answer(request: web.Request) -> web.Response:
        assert request.headers["Accept"] == "application/json"
        return web.Response(status=status, text=body, content_type="application/json")

    app = web.Application()
    app.router.add_route("OPTIONS", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}/agent#rc=3"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("body", [json.dumps(SCHEMA), json.dumps({"env": SCHEMA})], ids=["node", "python"])
async def test_both_sdks_spellings_give_the_schema(body: str) -> None:
    async with answering(200, body) as url, aiohttp.ClientSession() as http:
        assert await AppEnvProbe(http, lambda _: True).ask(url) == SCHEMA


@pytest.mark.parametrize(("status", "body"), [(405, "no"), (200, ""), (200, "{}"), (204, "")])
async def test_an_application_without_variables_has_none(status: int, body: str) -> None:
    async with answering(status, body) as url, aiohttp.ClientSession() as http:
        assert await AppEnvProbe(http, lambda _: True).ask(url) is None


@pytest.mark.parametrize(
    "body",
    ["[1]", "not json", '{"A": 1}', '{"A": {"type": "list", "description": "x"}}', '{"A B": {"type": "string"}}'],
)
async def test_an_invalid_schema_is_named_so(body: str) -> None:
    async with answering(200, body) as url, aiohttp.ClientSession() as http:
        with pytest.raises(HookError, match="Invalid appenv schema"):
            await AppEnvProbe(http, lambda _: True).ask(url)


async def test_unreachable_and_forbidden_hosts_are_errors() -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(HookError, match="did not answer"):
            await AppEnvProbe(http, lambda _: True).ask("http://127.0.0.1:9/")
        with pytest.raises(HookError, match="MOONWIRE_PRIVATE_HOSTS"):
            await AppEnvProbe(http, lambda _: False).ask("http://127.0.0.1:9/")
