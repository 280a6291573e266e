"""Verbs against jambonz's own schema files, as its Python SDK brings them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jambonz_sdk
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jambonz_sdk.validator import JambonzValidator

from moonwire.errors import SpecError
from moonwire.spec.hooks import Hook
from moonwire.spec.verbs import MODELS, SYNONYMS, Agent, Config, Play, Say, SipDecline, UnsupportedVerb, parse_verbs
from moonwire.spec.verbs.agent_llm import SeedMessage, message_text
from moonwire.spec.verbs.unsupported import KNOWN_VERBS

SCHEMAS = Path(jambonz_sdk.__file__).parent / "schema"
ORACLE = JambonzValidator()

GOOD: list[dict[str, Any]] = [
    {"verb": "agent"},
    {"verb": "agent", "turnDetection": {"mode": "krisp", "threshold": 0.3}, "bargeIn": {"minSpeechDuration": 0.3}},
    {"verb": "agent", "turnDetection": "stt", "noiseIsolation": "rnnoise", "toolFiller": False, "hangup": {}},
    {"verb": "agent", "noiseIsolation": {"mode": "krisp", "level": 50}, "autoLockLanguage": "always"},
    {"verb": "agent", "languageConfig": {"es": {"tts": {"vendor": "cartesia", "voice": "x"}}}},
    {"verb": "agent", "mcpServers": [{"url": "https://x/mcp", "auth": {"apiKey": "k"}}]},
    {"verb": "agent", "toolFiller": {"type": "audio", "url": "https://x/a.wav"}, "toolHook": "/t"},
    {
        "verb": "agent",
        "actionHook": {"url": "https://x/y", "method": "GET"},
        "eventHook": "/e",
        "vad": {"enable": True},
    },
    {"verb": "agent", "llm": {"vendor": "moonshot", "connectOptions": {"timeout": 1, "baseURL": "https://x"}}},
    {"verb": "agent", "stt": {"vendor": "deepgram", "deepgramOptions": {"model": "nova-3"}, "hints": ["a"]}},
    {"verb": "agent", "tts": {"vendor": "elevenlabs", "voice": {"id": 1}, "options": {"model_id": "x"}}},
    {"verb": "agent", "noResponseTimeout": 3, "noResponseMaxPrompts": 2, "speak": False, "earlyGeneration": True},
    {"verb": "answer"},
    {"verb": "config", "notifyEvents": True, "reset": "recognizer", "synthesizer": {"vendor": "cartesia"}},
    {"verb": "config", "bargeIn": {"enable": True, "input": ["speech"]}, "referHook": "/refer", "reset": ["a", "b"]},
    {"verb": "hangup", "headers": {"X-Reason": "done", "X-Count": 3}},
    {"verb": "pause", "length": 1.5},
    {"verb": "play", "url": ["https://x/a.wav", "https://x/b.wav"], "loop": "forever", "seekOffset": "800"},
    {"verb": "play", "url": "https://x/a.wav", "timeoutSecs": 2, "actionHook": "/played"},
    {"verb": "redirect", "actionHook": "https://x/y"},
    {"verb": "say", "text": ["a", "b"], "loop": 2, "synthesizer": {"vendor": "google"}},
    {"verb": "say", "stream": True, "closeStreamOnEmpty": False},
    {"verb": "sip:decline", "status": 480, "reason": "Gone", "headers": {"X-A": "b"}},
    {"verb": "tag", "data": {"a": {"b": 1}}, "id": "t"},
]

BAD: list[tuple[dict[str, Any], str]] = [
    ({"verb": "pause"}, "[0].length"),
    ({"verb": "pause", "length": "long"}, "[0].length"),
    ({"verb": "play"}, "[0].url"),
    ({"verb": "redirect"}, "[0].actionHook"),
    ({"verb": "redirect", "actionHook": {"method": "POST"}}, "[0].actionHook"),
    ({"verb": "sip:decline"}, "[0].status"),
    ({"verb": "tag"}, "[0].data"),
    ({"verb": "tag", "data": 5}, "[0].data"),
    ({"verb": "say", "text": 5}, "[0].text"),
    ({"verb": "say", "synthesizer": {"voice": "x"}}, "[0].synthesizer.vendor"),
    ({"verb": "agent", "stt": {"language": "en"}}, "[0].stt.vendor"),
    ({"verb": "agent", "tts": "cartesia"}, "[0].tts"),
    ({"verb": "agent", "llm": {"vendor": 5}}, "[0].llm.vendor"),
    ({"verb": "agent", "llm": "moonshot"}, "[0].llm"),
    ({"verb": "agent", "llm": {"llmOptions": {"systemPrompt": 5}}}, "[0].llm.llmOptions.systemPrompt"),
    ({"verb": "config", "recognizer": {}}, "[0].recognizer.vendor"),
    ({"verb": "hangup", "headers": {"X-A": {}}}, "[0].headers.X-A"),
]


@pytest.mark.parametrize("verb", GOOD, ids=lambda verb: json.dumps(verb)[:60])
def test_what_the_schema_allows_is_read_without_complaint(verb: dict[str, Any]) -> None:
    assert ORACLE.validate_app([verb]) == []
    parsed = parse_verbs([verb])
    assert parsed.warnings == ()
    assert isinstance(parsed.verbs[0], MODELS[verb["verb"]])
    assert parsed.verbs[0].verb == verb["verb"]
    name = verb["verb"]
    body = {key: value for key, value in verb.items() if key != "verb"}
    assert parse_verbs([{name: body}]) == parsed


@pytest.mark.parametrize(("verb", "path"), BAD, ids=lambda value: str(value)[:60])
def test_what_cannot_run_is_named_with_its_path(verb: dict[str, Any], path: str) -> None:
    assert ORACLE.validate_app([verb])
    with pytest.raises(SpecError) as caught:
        parse_verbs([verb])
    assert caught.value.path == path
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("member", "value", "path"),
    [
        ("turnDetection", "flux", "[0].turnDetection"),
        ("turnDetection", {"mode": "krisp", "threshold": 2}, "[0].turnDetection.threshold"),
        ("bargeIn", {"minSpeechDuration": "x"}, "[0].bargeIn.minSpeechDuration"),
        ("noResponseTimeout", -1, "[0].noResponseTimeout"),
        ("greeting", 5, "[0].greeting"),
        ("autoLockLanguage", "sometimes", "[0].autoLockLanguage"),
        ("mcpServers", [{"auth": {}}], "[0].mcpServers[0].url"),
        ("eventHook", 5, "[0].eventHook"),
        ("toolFiller", True, "[0].toolFiller"),
        ("llm", {"llmOptions": {"temperature": "hot"}}, "[0].llm.llmOptions.temperature"),
        ("llm", {"llmOptions": {"reasoningEffort": "none"}}, "[0].llm.llmOptions.reasoningEffort"),
        ("llm", {"llmOptions": {"tools": [{"name": "a"}, {"x": 1}]}}, "[0].llm.llmOptions.tools[1].name"),
        (
            "llm",
            {"llmOptions": {"messages": [{"role": "robot", "content": "x"}]}},
            "[0].llm.llmOptions.messages[0].role",
        ),
        ("stt", {"vendor": "deepgram", "hints": 5}, "[0].stt.hints"),
    ],
)
def test_a_wrong_tuning_member_of_an_agent_is_left_out(member: str, value: object, path: str) -> None:
    parsed = parse_verbs([{"verb": "agent", member: value}])
    assert isinstance(parsed.verbs[0], Agent)
    assert [warning.partition(": ")[0] for warning in parsed.warnings] == [path]


def test_several_wrong_members_are_all_named() -> None:
    parsed = parse_verbs([{"verb": "agent", "greeting": 5, "eventHook": {}, "bargeIn": {"threshold": 5, "sticky": []}}])
    assert len(parsed.warnings) == 4
    assert parsed.verbs[0] == Agent()
    with pytest.raises(SpecError, match="too many"):
        parse_verbs([{"verb": "agent", "mcpServers": [{"roots": []}] * 60}])


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({"verb": "say"}, "malformed jambonz payload: must be array"),
        (None, "malformed jambonz payload: must be array"),
        (["say"], "malformed jambonz payload: must be array of objects"),
        ([None], "malformed jambonz payload: must be array of objects"),
        ([[]], "malformed jambonz payload: must be array of objects"),
        ([{"say": {}, "play": {}}], "malformed jambonz payload: missing verb property"),
        ([{}], "malformed jambonz payload: missing verb property"),
        ([{"verb": 5}], "must be a string"),
        ([{"say": "hi"}], "must be an object"),
        ([{"frobnicate": {}}], "unknown verb 'frobnicate'"),
        ([{"verb": "answer"}] * 1001, "more than 1000 verbs"),
    ],
)
def test_malformed_payloads(payload: object, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        parse_verbs(payload)


def test_every_verb_of_the_schema_is_known() -> None:
    names = {path.name.removesuffix(".schema.json").replace("sip-", "sip:") for path in SCHEMAS.glob("verbs/*.json")}
    names = {name.replace("rest_dial", "rest:dial") for name in names}
    for name in names:
        canonical = SYNONYMS.get(name, (name, None))[0]
        assert canonical in MODELS or canonical in KNOWN_VERBS, name


@pytest.mark.parametrize("name", sorted(KNOWN_VERBS | SYNONYMS.keys()))
def test_known_verbs_that_do_not_run_keep_their_name(name: str) -> None:
    verb = parse_verbs([{"verb": name, "id": "x", "vendor": "own"}]).verbs[0]
    assert verb == UnsupportedVerb(verb=SYNONYMS.get(name, (name, None))[0], id="x")


def test_repetitions_and_alternatives() -> None:
    verbs = parse_verbs(
        [{"verb": "say", "text": ["a", " "], "loop": "forever"}, {"verb": "play", "url": "u", "loop": "3"}]
    )
    say, play = verbs.verbs
    assert isinstance(say, Say)
    assert (say.texts, say.loop) == (("a",), 0)
    assert isinstance(play, Play)
    assert (play.urls, play.loop) == (("u",), 3)
    decline = parse_verbs([{"verb": "sip:decline", "status": 486, "headers": {"X-A": 1}}]).verbs[0]
    assert isinstance(decline, SipDecline)
    assert decline.headers == {"X-A": "1"}


def test_config_says_what_it_changes() -> None:
    config = parse_verbs([{"verb": "config", "notifyEvents": False, "bargeIn": {}, "odd": 1, "id": "c"}]).verbs[0]
    assert isinstance(config, Config)
    assert config.written_members == {"notifyEvents", "bargeIn", "id"}
    assert config.not_yet_run == ("bargeIn",)


def agent_of(llm_options: dict[str, Any], **llm: Any) -> Agent:
    verb = parse_verbs([{"verb": "agent", "llm": {"llmOptions": llm_options, **llm}}]).verbs[0]
    assert isinstance(verb, Agent)
    return verb


def test_system_entries_become_the_system_prompt() -> None:
    agent = agent_of(
        {
            "systemPrompt": "First.",
            "messages": [
                {"role": "system", "content": [{"type": "text", "text": "Second."}]},
                {"role": "user", "content": "hi"},
                {"role": "assistant", "content": {"text": "hello"}},
                {"role": "assistant", "content": None, "tool_calls": []},
                {"role": "tool", "content": "42"},
                {"role": "system", "content": "Third."},
            ],
        }
    )
    assert agent.system_prompt == "First.\n\nSecond.\n\nThird."
    assert agent.seed_messages == (SeedMessage("user", "hi"), SeedMessage("assistant", "hello"))
    assert agent_of({"initialMessages": [{"role": "user", "content": "x"}]}).seed_messages == (
        SeedMessage("user", "x"),
    )
    assert Agent().system_prompt == ""


@pytest.mark.agent_row("message content")
@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("a", "a"),
        (None, ""),
        (["a", {"type": "text", "text": "b"}, {"type": "image_url", "image_url": {}}], "a\nb"),
        ({"content": ["x"]}, "x"),
        ({"odd": 1}, '{"odd": 1}'),
        (5, "5"),
    ],
)
def test_message_content_becomes_text(content: object, text: str) -> None:
    assert message_text(content) == text


@pytest.mark.agent_row("llm.llmOptions.tools")
def test_both_shapes_of_tools() -> None:
    parameters = {"type": "object", "properties": {"cityName": {"type": "string"}}}
    flat = {"name": "a", "description": "d", "parameters": parameters}
    agent = agent_of({"tools": [flat, {"type": "function", "function": flat}, {"name": "bare"}]})
    first, second, bare = agent.llm.llm_options.tools
    assert first.model_dump(include={"name", "description", "parameters"}) == flat
    assert second.parameters == parameters
    assert bare.parameters == {"type": "object", "properties": {}}


def test_inline_credentials_stay_out_of_sight() -> None:
    agent = agent_of({}, auth={"apiKey": "sk-secret", "baseURL": "https://x"}, vendorParams={"a": 1})
    assert agent.llm.auth_fields == {"api_key": "sk-secret", "base_url": "https://x"}
    assert "sk-secret" not in repr(agent)
    assert agent.llm.all_vendor_params == {"a": 1}
    assert Agent().llm.auth_fields is None
    with pytest.raises(SpecError) as caught:
        parse_verbs([{"verb": "agent", "llm": {"auth": "sk-secret"}}])
    assert "sk-secret" not in str(caught.value)


def test_shorthands_of_raw_applications() -> None:
    verb = parse_verbs(
        [{"verb": "agent", "bargeIn": False, "hangup": True, "noiseIsolation": False, "greeting": "Hi!"}]
    )
    agent = verb.verbs[0]
    assert isinstance(agent, Agent)
    assert verb.warnings == ()
    assert not agent.barge_in.enable
    assert agent.hangup is not None
    assert agent.noise_isolation is None
    assert agent.greeting == "Hi!"


HOOKS = st.sampled_from(["/a", "https://x/y", {"url": "/b"}, {"url": "/c", "method": "GET"}])
AGENTS = st.fixed_dictionaries(
    {"verb": st.just("agent")},
    optional={
        "id": st.text(max_size=5),
        "turnDetection": st.sampled_from(["stt", "krisp", {"mode": "krisp"}, {"mode": "krisp", "threshold": 0.5}]),
        "bargeIn": st.fixed_dictionaries(
            {},
            optional={
                "enable": st.booleans(),
                "strategy": st.sampled_from(["vad", "interruptPrediction"]),
                "threshold": st.floats(0, 1),
                "minSpeechDuration": st.floats(0, 10),
                "sticky": st.booleans(),
                "unknown": st.integers(),
            },
        ),
        "greeting": st.booleans(),
        "noResponseTimeout": st.floats(0, 100),
        "actionHook": HOOKS,
        "eventHook": HOOKS,
        "stt": st.fixed_dictionaries({"vendor": st.text(max_size=5)}, optional={"language": st.text(max_size=5)}),
        "tts": st.fixed_dictionaries({"vendor": st.text(max_size=5)}, optional={"voice": st.text(max_size=5)}),
        "llm": st.fixed_dictionaries(
            {},
            optional={
                "vendor": st.text(max_size=5),
                "auth": st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
                "llmOptions": st.fixed_dictionaries(
                    {},
                    optional={
                        "maxTokens": st.integers(1, 9999),
                        "temperature": st.floats(0, 2),
                        "messages": st.lists(
                            st.fixed_dictionaries(
                                {
                                    "role": st.sampled_from(["system", "user", "assistant"]),
                                    "content": st.text(max_size=9),
                                }
                            ),
                            max_size=3,
                        ),
                    },
                ),
            },
        ),
    },
)


@given(AGENTS)
def test_agents_that_the_schema_allows_are_read_whole(agent: dict[str, Any]) -> None:
    auth = agent.get("llm", {}).get("auth", {})
    if "apiKey" not in auth:
        assert ORACLE.validate_app([agent]) == []
    assert parse_verbs([agent]).warnings == ()


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = sorted({field.alias or name for name, field in Agent.model_fields.items()} | {"vad"})


@given(st.dictionaries(st.sampled_from(MEMBERS), ANYTHING, max_size=5))
def test_no_agent_breaks_the_reader(members: dict[str, Any]) -> None:
    try:
        parsed = parse_verbs([{**members, "verb": "agent"}])
    except SpecError as error:
        assert error.path.startswith("[0]")  # noqa: PT017
    else:
        agent = parsed.verbs[0]
        assert isinstance(agent, Agent)
        assert isinstance(agent.system_prompt, str)
        assert all(warning.startswith("[0].") for warning in parsed.warnings)


@given(ANYTHING)
def test_nothing_breaks_the_reader(payload: object) -> None:
    try:
        parse_verbs(payload)
    except SpecError as error:
        assert str(error)  # noqa: PT017


def test_hooks_are_kept_exactly() -> None:
    agent = parse_verbs([{"verb": "agent", "actionHook": "//odd/?x=http://y#rc=1"}]).verbs[0]
    assert isinstance(agent, Agent)
    assert agent.action_hook == Hook("//odd/?x=http://y#rc=1")


def test_noise_isolation_may_be_switched_off_by_a_word() -> None:
    [agent] = parse_verbs([{"verb": "agent", "noiseIsolation": "off"}]).verbs
    assert isinstance(agent, Agent)
    assert agent.noise_isolation is not None
    assert not agent.noise_isolation.enable


def test_keys_of_other_engines_are_not_shown() -> None:
    [agent] = parse_verbs([{"verb": "agent", "noiseIsolation": {"mode": "other", "auth": {"apiKey": "s3cret"}}}]).verbs
    assert "s3cret" not in repr(agent)
