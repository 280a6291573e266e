"""Runs `hangup`."""

from __future__ import annotations

from moonwire.call.context import Call
from moonwire.spec.verbs import Hangup


async def run_hangup(call: Call, verb: Hangup) -> None:
    """End the call; the verb's headers go into the BYE."""
    await call.hang_up(verb.headers)
