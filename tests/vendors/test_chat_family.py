"""What each OpenAI-compatible vendor's traits put into the body, the headers and the address."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from moonwire.core.dialog.messages import AssistantMessage, SystemMessage, ToolCall, ToolMessage, UserMessage
from moonwire.errors import ConfigError, RemoteProtocolError, RequestRejectedError
from moonwire.observe.clock import SystemClock
from moonwire.ports.directory import VendorCredential
from moonwire.ports.llm import ChatRequest, ToolDefinition
from moonwire.sandbox.chat_family import ChatFamilySimulator, Quirks
from moonwire.sandbox.chat_family.quirks import openai_error
from moonwire.sandbox.contracts.llm import collect
from moonwire.vendors.chat_family import listed_models
from moonwire.vendors.chat_vendor import ConnectOptions
from moonwire.vendors.connections import EndpointKnowledge, VendorConnections
from moonwire.vendors.llm import credential_from_auth, open_llm

WEATHER = ToolDefinition("get_weather", "Weather.", {"type": "object", "properties": {"city": {"type": "string"}}})
HELLO = (SystemMessage("Be brief."), UserMessage("Hello?"))


def account(vendor: str, **fields: str) -> Any:
    credential = VendorCredential(vendor, secrets={"api_key": SecretStr("key-1")}, fields=fields)
    return open_llm(credential, VendorConnections(SystemClock())).vendor


def body(vendor: str, model: str, repairs: frozenset[str] = frozenset(), **request: Any) -> dict[str, Any]:
    fields = {"endpoint": "https://r.openai.azure.com", "deployment": "d"} if vendor == "azure-openai" else {}
    if vendor == "openai-compatible":
        fields = {"base_url": "http://127.0.0.1:11434"}
    knowledge = EndpointKnowledge(SystemClock())
    return dict(account(vendor, **fields).plan(ChatRequest(model, HELLO, **request), model, repairs, knowledge).body)


@pytest.mark.parametrize(
    ("vendor", "model", "cap"),
    [
        ("openai", "gpt-4o-mini", "max_tokens"),
        ("openai", "o3-mini", "max_completion_tokens"),
        ("openai", "gpt-5-mini", "max_completion_tokens"),
        ("azure-openai", "gpt-4o", "max_completion_tokens"),
        ("deepseek", "deepseek-v4-flash", "max_tokens"),
        ("zai", "glm-4.7", "max_tokens"),
        ("openai-compatible", "llama3.2", "max_tokens"),
    ],
)
def test_the_cap_has_the_vendors_name(vendor: str, model: str, cap: str) -> None:
    sent = body(vendor, model, max_tokens=123)
    assert {name: sent.get(name) for name in ("max_tokens", "max_completion_tokens") if name in sent} == {cap: 123}
    assert "max_tokens" not in body(vendor, model)
    other = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}[cap]
    assert body(vendor, model, frozenset({"other-cap"}), max_tokens=123)[other] == 123


@pytest.mark.parametrize(
    ("vendor", "model", "effort", "members"),
    [
        ("openai", "gpt-4o", "low", {}),
        ("openai", "gpt-5-mini", "minimal", {"reasoning_effort": "minimal"}),
        ("openai", "gpt-5-mini", None, {}),
        ("deepseek", "deepseek-v4-flash", None, {"thinking": {"type": "disabled"}}),
        ("deepseek", "deepseek-v4-flash", "high", {"reasoning_effort": "high"}),
        ("deepseek", "deepseek-chat", None, {}),
        ("groq", "openai/gpt-oss-20b", None, {"reasoning_effort": "low"}),
        ("groq", "llama-3.1-8b-instant", "low", {}),
        ("xai", "grok-4.20-0309-non-reasoning", "low", {}),
        ("xai", "grok-4.3", "low", {"reasoning_effort": "low"}),
        ("zai", "glm-4.7", None, {"thinking": {"type": "disabled"}}),
        ("zai", "glm-5.3", None, {"reasoning_effort": "low"}),
        ("baseten", "moonshotai/Kimi-K2.6", None, {"chat_template_args": {"thinking": False}}),
        ("baseten", "zai-org/GLM-4.7", None, {"chat_template_args": {"enable_thinking": False}}),
        ("openai-compatible", "anything", "low", {}),
    ],
)
def test_thinking_is_switched_in_the_vendors_way(
    vendor: str, model: str, effort: str | None, members: dict[str, Any]
) -> None:
    sent = body(vendor, model, reasoning_effort=effort)
    switches = ("thinking", "reasoning_effort", "chat_template_args")
    assert {name: sent[name] for name in switches if name in sent} == members


@pytest.mark.parametrize(
    ("vendor", "model", "given", "kept"),
    [
        ("openai", "gpt-5", {"temperature": 0.6, "top_p": 0.5, "seed": 1}, set()),
        ("openai", "gpt-4o", {"temperature": 0.6, "top_p": 0.5}, {"temperature", "top_p"}),
        ("xai", "grok-4.3", {"presence_penalty": 0, "stop": ["x"], "user": "u"}, {"user"}),
        ("groq", "llama-3.1-8b-instant", {"logprobs": True, "temperature": 0}, {"temperature"}),
        (
            "openai",
            "gpt-4o",
            {"model": "other", "stream": False, "max_completion_tokens": 5},
            {"max_completion_tokens"},
        ),
    ],
)
def test_free_members_are_added_but_never_refused_ones(
    vendor: str, model: str, given: dict[str, Any], kept: set[str]
) -> None:
    sent, plain = body(vendor, model, vendor_params=given), body(vendor, model)
    assert set(sent) - set(plain) == kept
    assert (sent["model"], sent["stream"]) == (model, True)


def test_tools() -> None:
    sent = body("openai", "gpt-4o", tools=(WEATHER,))
    assert sent["tool_choice"] == "auto"
    assert sent["tools"][0]["function"]["parameters"]["properties"] == {"city": {"type": "string"}}
    assert "tools" not in body("openai", "o1-mini", tools=(WEATHER,))
    assert "tools" in body("openai", "gpt-6-unknown", tools=(WEATHER,))
    forced = {"tool_choice": "required"}
    assert body("openai", "gpt-4o", tools=(WEATHER,), vendor_params=forced)["tool_choice"] == "required"
    sent = body("zai", "glm-4.7", tools=(WEATHER,), vendor_params=forced)
    assert (sent["tool_choice"], sent["tool_stream"]) == ("auto", True)


def test_stream_options_only_where_they_are_understood() -> None:
    assert body("openai", "gpt-4o")["stream_options"] == {"include_usage": True}
    assert "stream_options" not in body("zai", "glm-4.7")
    assert "stream_options" not in body("openai-compatible", "x", frozenset({"drop-stream-options"}))
    assert "prompt_cache_key" not in body("openai", "gpt-4o")


def test_reasoning_goes_back_where_it_is_wanted() -> None:
    call = ToolCall("call_1", "get_weather", {"city": "Bern"})
    history = (*HELLO, AssistantMessage("", (call,), "I need the weather."), ToolMessage("call_1", "sunny"))
    knowledge = EndpointKnowledge(SystemClock())
    request = ChatRequest("deepseek-v4-pro", history, (WEATHER,), reasoning_effort="high")
    sent: Any = account("deepseek").plan(request, request.model, frozenset(), knowledge).body
    assert sent["messages"][2]["reasoning_content"] == "I need the weather."
    quiet = ChatRequest("deepseek-v4-pro", history, (WEATHER,))
    sent = account("deepseek").plan(quiet, quiet.model, frozenset(), knowledge).body
    assert "reasoning_content" not in sent["messages"][2]


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://r.openai.azure.com",
        "https://r.openai.azure.com/",
        "r.openai.azure.com/openai",
        "https://r.openai.azure.com/openai/deployments/other/chat/completions?api-version=2024",
        "https://r.openai.azure.com/openai/v1/",
    ],
)
def test_azures_address(endpoint: str) -> None:
    place = account("azure-openai", endpoint=endpoint, deployment="my voice", api_version="2025-01-01").endpoint
    assert place.url("/chat/completions") == (
        "https://r.openai.azure.com/openai/deployments/my%20voice/chat/completions?api-version=2025-01-01"
    )
    assert place.headers["api-key"] == "key-1"
    assert "Authorization" not in place.headers


@pytest.mark.parametrize(("vendor", "fields"), [("azure-openai", {"endpoint": "https://x"}), ("openai-compatible", {})])
def test_what_is_missing_is_named(vendor: str, fields: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="missing"):
        account(vendor, **fields)


@pytest.mark.parametrize(
    ("vendor", "auth"),
    [
        ("openai", {"apiKey": "sk-1", "baseURL": "http://127.0.0.1:1/v1"}),
        ("azure-openai", {"apiKey": "k", "endpoint": "https://r", "deployment": "d", "apiVersion": "2025-01-01"}),
        ("azure-openai", {"api_key": "k", "endpoint": "https://r", "deployment": "d", "api_version": "2025-01-01"}),
    ],
)
def test_inline_auth(vendor: str, auth: dict[str, object]) -> None:
    credential = credential_from_auth(vendor, auth)
    assert credential.by_operator is False
    opened = open_llm(credential, VendorConnections(SystemClock()))
    assert opened.vendor.endpoint.api_key == (auth.get("apiKey") or auth.get("api_key"))
    if vendor == "azure-openai":
        assert opened.vendor.endpoint.query == "?api-version=2025-01-01"


def test_a_stored_key_stays_with_its_host() -> None:
    stored = VendorCredential("openai", sid="1", secrets={"api_key": SecretStr("sk-1")})
    pool = VendorConnections(SystemClock())
    with pytest.raises(RequestRejectedError, match="own key"):
        open_llm(stored, pool, ConnectOptions(base_url="https://elsewhere.example/v1"))
    same = open_llm(stored, pool, ConnectOptions(base_url="https://api.openai.com/v1/"))
    assert same.vendor.endpoint.base_url == "https://api.openai.com/v1"


def test_model_lists() -> None:
    assert [one.id for one in listed_models(b'{"data":[{"id":"a"},{"id":""}]}')] == ["a"]
    assert [one.context_tokens for one in listed_models(b'[{"id":"a","context_window":5}]')] == [5]
    with pytest.raises(RemoteProtocolError):
        listed_models(b"<html>")


@pytest.mark.parametrize(
    ("says", "without"),
    [
        ("Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.", "max_tokens"),
        ("temperature is not supported with this model", "temperature"),
        ("Unrecognized request argument supplied: stream_options", "stream_options"),
    ],
)
async def test_a_host_that_refuses_by_name_gets_it_once(
    says: str, without: str, connections_: Callable[[], VendorConnections]
) -> None:
    def refuses(asked: Any) -> Any:
        return (400, openai_error(says)) if without in asked else None

    simulator = ChatFamilySimulator("openai-compatible", key="k", quirks=Quirks(refuses=refuses, models=("m",)))
    pool = connections_()
    fields = {"base_url": await simulator.start()}
    credential = VendorCredential("openai-compatible", secrets={"api_key": SecretStr("k")}, fields=fields)
    try:
        for _ in range(2):
            model = open_llm(credential, pool)
            assert (await collect(model, ChatRequest("m", HELLO, max_tokens=9, temperature=0.5))).text
        assert len(simulator.chats) == 3, "refused once, remembered for the next call"
    finally:
        await pool.close()
        await simulator.stop()


@pytest.fixture
def connections_() -> Callable[[], VendorConnections]:
    return lambda: VendorConnections(SystemClock())


async def test_an_answer_leaves_no_task(connections_: Callable[[], VendorConnections]) -> None:
    simulator, pool = ChatFamilySimulator("openai", key="k"), connections_()
    credential = VendorCredential(
        "openai", secrets={"api_key": SecretStr("k")}, fields={"base_url": await simulator.start()}
    )
    before = asyncio.all_tasks()
    await collect(open_llm(credential, pool), ChatRequest("gpt-4o", HELLO))
    await pool.close()
    await simulator.stop()
    assert asyncio.all_tasks() <= before
