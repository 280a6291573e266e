"""A conversation that outgrows its model's context goes on: shortened in time, and when the vendor refuses it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from moonwire.sandbox.caller import HangUp, Say, Step, WaitForSilence
from moonwire.sandbox.moonshot import Fault
from moonwire.sandbox.moonshot.registry import registry
from moonwire.sandbox.virtual_time import virtual_time

from .stage import AGENT, Stage, staged

SUMMER = date(2026, 8, 1)
"""Models with a small context were still alive."""

LINES = ["And on Sundays?", "And on Mondays?", "And on Tuesdays?"]
STEPS: tuple[Step, ...] = (
    WaitForSilence(),
    *(step for line in LINES for step in (Say(line), WaitForSilence())),
    HangUp(),
)


def agent(seeds: int, **llm: Any) -> dict[str, Any]:
    said = [
        {"role": role, "content": f"{role} {turn}: " + "we spoke about the weather and the sea. " * 8}
        for turn in range(seeds)
        for role in ("user", "assistant")
    ]
    options = {"systemPrompt": "You are a receptionist.", "messages": said}
    return AGENT | {"greeting": "Hello.", "llm": {"vendor": "moonshot", "llmOptions": options, **llm}}


def statuses(stage: Stage) -> list[int | None]:
    return [chat.status for chat in stage.moonshot.chats]


@pytest.mark.agent_row("a conversation longer than the model's context")
@virtual_time
async def test_it_is_shortened_before_the_vendor_refuses(tmp_path: Path) -> None:
    async with staged(tmp_path, day=SUMMER) as stage:
        stage.run_application([agent(60, model="moonshot-v1-8k")])
        stage.deepgram.set_hearing(LINES)
        report, _ = await stage.call(*STEPS)
        assert report.ok, report.problems
        assert statuses(stage) == [200, 200, 200]
        (shortened,) = stage.named("llm", name="history_shortened")
        assert shortened["messages"] > 20
        assert shortened["context_tokens"] == 8192
        first, second, third = (chat.messages for chat in stage.moonshot.chats)
        assert first[0] == second[0] == {"role": "system", "content": "You are a receptionist."}
        assert second[: len(first)] == first, "the vendor's cache finds the beginning again"
        assert third[: len(second)] == second
        assert first[1]["role"] == "user"


@pytest.mark.agent_row("a conversation longer than the model's context")
@virtual_time
async def test_a_refusal_shortens_it_and_the_caller_notices_nothing(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        # A model of somebody's own: no list tells how much it takes in.
        stage.moonshot.world.models["house-model"] = replace(
            registry()["kimi-k2.6"], id="house-model", context_tokens=5_000
        )
        stage.moonshot.faults.add(Fault("slow_models"))
        stage.run_application([agent(60, model="house-model") | {"greeting": True}])
        stage.deepgram.set_hearing(LINES)
        report, _ = await stage.call(*STEPS)
        assert report.ok, report.problems
        assert statuses(stage) == [400, 200, 200, 200, 200]
        assert len(stage.named("llm", name="history_shortened")) == 1
        assert stage.named("error") == []
        assert stage.books.alerts == []


@virtual_time
async def test_a_refused_warm_up_is_learned_from(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        small = replace(registry()["kimi-k2.6"], id="house-model", context_tokens=5_000)
        stage.moonshot.world.models["house-model"] = small
        stage.moonshot.faults.add(Fault("server_error", on="models"))
        stage.run_application([agent(60, model="house-model")])
        stage.deepgram.set_hearing(LINES)
        report, _ = await stage.call(*STEPS)
        assert report.ok, report.problems
        assert statuses(stage) == [400, 200, 200, 200]
        assert stage.moonshot.chats[0].json["max_completion_tokens"] == 1
        assert len(stage.named("llm", name="history_shortened")) == 1


@virtual_time
async def test_what_cannot_be_shortened_is_told(tmp_path: Path) -> None:
    async with staged(tmp_path, day=SUMMER) as stage:
        stage.run_application(
            [
                AGENT
                | {
                    "greeting": "Hello.",
                    "llm": {
                        "vendor": "moonshot",
                        "model": "moonshot-v1-8k",
                        "llmOptions": {"systemPrompt": "You are a receptionist. " * 3000},
                    },
                }
            ]
        )
        stage.deepgram.set_hearing(LINES)
        await stage.call(WaitForSilence(), Say(LINES[0]), WaitForSilence(), HangUp())
        error = stage.named("error")[0]
        assert error["code"] == "context-too-long"
        assert "horten the prompt" in error["remedy"]
