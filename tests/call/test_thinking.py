"""Models that cannot answer without thinking: little effort, and a word to the caller meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from moonwire.sandbox.caller import HangUp, Interrupt, Pause, Say, WaitForSilence
from moonwire.sandbox.moonshot import Fault, Pacing
from moonwire.sandbox.virtual_time import virtual_time

from .stage import AGENT, Stage, staged

HOURS = "Hello, what are your opening hours?"
STOP = "Wait, stop please."


def thinker(**members: Any) -> dict[str, Any]:
    llm = {"vendor": "moonshot", "model": "kimi-k3", "llmOptions": {"systemPrompt": "You are a receptionist."}}
    return AGENT | {"llm": llm, "greeting": "Good evening."} | members


def think(stage: Stage, seconds: float) -> None:
    """Let the model reason so long at low effort; the simulator's pacing is for full effort."""
    stage.moonshot.world.pacing = Pacing(thinking_s=seconds / 0.3)


def spoken(stage: Stage) -> list[str]:
    return [text.strip() for text in stage.cartesia.records.transcripts if text.strip()]


async def ask(stage: Stage, pause_s: float) -> None:
    stage.deepgram.set_hearing([HOURS])
    report, _ = await stage.call(WaitForSilence(), Say(HOURS), Pause(pause_s), WaitForSilence(), HangUp())
    assert report.ok, report.problems


@pytest.mark.agent_row("thinkingFiller")
@virtual_time
async def test_a_word_while_it_thinks_that_is_no_part_of_the_answer(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.run_application([thinker()])
        think(stage, 4.0)
        await ask(stage, 5.0)
        assert spoken(stage)[1] == "One moment, please."
        assert len(stage.named("llm", name="thinking_filler")) == 1
        answer = stage.named("turn")[-1]
        assert "eleven in the morning" in answer["pii_heard"]
        assert "One moment" not in answer["pii_heard"]
        assert "One moment" not in str(stage.moonshot.chats[-1].messages)
        assert stage.moonshot.chats[-1].json["reasoning_effort"] == "low"
        assert stage.named("error") == []


@virtual_time
async def test_a_long_thought_is_explained_and_no_failure(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.run_application([thinker(tts={"vendor": "cartesia", "voice": "sonic-german", "language": "de-DE"})])
        think(stage, 14.0)
        await ask(stage, 16.0)
        assert spoken(stage)[1] == "Einen Moment, bitte."
        assert "etwas länger" in spoken(stage)[2]
        assert "eleven in the morning" in stage.named("turn")[-1]["pii_heard"]
        assert stage.named("error") == []


@virtual_time
async def test_quick_thoughts_are_not_talked_over(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.run_application([thinker()])
        think(stage, 0.5)
        await ask(stage, 3.0)
        assert stage.named("llm", name="thinking_filler") == []


@virtual_time
async def test_a_model_that_does_not_think_gets_no_filler(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.run_application([AGENT | {"greeting": "Good evening."}])
        stage.moonshot.world.pacing = Pacing(first_token_s=2.5)
        await ask(stage, 4.0)
        assert stage.named("llm", name="thinking_filler") == []


@pytest.mark.agent_row("thinkingFiller")
@pytest.mark.parametrize(
    ("choice", "words"),
    [({"startDelaySecs": 2.5, "text": "Let me see."}, ["Let me see."]), (False, [])],
    ids=["own words", "off"],
)
def test_the_application_chooses(choice: Any, words: list[str], tmp_path: Path) -> None:
    @virtual_time
    async def scene() -> None:
        async with staged(tmp_path) as stage:
            stage.run_application([thinker(thinkingFiller=choice)])
            think(stage, 5.5)
            await ask(stage, 9.0)
            assert [text for text in spoken(stage)[1:] if "eleven" not in text][: len(words)] == words
            assert "eleven in the morning" in stage.named("turn")[-1]["pii_heard"]
            assert stage.named("error") == [], "more than five seconds of thought are no failure"
            assert len(stage.named("llm", name="thinking_filler")) == len(words)

    scene()


@virtual_time
async def test_the_caller_may_interrupt_a_thought(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.run_application([thinker()])
        think(stage, 10.0)
        stage.deepgram.set_hearing([HOURS, STOP])
        report, _ = await stage.call(
            WaitForSilence(), Say(HOURS), Interrupt(STOP, after_s=0.4), Pause(12.0), WaitForSilence(), HangUp()
        )
        assert report.ok, report.problems
        first, second = stage.moonshot.chats
        assert first.disconnected_s is not None, "nobody waits for the first thought any more"
        assert second.messages[-1] == {"role": "user", "content": f"{HOURS} {STOP}"}


@virtual_time
async def test_a_thought_that_never_ends_is_told(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.run_application([thinker()])
        stage.moonshot.faults.add(Fault("stall_before_content"))
        await ask(stage, 40.0)
        (error,) = stage.named("error")
        assert error["code"] == "vendor-timeout"
        assert "apology" in [turn["cause"] for turn in stage.named("turn")]
