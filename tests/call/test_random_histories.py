"""Ten thousand random conversations of turns, interruptions, tools, updates and early replies: Moonshot accepts all.

The agent is the real one, from the recogniser's words to the request; see random_talk.py.
"""

from __future__ import annotations

import time
from collections import Counter

import pytest
from structlog.testing import capture_logs

from moonwire.sandbox.virtual_time import run_virtual
from moonwire.vendors.connections import EndpointKnowledge

from .random_talk import Talk

CONVERSATIONS, PARTS = 10_000, 4

USUAL = {
    "interrupted": 0.2,
    "tool:answered": 0.2,
    "llm:early_reply_dropped": 0.05,
    "llm:history_shortened": 0.01,
    "llm:turn_withdrawn": 0.03,
    "llm:thinking_filler": 0.05,
    "turn:apology": 0.1,
    "briefs": 0.03,
}
"""What must have happened, at least so often per conversation, for the test to mean anything."""


class Clock:
    def monotonic_s(self) -> float:
        return time.monotonic()

    def utc_s(self) -> float:
        return 1_795_000_000.0


@pytest.mark.parametrize("part", range(PARTS))
def test_every_request_is_accepted(part: int) -> None:
    knowledge, counts, share = EndpointKnowledge(Clock()), Counter[str](), CONVERSATIONS // PARTS

    async def converse() -> None:
        for seed in range(part * share, (part + 1) * share):
            talk = Talk(seed, counts, knowledge)
            with capture_logs():
                await talk.live()
            assert talk.model.refused == [], f"conversation {seed}: {talk.model.refused[0]}"

    run_virtual(converse())
    assert counts["requests"] > 3 * share
    for name, least in USUAL.items():
        assert counts[name] >= least * share, f"{name}: {counts[name]}"
