"""Runs `answer`."""

from __future__ import annotations

from moonwire.call.context import Call
from moonwire.spec.verbs import Answer


async def run_answer(call: Call, verb: Answer) -> None:
    """Answer the call."""
    del verb
    await call.ensure_answered()
