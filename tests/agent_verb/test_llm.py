"""What the model is asked, seen at the vendor's end."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.agent_verb.talk import HOURS, Talk, held
from tests.call.application import Application
from tests.call.stage import AGENT, Stage

from moonwire.sandbox.caller import HangUp, Pause, Say, WaitForSilence
from moonwire.sandbox.moonshot import Fault, Pacing
from moonwire.sandbox.virtual_time import virtual_time


async def asked(tmp_path: Path, **options: Any) -> dict[str, Any]:
    """Return the request for the answer to one question."""
    return (await held(tmp_path, {"llm": {"llmOptions": options}})).requests[-1]


async def refused(tmp_path: Path, llm: dict[str, Any]) -> Talk:
    talk = await held(tmp_path, {"llm": llm}, steps=[WaitForSilence(), Pause(30)])
    assert talk.report.agent_speech, "a spoken sentence"
    assert talk.hooked("/complete")[0]["completion_reason"] == "server error"
    return talk


@virtual_time
async def test_llm_vendor(tmp_path: Path) -> None:
    talk = await refused(tmp_path, {"vendor": "openai"})
    assert "openai" in talk.errors[0]["msg"]
    assert talk.stage.books.alerts


@virtual_time
async def test_llm_model(tmp_path: Path) -> None:
    talk = await held(tmp_path, {"llm": {"model": "kimi-k3"}})
    assert talk.requests[-1]["model"] == "kimi-k3"


@virtual_time
async def test_llm_label(tmp_path: Path) -> None:
    talk = await refused(tmp_path, {"label": "second account"})
    assert "second account" in talk.errors[0]["msg"]


@virtual_time
async def test_llm_auth(tmp_path: Path) -> None:
    def bring(stage: Stage, application: Application) -> None:
        stored = stage.directory.llm_credential("", "moonshot", None)
        assert stored is not None
        auth = {"apiKey": "sk-mine", "baseURL": stored.base_url}
        application.agent["llm"] = AGENT["llm"] | {"auth": auth}

    talk = await held(tmp_path, before=bring)
    assert talk.stage.moonshot.chats[-1].key == "sk-mine"
    assert talk.stage.moonshot.chats[-1].status == 401
    assert "sk-mine" not in str(talk.errors) + str(talk.stage.lines)


@virtual_time
async def test_llm_connect_options_timeout(tmp_path: Path) -> None:
    llm = {"connectOptions": {"timeout": 700, "maxRetries": 0}}
    steps = [WaitForSilence(), Say(HOURS), WaitForSilence(), HangUp()]
    talk = await held(
        tmp_path,
        {"llm": llm},
        steps=steps,
        before=lambda stage, _: setattr(stage.moonshot.world, "pacing", Pacing(first_token_s=3.0)),
    )
    (asked_at,) = [chat.arrived_s for chat in talk.stage.moonshot.chats]
    gone_at = talk.stage.moonshot.chats[0].disconnected_s
    assert gone_at is not None
    assert 0.6 < gone_at - asked_at < 1.0


@pytest.mark.parametrize(("retries", "attempts"), [(0, 1), (2, 3)])
def test_llm_connect_options_max_retries(retries: int, attempts: int, tmp_path: Path) -> None:
    @virtual_time
    async def scene() -> None:
        talk = await held(
            tmp_path,
            {"llm": {"connectOptions": {"maxRetries": retries}}},
            before=lambda stage, _: stage.moonshot.faults.add(Fault("overloaded", times=attempts)),
        )
        assert len(talk.stage.moonshot.chats) == attempts

    scene()


@virtual_time
async def test_llm_connect_options_base_url(tmp_path: Path) -> None:
    talk = await held(tmp_path, {"llm": {"connectOptions": {"baseURL": "https://elsewhere.example/v1"}}})
    assert talk.requests == []
    assert talk.errors, "a stored key goes nowhere else"


@virtual_time
async def test_llm_llm_options_system_prompt(tmp_path: Path) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "I am Ada."}]
    sent = (await asked(tmp_path, systemPrompt="You are Luna.", messages=messages))["messages"]
    assert sent[0] == {"role": "system", "content": "You are Luna.\n\nBe brief."}


@virtual_time
async def test_llm_llm_options_messages(tmp_path: Path) -> None:
    messages = [
        {"role": "system", "content": "You are Luna."},
        {"role": "user", "content": "I am Ada."},
        {"role": "assistant", "content": "Hello Ada."},
    ]
    sent = (await asked(tmp_path, systemPrompt=None, messages=messages))["messages"]
    assert [message["content"] for message in sent] == [*("You are Luna.", "I am Ada.", "Hello Ada. Hello.", HOURS)]


@virtual_time
async def test_llm_llm_options_initial_messages(tmp_path: Path) -> None:
    messages = [{"role": "system", "content": "You are Luna."}]
    sent = (await asked(tmp_path, systemPrompt=None, initialMessages=messages))["messages"]
    assert sent[0] == {"role": "system", "content": "You are Luna."}


@virtual_time
async def test_message_content(tmp_path: Path) -> None:
    parts = [{"type": "text", "text": "You are"}, {"type": "text", "text": "Luna."}]
    sent = (await asked(tmp_path, systemPrompt=None, messages=[{"role": "system", "content": parts}]))["messages"]
    assert sent[0]["content"] == "You are\nLuna."


@virtual_time
async def test_llm_llm_options_max_tokens(tmp_path: Path) -> None:
    sent = await asked(tmp_path, maxTokens=77)
    assert sent.get("max_completion_tokens", sent.get("max_tokens")) == 77


@virtual_time
async def test_llm_llm_options_temperature(tmp_path: Path) -> None:
    llm = {"model": "moonshot-v1-8k", "llmOptions": {"temperature": 0.4}}
    talk = await held(tmp_path, {"llm": llm}, day=date(2026, 3, 1))
    assert talk.requests[-1]["temperature"] == 0.4


@virtual_time
async def test_llm_llm_options_temperature__left_out_where_the_model_fixes_it(tmp_path: Path) -> None:
    assert "temperature" not in await asked(tmp_path, temperature=0.4)


@virtual_time
async def test_llm_llm_options_reasoning_effort(tmp_path: Path) -> None:
    assert (await asked(tmp_path, reasoningEffort="minimal"))["thinking"] == {"type": "disabled"}
    assert (await asked(tmp_path, reasoningEffort="high")).get("thinking", {}).get("type") != "disabled"


@virtual_time
async def test_vendor_params(tmp_path: Path) -> None:
    llm = {"vendorParams": {"prompt_cache_key": "a", "stream": False}, "llmOptions": {"vendorParams": {"seed": 1}}}
    sent = (await held(tmp_path, {"llm": llm})).requests[-1]
    assert sent["prompt_cache_key"] == "a"
    assert sent["stream"] is True
