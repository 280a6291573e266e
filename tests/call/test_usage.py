"""What an agent's models cost is told: per answer, per turn, and for the call."""

from __future__ import annotations

from pathlib import Path

import pytest

from moonwire.sandbox.caller import HangUp, Pause, Say, WaitForSilence
from moonwire.sandbox.moonshot import Wire
from moonwire.sandbox.virtual_time import virtual_time

from .application import serving
from .stage import AGENT, staged

LINES = ["Hello, what are your opening hours?", "And where are you?"]
NAMES = {"input_tokens", "output_tokens", "total_tokens", "cache_read_tokens", "cache_write_tokens"}
LLM = {
    "vendor": "moonshot",
    "model": "kimi-k2.6",
    "llmOptions": {"systemPrompt": "You are a receptionist. " * 100},
}


@pytest.mark.agent_row("turn_end.usage", "usage")
@virtual_time
async def test_turns_and_call_tell_what_they_cost(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage, serving(AGENT | {"llm": LLM}) as application:
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing(LINES)
        steps = [step for line in LINES for step in (Say(line), WaitForSilence())]
        report, _ = await stage.call(WaitForSilence(), *steps, HangUp())
        assert report.ok, report.problems
        turns = [event["usage"] for event in application.events if event["type"] == "turn_end"]
        answers = [line["usage"] for line in stage.named("llm", name="answered")]
        assert len(turns) == len(answers) == 3
        assert turns[-1]["cache_read_tokens"] >= 512, "the prompt's beginning came from the vendor's cache"
        for usage in turns:
            assert usage.keys() == NAMES
            parts = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
            assert usage["total_tokens"] == sum(usage[name] for name in parts)
        whole = {name: sum(usage[name] for usage in turns) for name in NAMES}
        assert stage.books.records[-1].usage == whole
        (complete,) = application.of("verb:hook")
        assert complete["usage"] == whole


@virtual_time
async def test_a_vendor_that_counts_nothing_is_no_zero(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage, serving(AGENT) as application:
        stage.moonshot.world.wire = Wire(usage="none")
        stage.run_application(None, application.url)
        await stage.call(WaitForSilence(), Pause(0.5), HangUp())
        assert stage.books.records[-1].usage is None
        assert "usage" not in application.of("verb:hook")[0]
        assert [event.get("usage") for event in application.events if event["type"] == "turn_end"] == [None]
