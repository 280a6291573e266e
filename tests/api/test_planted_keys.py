"""A key planted in every secret field of every resource comes back nowhere: no answer, export, log line or error."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.databases import make_settings

from moonwire.store.configuration import parse_configuration
from moonwire.store.declared import CARRIER_SECRETS, SECRET_MEMBERS
from moonwire.store.store import Store
from moonwire.store.tables import AccountRow

from .rest import Rest, Tenant
from .test_tenants import filled, operations

HOOKS = {
    "call_hook": {"url": "https://user:planted-in-url@app.example.com/", "method": "POST"},
    "call_status_hook": {"url": "https://app.example.com/s", "username": "u", "password": "planted-status-hook"},
    "messaging_hook": {"url": "https://app.example.com/m", "username": "u", "password": "planted-message-hook"},
}
ENV_VARS = {"API_KEY": "planted-env", "OTHER": "sk-planted-looks", "SECRET_OBJECT": {"deep": "planted-deep"}}


def planted(names: Any) -> dict[str, str]:
    return {name: f"planted-{name}-0123456789" for name in names}


async def plant(alice: Tenant) -> dict[str, str]:
    """Fill every secret member there is; returns what GET needs to find it again."""
    account = f"/Accounts/{alice.account_sid}"
    hook = {"url": "https://x:planted-account-hook@app.example.com/"}
    assert (await alice.ask("PUT", account, {"registration_hook": hook, "queue_event_hook": hook}))[0] == 204
    carrier = await alice.make("/VoipCarriers", {"name": "c", "carrier_type": "twilio"} | planted(CARRIER_SECRETS))
    vendor = {"vendor": "moonshot"} | planted(SECRET_MEMBERS)
    user = {"name": "ann", "email": "ann@example.com", "initial_password": "planted-password"}
    assert (await alice.ask("POST", "/Users", user))[0] == 204
    return {
        "/v1/Applications": await alice.make("/Applications", {"name": "a", "env_vars": ENV_VARS} | HOOKS),
        "/v1/VoipCarriers": carrier,
        "/v1/SipGateways": await alice.make("/SipGateways", {"voip_carrier_sid": carrier, "ipv4": "203.0.113.1"}),
        "/v1/PhoneNumbers": await alice.make("/PhoneNumbers", {"number": "1"}),
        "/v1/ApiKeys": await alice.make("/ApiKeys", {}),
        "/v1/Users": (await alice.ask("GET", "/Users"))[1][0]["user_sid"],
        "LlmCredentials": await alice.make(f"{account}/LlmCredentials", vendor),
        "SpeechCredentials": await alice.make(f"{account}/SpeechCredentials", vendor),
    }


async def test_no_answer_log_line_or_export_holds_a_planted_key(rest: Rest, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs() as lines:
        owned = await plant(rest.alice)
        query = {"page": "1", "count": "100", "url": "https://app.example.com/"}
        seen = 0
        for tenant in (rest.alice, rest.admin):
            for path, method in operations(rest.app.openapi()):
                if method == "get" and "WebhookSecret" not in path:
                    answer = await tenant.ask("GET", filled(path, owned, rest.alice.account_sid), **query)
                    assert "planted" not in json.dumps(answer), path
                    seen += answer[0] == 200
        assert seen > 40
        async with rest.store.transaction() as session:
            account = await session.get_one(AccountRow, rest.alice.account_sid)
            (await session.get_one(AccountRow, rest.store.directory.default_account_sid)).is_default = False
            account.is_default = True
        for placeholders in (False, True):
            text = await rest.store.export(placeholders=placeholders)
            assert "moonshot" in text
            assert "planted" not in text
    assert "planted" not in str(lines) + caplog.text


async def test_no_error_holds_a_planted_key(rest: Rest) -> None:
    alice, account = rest.alice, f"/Accounts/{rest.alice.account_sid}"
    secrets = planted(SECRET_MEMBERS)
    wrong: list[tuple[str, str, Any]] = [
        ("POST", f"{account}/{kind}{test}", {"vendor": "m"} | secrets | {name: [secret]})
        for kind in ("LlmCredentials", "SpeechCredentials")
        for test in ("", "/test")
        for name, secret in secrets.items()
    ]
    wrong += [("POST", f"{account}/LlmCredentials", secrets)]
    wrong += [("POST", "/VoipCarriers", {"name": 5} | {name: {"a": "planted"}}) for name in CARRIER_SECRETS]
    wrong += [
        ("POST", "/Applications", {"name": "a", name: {**hook, "url": "planted"}}) for name, hook in HOOKS.items()
    ]
    wrong += [("POST", "/Applications", {"name": "a", "env_vars": ENV_VARS})]
    wrong += [("POST", "/Users", {"name": "a", "initial_password": ["planted"]})]
    wrong += [("POST", "/login", {"username": "planted", "password": {"a": "planted"}})]
    wrong += [("POST", "/login", {"username": "nobody", "password": "planted"})]
    refused = 0
    for method, path, body in wrong:
        status, answer = await alice.ask(method, path, body)
        assert "planted" not in str(answer), path
        refused += 400 <= status < 500
    assert refused > len(wrong) - 5, "an unknown member is no mistake"


async def test_a_password_in_a_hooks_address_becomes_a_secret(rest: Rest) -> None:
    owned = await plant(rest.alice)
    record = rest.store.directory.application(owned["/v1/Applications"])
    assert record is not None
    assert record.call_hook is not None
    hook = record.call_hook
    assert (hook.url, hook.username, hook.password) == ("https://app.example.com/", "user", "planted-in-url")
    path = f"/Accounts/{rest.alice.account_sid}/LlmCredentials"
    body = {"vendor": "m", "label": "x", "base_url": "https://user:planted@api.example.com/v1"}
    status, refused = await rest.alice.ask("POST", path, body)
    assert (status, refused["msg"].startswith("base_url: must not hold a user name")) == (400, True)


async def test_variables_that_an_application_declares_obscure_are_not_shown(rest: Rest) -> None:
    body = {
        "name": "a",
        "call_hook": "ws://127.0.0.1:3000/env",
        "env_vars": {"LLM_MODEL": "openai:gpt-4o", "PIN": "1234"},
    }
    sid = await rest.alice.make("/Applications", body)
    _, shown = await rest.alice.ask("GET", f"/Applications/{sid}")
    assert (shown["env_vars"], shown["secret_env_vars"]) == ({"LLM_MODEL": "openai:gpt-4o"}, ["PIN"])
    assert (await rest.alice.ask("PUT", f"/Applications/{sid}", {"env_vars": {"LLM_MODEL": "x"}}))[0] == 204
    record = rest.store.directory.application(sid)
    assert record is not None
    assert record.env_vars == {"LLM_MODEL": "x", "PIN": "1234"}, "left out, it stays"


async def test_what_rest_has_written_can_be_exported_and_applied_elsewhere(rest: Rest, tmp_path: Path) -> None:
    await plant(rest.alice)
    async with rest.store.transaction() as session:
        (await session.get_one(AccountRow, rest.store.directory.default_account_sid)).is_default = False
        (await session.get_one(AccountRow, rest.alice.account_sid)).is_default = True
    text = await rest.store.export()
    elsewhere = await Store.open(make_settings(tmp_path / "elsewhere"))
    await elsewhere.apply(parse_configuration(text, {}))
    assert await elsewhere.export() == text
    placeholders = await rest.store.export(placeholders=True)
    names = re.findall(r"\$\{(\w+)\}", placeholders)
    await elsewhere.apply(parse_configuration(placeholders, {name: f"value of {name}" for name in names}))
    await elsewhere.close()
