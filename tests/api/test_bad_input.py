"""Bodies that no form would send: each is refused with a sentence, and nothing is saved by halves."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any

import pytest

from moonwire.api.body_size import MOST_BYTES

from .rest import Rest

HOOK = "wss://app.example.com/agent"


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


WRONG: list[tuple[str, str, Any, str]] = [
    ("PUT", "/Accounts/{account}", {"registration_hook": {"n": 1e999}}, "registration_hook"),
    ("PUT", "/Accounts/{account}", {"registration_hook": "https://10.0.0.1/"}, "registration_hook"),
    ("POST", "/Applications", {"name": "a", "call_hook": HOOK, "speech_synthesis_voice": {"n": 1e999}}, "voice"),
    ("POST", "/Applications", {"name": "a", "call_hook": HOOK, "speech_synthesis_voice": nested(900)}, "voice"),
    ("POST", "/Applications", {"name": "a", "call_hook": HOOK, "env_vars": {"t": "x" * 200_001}}, "env_vars"),
    ("POST", "/Applications", {"name": "a", "app_json": "[" * 5000}, "app_json"),
    ("POST", "/Applications", {"name": "a", "app_json": [{"verb": "say", "x": nested(200)}]}, "app_json"),
    ("POST", "/Applications", {"name": " \u00a0\t", "call_hook": HOOK}, "name"),
    ("POST", "/Applications", {"name": "a" * 256, "call_hook": HOOK}, "name"),
    ("POST", "/Applications", {"name": "a", "call_hook": HOOK, "llm": {"vendor": "v" * 65, "model": "m"}}, "llm"),
    ("POST", "/Accounts/{account}/LlmCredentials", {"vendor": "v" * 65, "api_key": "k"}, "vendor"),
    ("POST", "/Accounts/{account}/LlmCredentials", {"vendor": "m", "label": "l" * 256, "api_key": "k"}, "label"),
    ("POST", "/Accounts/{account}/SpeechCredentials", {"vendor": "m", "options": {"n": -1e999}}, "options"),
    ("POST", "/PhoneNumbers", {"number": "1" * 133}, "number"),
    ("POST", "/PhoneNumbers", {"number": 16175551212}, "number"),
    ("POST", "/Users", {"name": "x", "initial_password": "short"}, "initial_password"),
    ("POST", "/ApiKeys", {"expiry_secs": 1e30}, "expiry_secs"),
    ("POST", "/ApiKeys", {"expiry_secs": "soon"}, "expiry_secs"),
]


async def test_wrong_members_are_named_and_nothing_is_saved(rest: Rest) -> None:
    alice = rest.alice
    before = (await alice.ask("GET", f"/Accounts/{alice.account_sid}"))[1]
    for method, path, body, member in WRONG:
        status, answer = await alice.ask(method, path.format(account=alice.account_sid), body)
        assert (status, member in answer["msg"]) == (400, True), (path, str(body)[:80], answer)
        assert set(answer) == {"msg", "code"}
    assert (await alice.ask("GET", f"/Accounts/{alice.account_sid}"))[1] == before
    for path in ("/Applications", "/PhoneNumbers", f"/Accounts/{alice.account_sid}/LlmCredentials"):
        assert (await alice.ask("GET", path))[1] == []


async def test_texts_of_every_script_come_back(rest: Rest) -> None:
    name = "Zoë 名前 🦊 ‮rtl‬ 'quoted\" \\ %_"
    sid = await rest.alice.make(
        "/Applications", {"name": f"\u00a0{name} ", "call_hook": HOOK, "env_vars": {"名": name}}
    )
    _, shown = await rest.alice.ask("GET", f"/Applications/{sid}")
    assert (shown["name"], shown["env_vars"]) == (name, {"名": name})
    assert len((await rest.alice.ask("GET", "/Applications", name="名前"))[1]) == 1
    status, taken = await rest.alice.ask("POST", "/Applications", {"name": name, "call_hook": HOOK})
    assert (status, taken["code"]) == (422, "conflict")


async def test_a_sid_is_the_same_in_capitals(rest: Rest) -> None:
    account = rest.alice.account_sid.upper()
    body = {"name": "a", "call_hook": HOOK, "account_sid": account}
    sid = await rest.alice.make("/Applications", body)
    assert (await rest.alice.ask("GET", f"/Applications/{sid.upper()}"))[1]["account_sid"] == rest.alice.account_sid
    assert len((await rest.alice.ask("GET", f"/Accounts/{account}/Applications"))[1]) == 1
    credential = await rest.admin.make(f"/Accounts/{account}/LlmCredentials", {"vendor": "m", "api_key": "k"})
    assert (await rest.alice.ask("GET", f"/Accounts/{account}/LlmCredentials/{credential.upper()}"))[0] == 200


async def test_the_primary_key_is_immutable(rest: Rest) -> None:
    sid = await rest.alice.make("/Applications", {"name": "a", "call_hook": HOOK})
    status, answer = await rest.alice.ask("PUT", f"/Applications/{sid}", {"application_sid": sid, "name": "b"})
    assert (status, "primary key application_sid is immutable" in answer["msg"]) == (400, True)
    assert (await rest.alice.ask("GET", f"/Applications/{sid}"))[1]["name"] == "a"


async def test_an_account_that_is_not_there_is_not_found(rest: Rest) -> None:
    nobody = "/Accounts/1f35a9a1-8e5e-451a-94be-04bb7b999b25"
    for path in ("/LlmCredentials", "/SpeechCredentials", "/Applications", "/RecentCalls?page=1&count=5", "/Calls"):
        assert (await rest.admin.ask("GET", nobody + path))[0] == 404, path


async def test_a_user_cannot_take_the_login_of_another(rest: Rest) -> None:
    ann = {"name": "ann", "email": "ann@example.com", "initial_password": "long enough"}
    assert await rest.alice.ask("POST", "/Users", ann) == (204, None)
    for body in ({"name": "ann@example.com"}, {"name": "eve", "email": "ann@example.com"}, {"name": "ann"}):
        status, answer = await rest.bob.ask("POST", "/Users", body | {"initial_password": "long enough"})
        assert (status, answer["code"]) == (422, "conflict"), answer


@pytest.mark.parametrize("is_announced", [True, False])
async def test_a_huge_body_is_not_read(rest: Rest, is_announced: bool) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * (MOST_BYTES // 16)

    headers = {"Authorization": f"Bearer {rest.alice.token}", "Content-Type": "application/json"}
    body = io.BytesIO(b" " * (2 * MOST_BYTES)) if is_announced else pieces()
    async with rest.alice.session.post("/v1/Applications", data=body, headers=headers) as answer:
        assert (answer.status, await answer.json()) == (
            413,
            {"msg": "The body is larger than 1024 KiB.", "code": "too-large"},
        )


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b"name=a"),
        ("text/plain", b'{"name": "a"}'),
        ("application/json", b'{"name": '),
        ("application/json", b"\xff\xfe"),
        ("application/json", b"[" * 100_000),
        ("multipart/form-data", b"--x"),
    ],
)
async def test_what_is_no_json_is_refused(rest: Rest, content_type: str, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {rest.alice.token}", "Content-Type": content_type}
    async with rest.alice.session.post("/v1/Applications", data=body, headers=headers) as answer:
        assert (answer.status, set(await answer.json())) == (400, {"msg", "code"})
