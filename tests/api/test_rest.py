"""The resources as jambonz clients use them."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from moonwire.api import long_list, wire
from moonwire.ports.directory import CallRecord, VendorCredential
from moonwire.store import users
from moonwire.store.configuration import parse_configuration

from .rest import Rest, Tenant

NOBODY = "1f35a9a1-8e5e-451a-94be-04bb7b999b25"
HOOK = "wss://app.example.com/agent"


async def test_application(rest: Rest) -> None:
    alice = rest.alice
    body = {
        "name": "kimi",
        "account_sid": alice.account_sid,
        "call_hook": {"url": HOOK, "method": "POST", "username": "u", "password": "planted"},
        "call_status_hook": "https://app.example.com/status",
        "env_vars": {"LLM_MODEL": "moonshot:kimi-k2.6", "API_KEY": "planted"},
        "speech_synthesis_vendor": "cartesia",
        "record_all_calls": 1,
        "something_else": [1],
    }
    sid = await alice.make("/Applications", body)
    status, shown = await alice.ask("GET", f"/Applications/{sid}")
    assert status == 200
    assert "planted" not in str(shown)
    assert (shown["application_sid"], shown["name"], shown["record_all_calls"]) == (sid, "kimi", 1)
    assert (shown["call_hook"]["url"], shown["call_hook"]["username"]) == (HOOK, "u")
    assert (shown["env_vars"], shown["secret_env_vars"]) == ({"LLM_MODEL": "moonshot:kimi-k2.6"}, ["API_KEY"])
    assert shown["created_at"].endswith("Z")

    changed = {"call_hook": {"url": HOOK, "username": "u"}, "env_vars": {"LLM_MODEL": "x"}, "name": "kimi two"}
    assert await alice.ask("PUT", f"/Applications/{sid}", changed) == (204, None)
    record = rest.store.directory.application(sid)
    assert record is not None
    assert record.call_hook is not None
    assert (record.name, record.call_hook.password) == ("kimi two", "planted")
    assert record.env_vars == {"LLM_MODEL": "x", "API_KEY": "planted"}
    await alice.ask("PUT", f"/Applications/{sid}", {"call_hook": {"url": HOOK + "/other", "username": "u"}})
    record = rest.store.directory.application(sid)
    assert record is not None
    assert record.call_hook is not None
    assert record.call_hook.password is None, "a password does not follow to another address"

    assert await alice.ask("DELETE", f"/Applications/{sid}") == (204, None)
    assert (await alice.ask("GET", f"/Applications/{sid}"))[0] == 404


async def test_lists_and_pages(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        await rest.alice.make("/Applications", {"name": f"app {number}", "call_hook": HOOK})
    status, rows = await rest.alice.ask("GET", "/Applications")
    assert (status, [row["name"] for row in rows]) == (200, ["app 0", "app 1", "app 2"])
    _, page = await rest.alice.ask("GET", "/Applications", page="2", page_size="2")
    assert (page["total"], page["page"], page["page_size"]) == (3, 2, 2)
    assert [row["name"] for row in page["data"]] == ["app 2"]
    path = f"/Accounts/{rest.alice.account_sid}/Applications"
    assert [row["name"] for row in (await rest.alice.ask("GET", path, name="P 1"))[1]] == ["app 1"]
    assert (await rest.alice.ask("GET", "/Applications", page="0"))[0] == 400
    monkeypatch.setattr(wire, "LONG", 2)
    monkeypatch.setattr(long_list, "_AT_ONCE", 2)
    assert await rest.alice.ask("GET", "/Applications") == (200, rows), "in pieces, the same"


async def test_number_carrier_and_gateway_admit_a_call(rest: Rest) -> None:
    alice = rest.alice
    application = await alice.make("/Applications", {"name": "a", "app_json": '[{"verb": "hangup"}]'})
    carrier = await alice.make("/VoipCarriers", {"name": "trunk", "token": "media-token"})
    gateway = await alice.make("/SipGateways", {"voip_carrier_sid": carrier, "ipv4": "203.0.113.0", "netmask": 24})
    body = {"number": "+16175551212", "voip_carrier_sid": carrier, "application_sid": application}
    number = await alice.make("/PhoneNumbers", body)
    directory = rest.store.directory
    assert directory.carrier_for_address("203.0.113.9") == "trunk"
    assert directory.carrier_for_token("media-token") == "trunk"
    found = directory.application_for_number("16175551212")
    assert found is not None
    assert found.sid == application

    _, shown = await alice.ask("GET", f"/PhoneNumbers/{number}")
    assert (shown["number"], shown["voip_carrier_sid"]) == ("16175551212", carrier)
    assert (await alice.ask("PUT", f"/PhoneNumbers/{number}", {"number": "1"}))[0] == 400
    assert (await alice.ask("PUT", f"/PhoneNumbers/{number}", {"application_sid": None}))[0] == 204
    assert directory.application_for_number("16175551212") is None
    status, taken = await alice.ask("POST", "/PhoneNumbers", {"number": "16175551212"})
    assert (status, taken["msg"]) == (422, "number: 16175551212 is already in use.")

    _, shown = await alice.ask("GET", "/SipGateways", voip_carrier_sid=carrier)
    assert (shown[0]["sip_gateway_sid"], shown[0]["inbound"], shown[0]["outbound"]) == (gateway, 1, 0)
    await alice.make("/SipGateways", {"voip_carrier_sid": carrier, "ipv4": "2001:db8::1"})
    assert directory.carrier_for_address("2001:db8::1") == "trunk"
    assert directory.carrier_for_address("2001:db8::2") is None, "without a netmask one address, not its /32"
    status, refused = await alice.ask("PUT", f"/SipGateways/{gateway}", {"netmask": 33})
    assert (status, refused["msg"]) == (400, "netmask: an address of this kind has 32 bits at most.")
    assert (await alice.ask("PUT", f"/SipGateways/{gateway}", {"is_active": 0}))[0] == 204
    assert directory.carrier_for_address("203.0.113.9") is None
    _, shown = await alice.ask("GET", f"/VoipCarriers/{carrier}")
    assert (shown["has_token"], "media-token" in str(shown)) == (True, False)
    assert (await alice.ask("PUT", f"/VoipCarriers/{carrier}", {"is_active": 0}))[0] == 204
    assert directory.carrier_for_token("media-token") is None
    assert (await alice.ask("DELETE", f"/VoipCarriers/{carrier}"))[0] == 204
    assert (await alice.ask("GET", "/SipGateways"))[1] == []


async def test_llm_credential(rest: Rest) -> None:
    alice = rest.alice
    path = f"/Accounts/{alice.account_sid}/LlmCredentials"
    body = {"vendor": "moonshot", "api_key": "sk-planted-key-1234", "base_url": "https://api.moonshot.ai/v1"}
    sid = await alice.make(path, body)
    _, shown = await alice.ask("GET", f"{path}/{sid}")
    assert shown["api_key"] == "XXXXXXXX1234"
    assert len(shown["fingerprints"]["api_key"]) == 8
    status, taken = await alice.ask("POST", path, body)
    assert (status, taken["code"]) == (422, "conflict")
    china = await alice.make(
        path, body | {"label": "china", "is_default": 1, "fallback": [{"vendor": "a", "model": "b"}]}
    )
    status, taken = await alice.ask("POST", path, body | {"label": "china"})
    assert taken["msg"] == "Label china is already in use for another llm credential"

    _, report = await alice.ask("GET", f"{path}/{sid}/test")
    assert (report["status"], rest.tested[-1].api_key) == ("ok", "sk-planted-key-1234")
    _, shown = await alice.ask("GET", f"{path}/{sid}")
    assert (shown["tested_ok"], shown["time_to_first_token_ms"]) == (True, 431)
    assert (await alice.ask("PUT", f"{path}/{sid}", {"api_key": "sk-wrong-key-0000"}))[0] == 204
    _, shown = await alice.ask("GET", f"{path}/{sid}")
    assert (shown["tested_ok"], shown["time_to_first_token_ms"]) == (None, None), "what was tested has changed"
    _, report = await alice.ask("GET", f"{path}/{sid}/test")
    assert (report["status"], report["reason"]) == ("fail", "The key is wrong.")
    assert (await alice.ask("GET", f"{path}/{sid}"))[1]["last_error"] == "The key is wrong."
    _, report = await alice.ask("POST", f"{path}/test", body | {"label": "new"})
    assert (report["status"], rest.tested[-1].fields) == ("ok", {"base_url": "https://api.moonshot.ai/v1"})
    assert (await alice.ask("GET", f"{path}/{sid}/models"))[1][0]["id"] == "kimi-k2.6"

    status, refused = await alice.ask("PUT", f"{path}/{sid}", {"base_url": "https://evil.example.com/v1"})
    assert (status, "api_key must be given again" in refused["msg"]) == (400, True)
    credential = rest.store.directory.llm_credential(alice.account_sid, "moonshot", None)
    assert credential is not None
    assert (credential.sid, credential.fallback[0].model) == (china, "b"), "the default one"
    assert [row["label"] for row in (await alice.ask("GET", path))[1]] == [None, "china"]
    assert (await alice.ask("DELETE", f"{path}/{china}"))[0] == 204
    assert (await alice.ask("GET", "/llm-vendors/manifest"))[1] == {"vendors": [{"vendor": "moonshot"}]}


async def test_a_mask_sent_back_keeps_the_key(rest: Rest) -> None:
    path = f"/Accounts/{rest.alice.account_sid}/SpeechCredentials"
    sid = await rest.alice.make(path, {"vendor": "deepgram", "api_key": "planted-deepgram-9999", "use_for_tts": 0})
    _, shown = await rest.alice.ask("GET", f"{path}/{sid}")
    assert (shown["use_for_stt"], shown["use_for_tts"]) == (1, 0)
    assert (await rest.alice.ask("PUT", f"{path}/{sid}", {"api_key": shown["api_key"], "label": "x"}))[0] == 204
    credential = rest.store.directory.speech_credential(rest.alice.account_sid, "deepgram", "x")
    assert credential is not None
    assert credential.api_key == "planted-deepgram-9999"
    assert (await rest.alice.ask("GET", f"{path}/{sid}/test"))[0] == 200


async def test_speech_is_tested_before_and_after_saving_for_what_it_is_used_for(rest: Rest) -> None:
    alice, path = rest.alice, f"/Accounts/{rest.alice.account_sid}/SpeechCredentials"
    body = {"vendor": "deepgram", "label": "ears", "api_key": "planted-deepgram-9999", "use_for_tts": 0}
    status, report = await alice.ask("POST", f"{path}/test", body | {"model_id": "nova-3"})
    assert (status, report["tts"], report["stt"]) == (200, {"status": "not tested"}, {"status": "not tested"})
    tried = rest.tested[-1]
    assert (tried.listens, tried.speaks, tried.by_operator) == (True, False, False)
    assert (tried.api_key, tried.fields) == ("planted-deepgram-9999", {"model_id": "nova-3"})
    assert (await alice.ask("GET", path))[1] == [], "nothing is saved"
    private = body | {"base_url": "http://10.0.0.1/"}
    assert (await alice.ask("POST", f"{path}/test", private))[1]["code"] == "private-address"
    assert (await rest.bob.ask("POST", f"{path}/test", body))[0] == 403

    sid = await alice.make(path, body)
    assert (await alice.ask("GET", f"{path}/{sid}/test"))[0] == 200
    assert (rest.tested[-1].listens, rest.tested[-1].speaks) == (True, False)
    _, shown = await alice.ask("GET", f"{path}/{sid}")
    assert (shown["tested_ok"], shown["time_to_first_audio_ms"]) == (True, 122)
    assert (await alice.ask("PUT", f"{path}/{sid}", {"use_for_tts": 1}))[0] == 204
    assert (await alice.ask("GET", f"{path}/{sid}"))[1]["tested_ok"] is None, "it was not tested for speaking"
    assert (await alice.ask("GET", "/speech-vendors/manifest"))[1]["vendors"][0]["vendor"] == "deepgram"


async def test_numbers_are_told_apart_by_whether_they_lead_anywhere(rest: Rest) -> None:
    alice = rest.alice
    application = await alice.make("/Applications", {"name": "a", "call_hook": HOOK})
    await alice.make("/PhoneNumbers", {"number": "1", "application_sid": application})
    await alice.make("/PhoneNumbers", {"number": "2"})
    path = f"/Accounts/{alice.account_sid}/PhoneNumbers"
    for query, numbers in ({}, ["1", "2"]), ({"assigned": "true"}, ["1"]), ({"assigned": "false"}, ["2"]):
        assert [row["number"] for row in (await alice.ask("GET", path, **query))[1]] == numbers
    _, page = await alice.ask("GET", path, page="1", page_size="1", assigned="true")
    assert (page["total"], len(page["data"])) == (1, 1)


async def test_the_server_tells_that_vendors_are_simulated(rest: Rest) -> None:
    _, told = await rest.alice.ask("GET", "/SystemInformation")
    assert (told["sandbox"], told["domain_name"]) == (True, None)
    assert told["version"]


async def test_private_addresses(rest: Rest) -> None:
    for url in ("ws://10.0.0.1/", "http://169.254.169.254/", "http://intranet/"):
        status, refused = await rest.alice.ask("POST", "/Applications", {"name": "a", "call_hook": url})
        assert (status, refused["code"]) == (400, "private-address")
    credentials = f"/Accounts/{rest.alice.account_sid}/LlmCredentials"
    body = {"vendor": "openai-compatible", "base_url": "http://192.168.0.5:8000/v1"}
    for path in (credentials, credentials + "/test"):
        assert (await rest.alice.ask("POST", path, body))[1]["code"] == "private-address"
    await rest.alice.make("/Applications", {"name": "local", "call_hook": "ws://127.0.0.1:3000/"})
    assert (await rest.alice.ask("GET", "/AppEnv", url="http://10.0.0.1/"))[0] == 400


async def test_who_wrote_an_address_is_remembered(rest: Rest) -> None:
    file = "llm_services: [{vendor: m, api_key: k, base_url: 'http://10.0.0.1/v1'}]"
    await rest.store.apply(parse_configuration(file, {}))
    account = rest.store.directory.default_account_sid

    def trusted() -> bool:
        credential = rest.store.directory.llm_credential(account, "m", None)
        assert credential is not None
        return credential.by_operator

    path = f"/Accounts/{account}/LlmCredentials"
    sid = (await rest.admin.ask("GET", path))[1][0]["llm_credential_sid"]
    assert (await rest.admin.ask("PUT", f"{path}/{sid}", {"label": "", "api_key": "other"}))[0] == 204
    assert trusted()
    moved = {"base_url": "https://elsewhere.example.com/v1", "api_key": "other"}
    assert (await rest.admin.ask("PUT", f"{path}/{sid}", moved))[0] == 204
    assert not trusted()
    made = await rest.alice.make("/Applications", {"name": "a", "call_hook": HOOK})
    application = rest.store.directory.application(made)
    assert application is not None
    assert not application.by_operator


async def test_app_env(rest: Rest) -> None:
    assert (await rest.alice.ask("GET", "/AppEnv", url="ws://127.0.0.1:3000/env"))[1]["LLM_MODEL"]["type"] == "string"
    assert await rest.alice.ask("GET", "/AppEnv", url="ws://127.0.0.1:3000/") == (204, None)


async def test_env_vars_are_compared_with_the_applications_own(rest: Rest) -> None:
    alice = rest.alice
    hook = "ws://127.0.0.1:3000/env"

    async def make(name: str, env_vars: Any, url: str = hook) -> tuple[int, Any]:
        return await alice.ask("POST", "/Applications", {"name": name, "call_hook": url, "env_vars": env_vars})

    status, made = await make("kimi", {"LLM_MODEL": "moonshot:kimi-k2.6", "OTHER": [1]})
    assert (status, len(made["warnings"])) == (201, 1)
    assert made["warnings"][0].startswith("env_vars.LLM_MODEL is none of the values")
    assert (await make("fine", {"LLM_MODEL": "openai:gpt-4o", "N": 1.5}))[1]["warnings"] == []
    assert (await make("a", {"N": 1}))[1]["msg"] == "Missing required value env_vars.LLM_MODEL"
    assert (await make("b", {"LLM_MODEL": 3}))[1]["msg"] == "Invalid value/type for env_vars.LLM_MODEL"
    assert (await make("c", {"LLM_MODEL": "openai:gpt-4o", "N": True}))[0] == 400
    assert (await make("down", {"N": "x"}, hook + "/down"))[0] == 201, "an application that is down can be set up"
    path = f"/Applications/{made['sid']}"
    assert (await alice.ask("PUT", path, {"env_vars": {"LLM_MODEL": "deepseek:chat"}}))[0] == 204
    assert (await alice.ask("PUT", path, {"env_vars": {"LLM_MODEL": None}}))[0] == 400
    assert (await alice.ask("GET", path))[1]["env_vars"] == {"LLM_MODEL": "deepseek:chat"}


async def test_accounts(rest: Rest) -> None:
    alice = rest.alice
    assert [row["name"] for row in (await rest.admin.ask("GET", "/Accounts"))[1]] == ["default", "alice", "bob"]
    assert [row["name"] for row in (await alice.ask("GET", "/Accounts"))[1]] == ["alice"]
    path = f"/Accounts/{alice.account_sid}"
    assert (await alice.ask("PUT", path, {"name": "alice & co", "sip_realm": "a.example"}))[0] == 204
    _, shown = await alice.ask("GET", path)
    assert (shown["name"], shown["sip_realm"]) == ("alice & co", "a.example")
    first = (await alice.ask("GET", f"{path}/WebhookSecret"))[1]["webhook_secret"]
    assert (await alice.ask("GET", f"{path}/WebhookSecret"))[1]["webhook_secret"] == first
    assert (await alice.ask("GET", f"{path}/WebhookSecret", regenerate="true"))[1]["webhook_secret"] != first
    assert (await alice.ask("POST", "/Accounts", {"name": "more"}))[0] == 403
    assert (await alice.ask("DELETE", path))[0] == 403
    default = rest.store.directory.default_account_sid
    assert (await rest.admin.ask("DELETE", f"/Accounts/{default}"))[0] == 422
    assert (await rest.admin.ask("PUT", path, {"is_active": False}))[0] == 204
    assert (await alice.ask("GET", path))[0] == 401, "a closed account's keys are void"
    assert (await rest.admin.ask("DELETE", path))[0] == 204


async def test_api_keys(rest: Rest) -> None:
    status, made = await rest.alice.ask("POST", "/ApiKeys", {"expiry_secs": 3600})
    assert status == 201
    second = Tenant(rest.alice.session, made["token"], rest.alice.account_sid)
    assert (await second.ask("GET", "/Accounts"))[1][0]["name"] == "alice"
    _, rows = await rest.alice.ask("GET", f"/Accounts/{rest.alice.account_sid}/ApiKeys")
    assert rows[1]["token"] == "XXXXXXXX" + made["token"][-4:]
    assert rows[1]["last_used"].endswith("Z")
    assert (await rest.alice.ask("DELETE", f"/ApiKeys/{made['sid']}"))[0] == 204
    assert await second.ask("GET", "/Accounts") == (401, "Unauthorized")


async def test_login_and_passwords(rest: Rest) -> None:
    user = {"name": "ann", "email": "ann@example.com", "initial_password": "one time password"}
    assert await rest.alice.ask("POST", "/Users", user) == (204, None)
    status, login = await rest.stranger.ask(
        "POST", "/login", {"username": "ann@example.com", "password": "one time password"}
    )
    assert (status, login["scope"], login["force_change"]) == (200, "account", True)
    ann = Tenant(rest.alice.session, login["token"], rest.alice.account_sid)
    assert (await ann.ask("GET", "/Applications"))[1]["code"] == "password-change-required"
    _, me = await ann.ask("GET", "/Users/me")
    assert (me["user"]["name"], me["user"]["force_change"]) == ("ann", True)
    path = f"/Users/{login['user_sid']}"
    wrong = {"old_password": "wrong", "new_password": "a better password"}
    assert (await ann.ask("PUT", path, wrong))[0] == 403
    right = wrong | {"old_password": "one time password"}
    assert (await ann.ask("PUT", path, right))[0] == 204
    assert (await ann.ask("GET", "/Users/me"))[0] == 401, "earlier tokens are void"
    _, login = await rest.stranger.ask("POST", "/login", {"username": "ann", "password": "a better password"})
    ann = Tenant(rest.alice.session, login["token"])
    assert (await ann.ask("GET", "/Applications"))[0] == 200
    assert (await ann.ask("POST", "/logout"))[0] == 204
    assert (await rest.alice.ask("GET", "/Users"))[1][0]["email"] == "ann@example.com"
    assert (await rest.alice.ask("DELETE", path))[0] == 204
    assert (await ann.ask("GET", "/Applications"))[0] == 401


async def test_guessing_is_slowed_down_and_learns_nothing(rest: Rest) -> None:
    for name in ("admin", "nobody"):
        answers = [await rest.stranger.ask("POST", "/login", {"username": name, "password": "guess"}) for _ in range(7)]
        assert [status for status, _ in answers] == [403] * 6 + [429]
        assert answers[0][1]["msg"] == "Wrong user name or password."


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_guesses_at_the_same_time_are_counted_one_by_one(rest: Rest) -> None:
    guess = {"username": "admin", "password": "guess"}
    answers = await asyncio.gather(*(rest.stranger.ask("POST", "/login", guess) for _ in range(12)))
    assert sorted(status for status, _ in answers) == [403] * 6 + [429] * 6
    guess["username"] = "ADMIN "
    async with rest.stranger.session.post("/v1/login", json=guess) as answer:
        assert (answer.status, 0 < int(answer.headers["Retry-After"]) <= 300) == (429, True)


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_an_unknown_user_costs_as_much_work_as_a_known_one(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    work: list[str] = []

    class Counted(PasswordHasher):
        def hash(self, *given: Any, **named: Any) -> str:
            work.append("hash")
            return super().hash(*given, **named)

        def verify(self, *given: Any, **named: Any) -> Any:
            work.append("hash")
            return super().verify(*given, **named)

    monkeypatch.setattr(users, "_hasher", Counted(time_cost=1, memory_cost=8, parallelism=1))
    for name in ("admin", "nobody", ""):
        await rest.stranger.ask("POST", "/login", {"username": name, "password": "guess"})
    assert work == ["hash"] * 3


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_opening_the_list_of_services_asks_no_vendor(rest: Rest) -> None:
    asked: list[str] = []

    async def models(credential: VendorCredential) -> list[dict[str, Any]]:
        asked.append(credential.vendor)
        return []

    rest.app.state.services = dataclasses.replace(rest.app.state.services, list_models=models)
    account = f"/Accounts/{rest.alice.account_sid}"
    for kind in ("LlmCredentials", "SpeechCredentials"):
        sid = await rest.alice.make(f"{account}/{kind}", {"vendor": "moonshot", "api_key": "k"})
        await rest.alice.ask("GET", f"{account}/{kind}")
        await rest.alice.ask("GET", f"{account}/{kind}/{sid}")
    await rest.alice.ask("GET", "/llm-vendors/manifest")
    assert (rest.tested, asked) == ([], [])


async def test_last_administrator_stays(rest: Rest) -> None:
    _, me = await rest.admin.ask("GET", "/Users/me")
    path = f"/Users/{me['user']['user_sid']}"
    assert (await rest.admin.ask("DELETE", path))[0] == 422
    assert (await rest.admin.ask("PUT", path, {"is_active": False}))[0] == 422


async def test_recent_calls_timeline_and_deletion(rest: Rest, tmp_path: Any) -> None:
    recording = tmp_path / "c1.wav"
    recording.write_bytes(b"RIFF")
    for name, answered in (("c1", 1_700_000_002.0), ("c2", None)):
        rest.store.call_records.add(_record(rest.alice, name, answered, str(recording) if answered else None))
    rest.logs.open("c1").write("call", 0.0, source="sip")
    await rest.store.call_records.flush()
    path = f"/Accounts/{rest.alice.account_sid}/RecentCalls"
    _, page = await rest.alice.ask("GET", path, page="1", count="25")
    assert (page["total"], page["page"]) == ("2", "1")
    assert {row["call_sid"] for row in page["data"]} == {"c1", "c2"}
    _, page = await rest.alice.ask("GET", path, page="1", count="25", answered="true", filter="617")
    (row,) = page["data"]
    assert (row["from"], row["duration"], row["attempted_at"]) == ("+1617", 8, "2023-11-14T22:13:20.000Z")
    assert (await rest.alice.ask("GET", path, page="1", count="25", days="1"))[1]["total"] == "0"
    assert (await rest.alice.ask("GET", path))[0] == 400

    call = f"/Accounts/{rest.alice.account_sid}/Calls/c1"
    assert (await rest.alice.ask("GET", f"{call}/timeline"))[1] == [{"kind": "call", "at_s": 0.0, "source": "sip"}]
    assert (await rest.alice.ask("GET", f"{call}/recording")) == (200, "RIFF")
    assert (await rest.alice.ask("GET", f"{path}/id-c1"))[1]["call_sid"] == "c1"
    assert (await rest.alice.ask("DELETE", f"{path}/c1"))[0] == 204
    assert not recording.exists()
    assert rest.logs.list() == []
    for gone in (f"{path}/c1", f"{call}/timeline", f"{call}/recording"):
        assert (await rest.alice.ask("GET", gone))[0] == 404


async def test_alerts(rest: Rest) -> None:
    for _ in range(3):
        rest.store.alerts.raise_alert(rest.alice.account_sid, "llm-failure", "quota", remedy="recharge", call_sid="c")
    await rest.store.alerts.flush()
    path = f"/Accounts/{rest.alice.account_sid}/Alerts"
    _, page = await rest.alice.ask("GET", path, page="1", count="25", days="1", alert_type="llm-failure")
    (alert,) = page["data"]
    assert (page["total"], alert["message"], alert["detail"], alert["count"]) == (1, "quota", "recharge", 3)
    assert (await rest.alice.ask("GET", path, page="1", count="25", alert_type="no-tts"))[1]["total"] == 0
    one = f"{path}/{alert['alert_id']}"
    assert (
        await rest.bob.ask("PUT", f"/Accounts/{rest.bob.account_sid}/Alerts/{alert['alert_id']}", {"cleared": True})
    )[0] == 404
    assert (await rest.alice.ask("PUT", one, {"cleared": True}))[0] == 204
    assert (await rest.alice.ask("GET", path, page="1", count="25", state="open"))[1]["total"] == 0
    _, page = await rest.alice.ask("GET", path, page="1", count="25", state="cleared")
    assert (page["data"][0]["cleared_by"], page["data"][0]["cleared_at"][-1]) == ("operator", "Z")
    assert (await rest.alice.ask("PUT", one, {"cleared": 1}))[0] == 400


MISTAKES: list[tuple[str, str, Any, str]] = [
    ("POST", "/Applications", {}, "name is required"),
    ("POST", "/Applications", {"name": "a"}, "An application needs a call_hook or an app_json."),
    ("POST", "/Applications", {"name": "a", "call_hook": "x"}, "call_hook.url: must be an absolute"),
    ("POST", "/Applications", {"name": "a", "app_json": "[]"}, "app_json: must be a JSON array of verbs"),
    ("POST", "/Applications", {"name": "a\0", "call_hook": HOOK}, "name: string should match"),
    ("POST", "/Applications", {"name": "a", "call_hook": HOOK, "env_vars": {"a": "\ud800"}}, "env_vars: must be"),
    ("POST", "/SipGateways", {"ipv4": "1.2.3.4", "voip_carrier_sid": NOBODY}, "no such carrier"),
    ("POST", "/PhoneNumbers", {"number": "1", "application_sid": NOBODY}, "no such application"),
    ("GET", "/Applications/not-a-sid", None, "sid: string should match"),
    ("PUT", f"/Applications/{NOBODY}", [1], "body: input should be a valid dictionary"),
]


async def test_mistakes_are_named(rest: Rest) -> None:
    for method, path, body, sentence in MISTAKES:
        status, answer = await rest.alice.ask(method, path, body)
        assert (status in (400, 404), sentence in answer["msg"]) == (True, True), answer
        assert set(answer) == {"msg", "code"}


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_a_lost_database_is_told(rest: Rest) -> None:
    async with rest.store.database.transaction() as session:
        await session.execute(text("ALTER TABLE applications RENAME TO away"))
    status, answer = await rest.alice.ask("GET", "/Applications")
    assert (status, answer["code"]) == (503, "store-unavailable")


@pytest.mark.parametrize("settings", ["postgresql"], indirect=True)
async def test_a_read_only_database_shows_what_it_holds(rest: Rest) -> None:
    made = await rest.alice.ask("POST", "/ApiKeys", {})
    unused = Tenant(rest.alice.session, made[1]["token"])
    engine = rest.store.database._engine
    try:
        async with engine.begin() as connection:
            await connection.execute(text("ALTER ROLE moonwire SET default_transaction_read_only = on"))
        await engine.dispose()  # as after a fail-over to a standby
        assert (await unused.ask("GET", "/Accounts"))[0] == 200
        status, answer = await unused.ask("POST", "/Applications", {"name": "a", "call_hook": HOOK})
        assert (status, answer["code"]) == (503, "store-unavailable")
    finally:
        async with engine.connect() as connection:
            await connection.execute(text("SET TRANSACTION READ WRITE"))
            await connection.execute(text("ALTER ROLE moonwire RESET default_transaction_read_only"))
            await connection.commit()
        await engine.dispose()
    assert (await unused.ask("POST", "/Applications", {"name": "a", "call_hook": HOOK}))[0] == 201


async def test_no_account_for_an_administrator_is_named(rest: Rest) -> None:
    status, answer = await rest.admin.ask("POST", "/Applications", {"name": "a", "call_hook": HOOK})
    assert (status, answer["msg"]) == (400, "account_sid is required.")


def _record(tenant: Tenant, call_sid: str, answered_at: float | None, recording: str | None) -> CallRecord:
    return CallRecord(
        call_sid=call_sid,
        account_sid=tenant.account_sid,
        application_sid=None,
        call_id=f"id-{call_sid}",
        from_="+1617",
        to="100",
        direction="inbound",
        trunk="loopback",
        transport="sip",
        attempted_at=1_700_000_000.0,
        answered_at=answered_at,
        terminated_at=1_700_000_010.0,
        sip_status=200,
        termination_by="caller",
        termination_reason="bye",
        remote_host="127.0.0.1",
        trace_id="t",
        recording_path=recording,
    )
