"""The simulated Moonshot as a plain HTTP client sees it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import aiohttp
import pytest

from moonwire.sandbox.moonshot import SANDBOX_KEYS, MoonshotSimulator, Pacing, ScriptedAnswer, ScriptedCall
from moonwire.sandbox.moonshot.limits import TIER_0, Tier

KEY, CHINA_KEY = SANDBOX_KEYS["global"][0], SANDBOX_KEYS["china"][0]
HELLO = [{"role": "user", "content": "Hello"}]


class Client:
    def __init__(self, http: aiohttp.ClientSession, base_url: str) -> None:
        self.http = http
        self.base_url = base_url

    async def ask(self, key: str | None = KEY, **body: Any) -> tuple[int, Any]:
        body = {"model": "kimi-k2.6", "messages": HELLO, "thinking": {"type": "disabled"}, **body}
        present = {name: value for name, value in body.items() if value is not ...}
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with self.http.post(f"{self.base_url}/chat/completions", json=present, headers=headers) as response:
            text = await response.text()
            return response.status, text if body.get("stream") and response.status == 200 else json.loads(text)

    async def refused(self, **body: Any) -> str:
        status, answer = await self.ask(**body)
        assert status == 400, answer
        assert answer["error"]["type"] == "invalid_request_error"
        assert set(answer["error"]) == {"message", "type"}
        return answer["error"]["message"]


@pytest.fixture
async def simulator() -> AsyncIterator[MoonshotSimulator]:
    running = MoonshotSimulator(pacing=Pacing(first_token_s=0.0, gap_s=0.0, thinking_s=0.0))
    yield running
    await running.stop()


@pytest.fixture
async def client(simulator: MoonshotSimulator) -> AsyncIterator[Client]:
    base_url = await simulator.start()
    async with aiohttp.ClientSession() as http:
        yield Client(http, base_url)


async def test_regions_have_disjoint_keys(simulator: MoonshotSimulator, client: Client) -> None:
    assert (await client.ask())[0] == 200
    status, answer = await client.ask(CHINA_KEY)
    assert (status, answer["error"]["type"]) == (401, "invalid_authentication_error")
    assert answer["error"]["message"] == "Invalid Authentication"
    status, answer = await client.ask(None)
    assert (status, answer["error"]["type"]) == (401, "incorrect_api_key_error")
    client.base_url = await simulator.start(region="china")
    assert (await client.ask(CHINA_KEY))[0] == 200


@pytest.mark.parametrize(
    ("day", "live", "gone"),
    [
        (date(2025, 9, 1), "moonshot-v1-8k kimi-latest kimi-k2-0711-preview moonshot-v1-32k", "kimi-k2.6 kimi-k2.5"),
        (date(2026, 11, 22), "kimi-k2.6 kimi-k3 kimi-k3.1-pro kimi-k2.7-code", "kimi-latest kimi-k2.5 moonshot-v1-8k"),
        (date(2027, 1, 5), "kimi-k3 kimi-k3.1-pro-highspeed", "kimi-k2.6 kimi-k2.7-code"),
    ],
)
async def test_models_live_and_die_by_date(
    simulator: MoonshotSimulator, client: Client, day: date, live: str, gone: str
) -> None:
    simulator.world.models = {}
    async with client.http.put(
        client.base_url.replace("/v1", "/__sim/date"), data=json.dumps(day.isoformat())
    ) as response:
        assert response.status == 200
    async with client.http.get(f"{client.base_url}/models", headers={"Authorization": f"Bearer {KEY}"}) as response:
        listed = {entry["id"]: entry for entry in (await response.json())["data"]}
    assert set(live.split()) <= set(listed)
    assert not set(gone.split()) & set(listed)
    status, answer = await client.ask(model=gone.split()[0])
    assert status == 404
    assert answer["error"]["message"] == f"Not found the model {gone.split()[0]} or Permission denied"


async def test_a_stream_has_moonshots_shape(simulator: MoonshotSimulator, client: Client) -> None:
    simulator.say(ScriptedAnswer("Sure. Look:", (ScriptedCall("look", {"a": "ü"}),)))
    _, text = await client.ask(stream=True, stream_options={"include_usage": True})
    lines = [line.removeprefix("data: ") for line in text.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    chunks = [json.loads(line) for line in lines[:-1]]
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"] == chunks[-2]["choices"][0]["usage"]
    assert chunks[-2]["choices"][0]["finish_reason"] == "tool_calls"
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks[1:-2]]
    assert "".join(delta.get("content", "") for delta in deltas) == "Sure. Look:"
    calls = [delta["tool_calls"][0] for delta in deltas if "tool_calls" in delta]
    assert calls[0]["id"] == "functions.look:0"
    assert json.loads("".join(call["function"]["arguments"] for call in calls)) == {"a": "ü"}


async def test_a_forgotten_thinking_switch_thinks_first(client: Client) -> None:
    _, text = await client.ask(stream=True, thinking=...)
    assert text.index("reasoning_content") < text.index('"content":"Hello')
    _, text = await client.ask(stream=True)
    assert "reasoning_content" not in text


TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
CALLED = {"role": "assistant", "tool_calls": [{"id": "look:0", "type": "function", "function": {"name": "look"}}]}
RESULT = {"role": "tool", "tool_call_id": "look:0", "content": "x"}


def tool(**function: Any) -> dict[str, Any]:
    return {"type": "function", "function": {**TOOL["function"], **function}}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"messages": []}, "messages must not be empty"),
        ({"temperature": 0.7}, "invalid temperature: only 0.6 is allowed for this model"),
        ({"temperature": 0.6, "thinking": ...}, "invalid temperature: only 1 is allowed for this model"),
        ({"top_p": 1}, "invalid top_p: only 0.95"),
        ({"n": 2}, "invalid n: only 1"),
        ({"messages": [{"role": "developer", "content": "x"}]}, "ROLE_UNSPECIFIED"),
        (
            {"messages": [*HELLO, {"role": "assistant", "content": ""}]},
            "the message at position 1 with role 'assistant' must not be empty",
        ),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]}, "text content is empty"),
        ({"tools": [tool(name="9look")]}, "function name is invalid, must start with a letter"),
        ({"tools": [tool(parameters={})]}, 'tools.function.parameters.type is required and must be "object"'),
        (
            {"tools": [tool(parameters={"type": "object", "properties": {"x": {}}})]},
            "is not a valid moonshot flavored json schema, details: <At path 'properties.x': type is not defined>",
        ),
        ({"messages": [*HELLO, RESULT]}, "tool_call_id look:0 is not found"),
        ({"messages": [CALLED, *HELLO]}, "did not have response messages: look:0"),
        (
            {"messages": [CALLED, RESULT, *HELLO], "thinking": ...},
            "thinking is enabled but reasoning_content is missing in assistant tool call message at index 0",
        ),
        ({"reasoning_effort": "low"}, "cannot specify both 'thinking' and 'reasoning_effort'"),
        (
            {"tool_choice": {"type": "function"}, "thinking": ...},
            "tool_choice 'specified' is incompatible with thinking enabled",
        ),
        ({"tool_choice": "required", "thinking": ...}, "tool_choice 'required' is incompatible with thinking enabled"),
        ({"thinking": {"type": "disabled", "budget": 1}}, "thinking has unknown members"),
        ({"model": "kimi-k3", "thinking": {"type": "disabled"}}, "only enabled is allowed"),
        ({"max_completion_tokens": 300_000}, "exceeded model token limit : 262144"),
        ({"max_completion_tokens": 0}, "must be a positive integer"),
    ],
)
async def test_requests_are_refused_with_moonshots_texts(client: Client, body: Any, text: str) -> None:
    assert text in await client.refused(**body)


async def test_the_order_of_complaints(client: Client) -> None:
    bad: dict[str, Any] = {
        "temperature": 0.7,
        "messages": [{"role": "developer"}],
        "tools": [tool(name="9")],
        "reasoning_effort": "low",
    }
    assert (await client.ask("sk-wrong", model="gone", **bad))[0] == 401
    assert (await client.ask(model="gone", **bad))[0] == 404
    assert "temperature" in await client.refused(**bad)
    del bad["temperature"]
    assert "role" in await client.refused(**bad)
    del bad["messages"]
    assert "function name" in await client.refused(**bad)


async def test_what_good_clients_send_is_accepted(client: Client) -> None:
    history = [*HELLO, {**CALLED, "reasoning_content": " "}, RESULT, *HELLO]
    assert (await client.ask(messages=history, tools=[TOOL], thinking=..., tool_choice="auto"))[0] == 200
    assert (await client.ask(model="kimi-k3", messages=history, thinking=..., reasoning_effort="low"))[0] == 200
    status, answer = await client.ask(stop=["help"], max_tokens=3)
    assert (status, answer["choices"][0]["finish_reason"]) == (200, "length")


async def test_the_lowest_tier_holds_no_conversation(simulator: MoonshotSimulator, client: Client) -> None:
    simulator.world.tiers[KEY] = TIER_0
    assert [(await client.ask(max_completion_tokens=100))[0] for _ in range(4)] == [200, 200, 200, 429]
    _, answer = await client.ask()
    assert "max organization RPM: 3, please try again after" in answer["error"]["message"]


async def test_tokens_are_counted_with_the_requested_cap(simulator: MoonshotSimulator, client: Client) -> None:
    simulator.world.tiers[KEY] = Tier(tpm=50_000)
    assert [(await client.ask())[0] for _ in range(2)] == [200, 429]


async def test_balance_and_estimate(client: Client) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    async with client.http.get(f"{client.base_url}/users/me/balance", headers=headers) as response:
        assert (await response.json())["data"]["available_balance"] > 0
    async with client.http.post(
        f"{client.base_url}/tokenizers/estimate-token-count",
        json={"model": "kimi-k2.6", "messages": HELLO},
        headers=headers,
    ) as response:
        assert (await response.json())["data"]["total_tokens"] > 0
    async with client.http.get(f"{client.base_url}/nothing") as response:
        assert response.status == 404


async def test_another_process_can_switch_everything(client: Client) -> None:
    def at(what: str) -> str:
        return client.base_url.replace("/v1", f"/__sim/{what}")

    async with client.http.post(at("faults"), json={"kind": "server_error", "times": 1}) as response:
        assert [fault["kind"] for fault in await response.json()] == ["server_error"]
    assert (await client.ask())[0] == 500
    assert (await client.ask())[0] == 200
    async with client.http.put(at("faults"), json=[{"kind": "quota"}]) as response:
        assert response.status == 200
    assert (await client.ask())[0] == 429
    async with client.http.delete(at("faults")) as response:
        assert await response.json() == []
    async with client.http.post(at("lines"), json=[{"text": "Scripted."}]) as response:
        assert response.status == 200
    assert (await client.ask())[1]["choices"][0]["message"]["content"] == "Scripted."
    async with client.http.put(at("wire"), json={"usage": "none"}) as response:
        assert (await response.json())["usage"] == "none"
    async with client.http.put(at("pacing"), json={"gap_s": 0.5}) as response:
        assert (await response.json())["gap_s"] == 0.5
    async with client.http.get(at("requests")) as response:
        records = await response.json()
    assert [record["status"] for record in records] == [500, 200, 429, 200]
    assert KEY not in json.dumps(records)
    async with client.http.delete(at("requests")) as response:
        assert await response.json() == []
    for what, body in (("faults", {"kind": "nonsense"}), ("nothing", {}), ("wire", "x")):
        async with client.http.put(at(what), json=body) as response:
            assert response.status == 400
