"""Every route of the API needs its account: what one tenant owns does not exist for another, or for a stranger."""

from __future__ import annotations

from typing import Any

from .rest import CALL_SID, Rest, Tenant

HOOK = "wss://app.example.com/"
OPEN = {("/v1/login", "post")}


async def belongings(alice: Tenant) -> dict[str, str]:
    account = alice.account_sid
    carrier = await alice.make("/VoipCarriers", {"name": "c"})
    await alice.ask("POST", "/Users", {"name": "ann", "initial_password": "long enough"})
    _, users = await alice.ask("GET", "/Users")
    return {
        "/v1/Applications": await alice.make("/Applications", {"name": "a", "call_hook": HOOK}),
        "/v1/VoipCarriers": carrier,
        "/v1/SipGateways": await alice.make("/SipGateways", {"voip_carrier_sid": carrier, "ipv4": "203.0.113.1"}),
        "/v1/PhoneNumbers": await alice.make("/PhoneNumbers", {"number": "1"}),
        "/v1/ApiKeys": await alice.make("/ApiKeys", {}),
        "/v1/Users": users[0]["user_sid"],
        "LlmCredentials": await alice.make(f"/Accounts/{account}/LlmCredentials", {"vendor": "m", "api_key": "k"}),
        "SpeechCredentials": await alice.make(
            f"/Accounts/{account}/SpeechCredentials", {"vendor": "d", "api_key": "k"}
        ),
    }


def operations(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(path, method) for path, methods in document["paths"].items() for method in methods]


def filled(path: str, owned: dict[str, str], account_sid: str) -> str:
    """Put sids into a path; a new kind of record must be among the belongings to be looked at."""
    sid = next((sid for part, sid in owned.items() if part in path), None)
    assert sid is not None or "{sid}" not in path, f"add something for {path} to belongings()"
    path = (
        path.replace("{account_sid}", account_sid)
        .replace("{call_sid}", CALL_SID)
        .replace("{alert_id}", "1")
        .replace("{sid}", sid or "")
    )
    return path.removeprefix("/v1")


async def test_every_route_needs_a_caller(rest: Rest) -> None:
    owned = await belongings(rest.alice)
    for path, method in operations(rest.app.openapi()):
        if (path, method) not in OPEN:
            answer = await rest.stranger.ask(method.upper(), filled(path, owned, rest.alice.account_sid), {})
            assert answer == (401, "Unauthorized"), (method, path)


async def test_nothing_of_one_tenant_exists_for_another(rest: Rest) -> None:
    owned = await belongings(rest.alice)
    before = await _everything(rest.alice)
    query = {"page": "1", "count": "10", "url": HOOK}
    call = {"from": "1", "to": {"type": "sip", "sipUri": "sip:a@b.example"}, "app_json": '[{"verb": "hangup"}]'}
    bodies = {"put": {"name": "stolen", "label": "stolen"}, "post": {"name": "stolen", "vendor": "stolen", **call}}
    hers = {rest.alice.account_sid, *owned.values()}
    for path, method in operations(rest.app.openapi()):
        if "{" not in path:
            if method == "get":
                answer = await rest.bob.ask("GET", path.removeprefix("/v1"), **query)
                assert not [sid for sid in hers if sid in str(answer)], path
            continue
        status, answer = await rest.bob.ask(
            method.upper(), filled(path, owned, rest.alice.account_sid), bodies.get(method), **query
        )
        assert status in (403, 404), (method, path, status, answer)
    assert await _everything(rest.alice) == before
    own = f"/Accounts/{rest.bob.account_sid}/Calls"
    assert await rest.bob.ask("GET", own) == (200, [])
    for method, body in (("GET", None), ("PUT", {"call_status": "completed"}), ("DELETE", None)):
        assert (await rest.bob.ask(method, f"{own}/{CALL_SID}", body))[0] == 404, method
    assert rest.live.commands == []
    assert rest.live.placed == []


async def test_nothing_can_be_made_in_or_tied_to_another_account(rest: Rest) -> None:
    owned = await belongings(rest.alice)
    bob = rest.bob
    foreign = {"account_sid": rest.alice.account_sid}
    for path, body in (
        ("/Applications", {"name": "x", "call_hook": HOOK}),
        ("/PhoneNumbers", {"number": "2"}),
        ("/VoipCarriers", {"name": "x"}),
        ("/ApiKeys", {}),
        ("/Users", {"name": "x", "initial_password": "long enough"}),
    ):
        assert (await bob.ask("POST", path, body | foreign))[0] == 403, path
    for path, body in (
        ("/PhoneNumbers", {"number": "2", "application_sid": owned["/v1/Applications"]}),
        ("/PhoneNumbers", {"number": "2", "voip_carrier_sid": owned["/v1/VoipCarriers"]}),
        ("/VoipCarriers", {"name": "x", "application_sid": owned["/v1/Applications"]}),
        ("/SipGateways", {"voip_carrier_sid": owned["/v1/VoipCarriers"], "ipv4": "203.0.113.1"}),
    ):
        assert (await bob.ask("POST", path, body))[0] == 400, path
    mine = await bob.make("/Applications", {"name": "x", "call_hook": HOOK})
    assert (await bob.ask("PUT", f"/Applications/{mine}", foreign))[0] == 400
    for path in ("/Applications", "/PhoneNumbers", "/VoipCarriers", "/SipGateways", "/Users"):
        _, rows = await bob.ask("GET", path)
        assert [row for row in rows if rest.alice.account_sid in str(row)] == []


async def _everything(tenant: Tenant) -> list[Any]:
    account = f"/Accounts/{tenant.account_sid}"
    paths = ("/Applications", "/VoipCarriers", "/SipGateways", "/PhoneNumbers", "/Users", account)
    return [(await tenant.ask("GET", path))[1] for path in (*paths, f"{account}/LlmCredentials")]
