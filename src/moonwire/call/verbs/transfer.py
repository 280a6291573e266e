"""Runs `transfer`: hands the caller over to a person, blind or warm."""

from __future__ import annotations

from collections.abc import Sequence

from moonwire.call.context import Call
from moonwire.call.parties.handoff import HandoffAttempt, conclude
from moonwire.spec.verbs import Transfer, Verb


async def run_transfer(call: Call, verb: Transfer) -> Sequence[Verb] | None:
    """Transfer the call; returns the verbs that the actionHook wants next."""
    await call.ensure_answered()
    brief = verb.brief

    async def text() -> str:
        return brief.text if brief is not None else ""

    call.settles = True
    try:
        attempt = HandoffAttempt(call, verb, brief.synthesizer if brief is not None else None, text)
        return await conclude(call, verb.action_hook, await attempt.run(), verb.id)
    finally:
        call.settles = False
