from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from moonwire.core.hosts import HostPolicy
from moonwire.vendors.address_guard import AddressGuard, PrivateAddressError
from moonwire.vendors.reach import trouble_of


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async def hello(request: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.router.add_get("/", hello)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


async def ask(guard: AddressGuard, url: str) -> str:
    async with aiohttp.ClientSession(connector=guard.connector()) as session, session.get(url) as answer:
        return await answer.text()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_the_address_decides_not_the_name(port: int, host: str) -> None:
    with pytest.raises(aiohttp.ClientConnectorError) as caught:
        await ask(AddressGuard(HostPolicy()), f"http://{host}:{port}/")
    assert isinstance(caught.value.os_error, PrivateAddressError)
    assert trouble_of(caught.value, host).code == "private-address"


@pytest.mark.parametrize(
    ("host", "permitted"), [("127.0.0.1", "127.0.0.0/8"), ("localhost", "127.0.0.0/8"), ("localhost", "localhost")]
)
async def test_what_the_operator_permits_is_reached(port: int, host: str, permitted: str) -> None:
    guard = AddressGuard(HostPolicy([permitted, "::1"]))
    assert guard.allows_url(f"http://{host}:{port}/") == (host != "localhost" or permitted == "localhost")
    assert await ask(guard, f"http://{host}:{port}/") == "hello"


async def test_a_permitted_name_opens_no_other_name() -> None:
    guard = AddressGuard(HostPolicy(["vllm.internal"]))
    assert guard.permitted("vllm.internal", ["10.0.0.7"]) == ["10.0.0.7"]
    assert guard.permitted("evil.example.com", ["10.0.0.7", "93.184.216.34"]) == ["93.184.216.34"]
