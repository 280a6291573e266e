"""A long prompt is read by the vendor before the caller's first turn needs it, where that is worth it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from moonwire.sandbox.caller import HangUp, Say, WaitForSilence
from moonwire.sandbox.virtual_time import virtual_time

from .stage import AGENT, staged

HOURS = "Hello, what are your opening hours?"
LONG = "You are a receptionist. " * 500


def agent(prompt: str, **members: Any) -> dict[str, Any]:
    llm = {"vendor": "moonshot", "model": "kimi-k2.6", "llmOptions": {"systemPrompt": prompt}}
    return AGENT | {"greeting": "Good evening.", "llm": llm, **members}


@pytest.mark.parametrize(
    ("verb", "caps"),
    [
        (agent(LONG), [1, 400]),
        (agent("You are a receptionist."), [400]),
        (agent(LONG, greeting=True), [400, 400]),
        (agent(LONG, mcpServers=[{"url": "http://private.example/mcp"}]), [400]),
        (agent(LONG) | {"llm": agent(LONG)["llm"] | {"model": "kimi-k3"}}, [4096]),
    ],
    ids=["long", "short", "model's own greeting", "tools to come", "thinks"],
)
def test_one_token_is_asked_for(verb: dict[str, Any], caps: list[int], tmp_path: Path) -> None:
    @virtual_time
    async def scene() -> None:
        async with staged(tmp_path) as stage:
            stage.run_application([verb])
            stage.deepgram.set_hearing([HOURS])
            report, _ = await stage.call(WaitForSilence(), Say(HOURS), WaitForSilence(limit_s=12), HangUp())
            assert report.ok, report.problems
            assert [chat.json["max_completion_tokens"] for chat in stage.moonshot.chats] == caps
            if caps[0] == 1:
                warmed, turn = stage.named("llm", name="answered")
                assert warmed["usage"]["cache_read"] == 0
                assert turn["usage"]["cache_read"] > 2500, "nearly all of the prompt"

    scene()
