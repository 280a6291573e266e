"""One client cannot take REST away from the others; behind a trusted proxy, clients are told apart."""

from __future__ import annotations

import dataclasses

import aiohttp
import pytest

from moonwire.api.application import serve_with

from .rest import Rest, Tenant

pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
LIMIT = 30


@pytest.fixture
def limited(rest: Rest) -> Rest:
    serve_with(rest.app, dataclasses.replace(rest.app.state.services, request_limit=LIMIT))
    return rest


async def ask(tenant: Tenant, address: str, token: str | None = None) -> aiohttp.ClientResponse:
    headers = {"X-Forwarded-For": address, "Authorization": f"Bearer {token or tenant.token}"}
    async with tenant.session.get("/v1/Accounts", headers=headers) as answer:
        await answer.read()
        return answer


async def test_a_client_that_asks_too_often_has_to_wait(limited: Rest) -> None:
    answers = [await ask(limited.alice, "203.0.113.1") for _ in range(LIMIT + 1)]
    assert [one.status for one in answers] == [200] * LIMIT + [429]
    assert answers[0].headers["X-RateLimit-Remaining"] == str(LIMIT - 1)
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 300 / LIMIT
    assert (await ask(limited.alice, "203.0.113.2")).status == 429, "the same key from elsewhere"
    assert (await ask(limited.bob, "203.0.113.1")).status == 200, "another key"


async def test_trying_tokens_counts_for_the_address(limited: Rest) -> None:
    for number in range(LIMIT):
        assert (await ask(limited.stranger, "203.0.113.1", f"guess {number}")).status == 401
    assert (await ask(limited.stranger, "203.0.113.1", "another")).status == 429
    assert (await ask(limited.stranger, "203.0.113.9", "another")).status == 401


async def test_programs_on_this_machine_are_not_limited(limited: Rest) -> None:
    for _ in range(LIMIT + 5):
        assert (await limited.alice.ask("GET", "/Accounts"))[0] == 200
