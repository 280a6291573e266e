"""Runs `pause`."""

from __future__ import annotations

import asyncio

from moonwire.call.context import Call
from moonwire.spec.verbs import Pause


async def run_pause(call: Call, verb: Pause) -> None:
    """Wait."""
    await call.ensure_answered()
    await asyncio.sleep(verb.length)
