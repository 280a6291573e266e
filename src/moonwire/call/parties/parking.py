"""Decides what a caller hears while the person who takes over is told about the call: hold verbs, or the telling.

The agent's own words wait meanwhile, and it does not hear the caller.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from moonwire.call.announce import announce
from moonwire.call.context import Call
from moonwire.call.egress import Egress
from moonwire.call.parties.peer import FrameQueue, Peer
from moonwire.call.snapshot import snapshot
from moonwire.spec.hooks import Hook
from moonwire.spec.payloads import base_payload


@asynccontextmanager
async def parked(call: Call, hook: Hook | None) -> AsyncGenerator[None]:
    """Let the caller hear what the onHoldHook wants, again and again; nothing changes without a hook."""
    if hook is None:
        yield
        return
    hold, muted = Egress(call.leg), call.state.muted
    call.egress.patched, call.state.muted = hold, True
    playing = asyncio.create_task(_hold(call, hold, hook))
    try:
        yield
    finally:
        playing.cancel()
        await asyncio.wait({playing})
        call.egress.patched, call.state.muted = None, muted


async def _hold(call: Call, hold: Egress, hook: Hook) -> None:
    verbs = await call.session.call_hook(hook, base_payload(snapshot(call)))
    if verbs:
        await announce(call, hold, verbs, forever=True)


@asynccontextmanager
async def listening(call: Call, peer: Peer) -> AsyncGenerator[None]:
    """Let the caller hear what the person is told, and what that person says."""
    queue, muted = FrameQueue(), call.state.muted

    def hear(frame: bytes) -> None:
        queue.push(frame)
        call.leg.wake()

    def hear_person(frame: bytes) -> None:
        if peer.egress is None or peer.egress.is_idle:
            hear(frame)

    call.egress.patched, call.state.muted = queue, True
    peer.on_voice = hear_person
    if peer.egress is not None:
        peer.egress.record = hear
    try:
        yield
    finally:
        call.egress.patched, call.state.muted = None, muted
        peer.on_voice = None
        if peer.egress is not None:
            peer.egress.record = None
