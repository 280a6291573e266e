"""What moonwire.yaml may say, and how each mistake is named."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonwire.errors import ConfigError
from moonwire.store.configuration import Configuration, load_configuration, parse_configuration

DOCUMENTED = """
llm_services:
  - {vendor: moonshot, api_key: "${MOONSHOT_API_KEY}", base_url: https://api.moonshot.ai/v1}
speech_services:
  - {vendor: deepgram, api_key: "${DEEPGRAM_API_KEY}"}          # optional base_url: own or on-premise endpoint
  - {vendor: cartesia, api_key: "${CARTESIA_API_KEY}"}
applications:
  - {name: kimi, call_hook: "ws://127.0.0.1:3000/", env_vars: {LLM_MODEL: "moonshot:kimi-k2.6"}}
  - {name: inline, app_json: [{verb: agent, llm: {vendor: moonshot, model: kimi-k2.6}}]}
phone_numbers:
  - {number: "16175551212", application: kimi}
carriers:
  - {name: loopback, inbound: ["127.0.0.1/32"]}
api_keys:
  - {name: ci, token: "${MOONWIRE_API_TOKEN}"}
"""
ENVIRON = {
    "MOONSHOT_API_KEY": "sk-moonshot",
    "DEEPGRAM_API_KEY": "dg",
    "CARTESIA_API_KEY": "ca",
    "MOONWIRE_API_TOKEN": "token",
}


def complaint(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_configuration(text, {}, source="f")
    return str(caught.value)


def test_documented_example() -> None:
    found = parse_configuration(DOCUMENTED, ENVIRON)
    assert found.llm_services[0].api_key is not None
    assert found.llm_services[0].api_key.get_secret_value() == "sk-moonshot"
    assert found.applications[0].call_hook is not None
    assert found.applications[0].call_hook.url == "ws://127.0.0.1:3000/"
    assert found.applications[1].app_json == [{"verb": "agent", "llm": {"vendor": "moonshot", "model": "kimi-k2.6"}}]
    assert "sk-moonshot" not in repr(found)


def test_file(tmp_path: Path) -> None:
    file = tmp_path / "moonwire.yaml"
    file.write_bytes(b"\xef\xbb\xbfcarriers: [{name: a, inbound: 10.0.0.7}]\n")
    assert load_configuration(file, {}).carriers[0].inbound == ("10.0.0.7/32",)
    with pytest.raises(ConfigError, match=r"missing.yaml does not exist"):
        load_configuration(tmp_path / "missing.yaml", {})
    with pytest.raises(ConfigError, match="cannot be read"):
        load_configuration(tmp_path, {})
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_configuration(file, {})


def test_hook_and_choice_spellings() -> None:
    found = parse_configuration(
        """
applications:
  - name: a
    call_hook: {url: "https://x/y", method: GET, username: u, password: p}
    llm: moonshot:kimi-k2.6
    fallback: [deepseek:deepseek-chat, {vendor: moonshot, model: kimi-k2.5, label: china}]
  - {name: b, app_json: '[{"verb": "hangup"}]'}
""",
        {},
    )
    first, second = found.applications
    assert first.call_hook is not None
    assert (first.call_hook.method, first.call_hook.username) == ("GET", "u")
    assert first.llm is not None
    assert (first.llm.vendor, first.llm.model) == ("moonshot", "kimi-k2.6")
    assert [one.label for one in first.fallback] == [None, "china"]
    assert second.app_json == [{"verb": "hangup"}]


@pytest.mark.parametrize("text", ["", "# nothing", "applications:", "applications: []"])
def test_empty(text: str) -> None:
    assert parse_configuration(text, {}) == Configuration()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("aplications: []", "f: aplications: there is no such member; the nearest is applications."),
        (
            "applications: [{name: x, cal_hook: y}]",
            "f: applications[0].cal_hook: there is no such member; the nearest is call_hook.",
        ),
        (
            "applications: [{name: x, call_hook: {url: 'ws://x', usrname: y}}]",
            "f: applications[0].call_hook.usrname: there is no such member; the nearest is username.",
        ),
        (
            "llm_services: [{vendor: m, fallback: [{vendor: m, modl: y, model: x}]}]",
            "f: llm_services[0].fallback[0].modl: there is no such member; the nearest is model.",
        ),
        ("applications: 3", "f: applications: must be a list, not a number."),
        ("applications: [7]", "f: applications[0]: must be a mapping, not a number."),
        ("- 1", "f: the file must hold sections such as `applications:`, not a list."),
        ("applications: [{name: [], app_json: []}]", "f: applications[0].name: must be text, not a list."),
        (
            "applications: [{name: a, call_hook: foo}]",
            "f: applications[0].call_hook.url: must be an absolute http, https, ws or wss URL.",
        ),
        (
            "applications: [{name: a, call_hook: 'http://x:99999'}]",
            "f: applications[0].call_hook.url: must be an absolute http, https, ws or wss URL.",
        ),
        (
            "applications: [{name: a, call_hook: 3}]",
            "f: applications[0].call_hook: must be a URL, or a mapping with url, not a number.",
        ),
        ("applications: [{name: a}]", "f: applications[0]: needs a call_hook or an app_json."),
        (
            "applications: [{name: a, app_json: '[1'}]",
            "f: applications[0].app_json: must be a list of verbs, or a string that holds a JSON array of verbs.",
        ),
        (
            "applications: [{name: a, app_json: [{say: x}]}]",
            "f: applications[0].app_json[0]: must name its verb, for example {verb: say, text: Hello}.",
        ),
        (
            "applications: [{name: a, call_hook: 'ws://x', env_vars: []}]",
            "f: applications[0].env_vars: must be a mapping, not a list.",
        ),
        (
            "applications: [{name: a, call_hook: 'ws://x', record_all_calls: 7}]",
            "f: applications[0].record_all_calls: must be true or false, not a number.",
        ),
        (
            "applications: [{name: a, call_hook: 'ws://x', agent_messages: maybe}]",
            "f: applications[0].agent_messages: must be one of 'auto', 'agent' or 'hook'.",
        ),
        ("phone_numbers: [{application: a}]", "f: phone_numbers[0].number: is missing."),
        (
            "phone_numbers: [{number: '1 2'}]",
            "f: phone_numbers[0].number: must be a number without spaces, for example 16175551212.",
        ),
        (
            "carriers: [{name: a, inbound: [10.0.0.0/8, x]}]",
            "f: carriers[0].inbound[1]: 'x' is no IP address or network, for example 203.0.113.0/24.",
        ),
        (
            "carriers: [{name: a, auth_token: x}]",
            "f: carriers[0]: has an auth_token, which only a carrier of type twilio has.",
        ),
        (
            "llm_services: [{vendor: m, retired_models: ignore}]",
            "f: llm_services[0].retired_models: must be one of 'substitute' or 'refuse'.",
        ),
        (
            "llm_services: [{vendor: m, fallback: [kimi]}]",
            "f: llm_services[0].fallback[0]: must be written vendor:model, for example moonshot:kimi-k2.6.",
        ),
        ("llm_services: [{vendor: m, api_key: ''}]", "f: llm_services[0].api_key: must not be empty."),
        (
            "llm_services: [{vendor: m, base_url: api.moonshot.ai}]",
            "f: llm_services[0].base_url: must be an http, https, ws or wss URL, for example https://api.moonshot.ai/v1.",
        ),
        (
            "llm_services: [{vendor: m}, {vendor: m}]",
            "f: llm_services[1]: 'm' is declared twice; give each service of one vendor its own label.",
        ),
        (
            "phone_numbers: [{number: '+1'}, {number: '1'}]",
            "f: phone_numbers[1]: '1' is declared twice.",
        ),
        (
            "carriers: [{name: a}]\ncarriers: []",
            "f, line 2: the key 'carriers' stands twice in one mapping; keep one of them.",
        ),
        ("carriers: [", "f, line 1 is not valid YAML: expected the node content, but found '<stream end>'."),
        (
            "applications: [{name: a, call_hook: 'ws://${HOST}/'}]",
            "f: applications[0].call_hook: the environment variable HOST is not set; set it, or write $${HOST} to mean "
            "the text.",
        ),
        (
            "applications: [{name: '${a b}'}]",
            "f: applications[0].name: ${a b} is no variable name; write $${ for a literal ${.",
        ),
    ],
)
def test_mistakes(text: str, sentence: str) -> None:
    assert complaint(text) == sentence


def test_all_mistakes_are_named_at_once() -> None:
    assert len(complaint("applications: [{name: a}, {nam: b}]\ncarriers: 7").splitlines()) == 4


def test_secrets_are_never_in_complaints() -> None:
    for text in (
        "llm_services: [{vendor: m, api_key: [sk-planted]}]",
        "api_keys: [{name: a, token: {sk-planted: 1}}]",
        "llm_services: [{api_key: sk-planted}]",
        "applications: [{name: a, call_hook: {url: 'http://x', password: [sk-planted]}}]",
    ):
        assert "sk-planted" not in complaint(text)


def test_variables_are_text_and_can_be_escaped() -> None:
    found = parse_configuration(
        "applications: [{name: '${A}', call_hook: 'ws://${B}/x', env_vars: {P: '$${KEEP} $5 ${A}'}}]",
        {"A": "x: [1, 2]", "B": "host"},
    )
    assert found.applications[0].name == "x: [1, 2]"
    assert found.applications[0].env_vars == {"P": "${KEEP} $5 x: [1, 2]"}


def test_numbers_keep_their_digits() -> None:
    found = parse_configuration(
        "phone_numbers: [{number: 16175551212}, {number: 0044}, {number: +49301}, {number: 1:30}]", {}
    )
    assert [one.number for one in found.phone_numbers] == ["16175551212", "0044", "49301", "1:30"]


@given(st.text(max_size=200))
def test_any_text_is_a_configuration_or_a_config_error(text: str) -> None:
    with contextlib.suppress(ConfigError):
        assert isinstance(parse_configuration(text, {}), Configuration)
