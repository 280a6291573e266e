"""An export applies back, gives an equal export, and tells no secret."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from tests.databases import empty
from typer.testing import CliRunner

from moonwire.cli import commands
from moonwire.settings import Settings
from moonwire.store.configuration import parse_configuration
from moonwire.store.declared import CARRIER_PROPERTIES, CARRIER_SECRETS, CarrierSpec
from moonwire.store.store import Store

FILE = """
llm_services:
  - {vendor: moonshot, api_key: sk-planted-1, base_url: https://api.moonshot.ai/v1, fallback: ["moonshot:kimi-k2.5"]}
  - {vendor: moonshot, label: china, api_key: sk-planted-1b, default: true, retired_models: refuse}
speech_services:
  - {vendor: deepgram, api_key: planted-2, use_for_tts: false, deepgram_stt_use_tls: false}
  - {vendor: "custom:x", auth_token: planted-9, custom_stt_url: wss://stt.example/, options: {speed: 1.5}}
applications:
  - name: "odd: ${D}{x} 名"
    call_hook: {url: "wss://127.0.0.1:3000/", username: u, password: planted-3}
    call_status_hook: {url: "http://127.0.0.1:3000/status", method: GET}
    env_vars: {LLM_MODEL: "moonshot:kimi-k2.6", N: 3, API_KEY: planted-4, OTHER: sk-planted-5}
    speech_synthesis_vendor: cartesia
    speech_synthesis_voice: {id: x}
    llm: {vendor: moonshot, model: kimi-k2.6, label: china}
    agent_messages: hook
    record_all_calls: true
  - {name: inline, app_json: [{verb: say, text: "${D}{name} no"}]}
phone_numbers:
  - {number: "+0044", application: inline, carrier: loopback}
  - {number: "16175551212"}
carriers:
  - {name: loopback, inbound: [127.0.0.1/32, "::1"], token: planted-6, application: inline, description: d}
  - {name: out, outbound: [sip.example, "[2001:db8::1]:5080;transport=tcp"], inbound: [2001:db8::/64]}
  - name: registered
    outbound: [sip.example]
    trunk_type: auth
    e164_leading_plus: false
    requires_register: true
    tech_prefix: "00"
    register_username: u
    register_password: planted-10
    register_sip_realm: sip.example
    register_from_user: f
    register_from_domain: d.example
    inbound_auth_username: i
    inbound_auth_password: planted-11
    diversion: "1617"
    dtmf_type: info
    outbound_sip_proxy: proxy.example
  - {name: twilio, type: twilio, auth_token: planted-7, is_active: false}
api_keys:
  - {name: ci, token: planted-8}
""".replace("${D}", "$$")


def test_the_file_says_everything_that_a_carrier_has() -> None:
    (carrier,) = [one for one in parse_configuration(FILE, {}).carriers if one.name == "registered"]
    assert not [name for name in CARRIER_PROPERTIES if getattr(carrier, name) is None]
    assert set(CARRIER_SECRETS) <= set(CarrierSpec.model_fields)


async def exported(store: Store, *, placeholders: bool = False) -> str:
    return await store.export(placeholders=placeholders)


async def test_round_trip(store: Store, make: Callable[..., Settings], tmp_path: Path) -> None:
    await store.apply(parse_configuration(FILE, {}))
    text = await exported(store)
    assert "planted" not in text
    applied = await store.apply(parse_configuration(text, {}))
    assert applied.created == []
    assert applied.updated == [], "secrets left out stay"

    empty = await Store.open(make(tmp_path / "empty"))
    await empty.apply(parse_configuration(text, {}))
    assert await exported(empty) == text
    await empty.close()


async def test_placeholders(store: Store) -> None:
    await store.apply(parse_configuration(FILE, {}))
    text = await exported(store, placeholders=True)
    assert "planted" not in text
    names = set(re.findall(r"(?<!\$)\$\{(\w+)\}", text))
    assert {"MOONSHOT_API_KEY", "MOONSHOT_CHINA_API_KEY", "API_CI_TOKEN", "TWILIO_AUTH_TOKEN"} <= names
    parse_configuration(text, dict.fromkeys(names, "x"))


async def test_empty(store: Store) -> None:
    text = await exported(store)
    assert yaml.safe_load(text) is None
    assert (await store.apply(parse_configuration(text, {}))).created == []


def test_round_trip_on_the_command_line(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = CliRunner()

    def environment(data_dir: Path) -> None:
        url = settings.database_url.get_secret_value() if settings.database_url else ""
        monkeypatch.setenv("MOONWIRE_DATA_DIR", str(data_dir))
        monkeypatch.setenv("MOONWIRE_DATABASE_URL", url)
        if url:
            asyncio.run(empty(url))

    monkeypatch.chdir(tmp_path)
    environment(tmp_path / "first")
    applied = run.invoke(commands, ["apply"], input=FILE)
    assert applied.output.startswith("created llm_services/moonshot"), applied.output
    first = run.invoke(commands, ["export"]).output
    assert run.invoke(commands, ["settings", "rotate-key"]).exit_code == 0
    assert run.invoke(commands, ["export"]).output == first
    environment(tmp_path / "second")
    assert run.invoke(commands, ["apply", "-"], input=first).exit_code == 0
    assert run.invoke(commands, ["export"]).output == first
    placeholders = run.invoke(commands, ["export", "--placeholders"]).output
    assert "${DEEPGRAM_API_KEY}" not in placeholders, "a secret that is not stored has no place"
