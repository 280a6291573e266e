"""An export applies back, gives an equal export, and tells no secret."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import yaml

from moonwire.settings import Settings
from moonwire.store.configuration import parse_configuration
from moonwire.store.store import Store

FILE = """
llm_services:
  - {vendor: moonshot, api_key: sk-planted-1, base_url: https://api.moonshot.ai/v1, fallback: ["moonshot:kimi-k2.5"]}
  - {vendor: moonshot, label: china, api_key: sk-planted-1b, default: true, retired_models: refuse}
speech_services:
  - {vendor: deepgram, api_key: planted-2, use_for_tts: false, deepgram_stt_use_tls: false}
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
  - {name: twilio, type: twilio, auth_token: planted-7, is_active: false}
api_keys:
  - {name: ci, token: planted-8}
""".replace("${D}", "$$")


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
