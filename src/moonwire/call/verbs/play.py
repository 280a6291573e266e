"""Runs `play`: audio files, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from moonwire.call.announce import play
from moonwire.call.context import Call
from moonwire.call.snapshot import snapshot
from moonwire.errors import HookError
from moonwire.spec.payloads import play_complete
from moonwire.spec.verbs import Play, Verb


async def run_play(call: Call, verb: Play) -> Sequence[Verb] | None:
    """Play the files `loop` times, then tell the actionHook how it went.

    Raises:
        HookError: a file could not be fetched or is no audio we know, and there is no actionHook to tell.
    """
    await call.ensure_answered()
    started = call.timeline.now()
    failed = False
    try:
        async with asyncio.timeout(verb.timeout_secs):
            await _play_all(call, verb)
    except TimeoutError:
        pass
    except HookError as error:
        if verb.action_hook is None:
            raise
        call.report(error, verb="play", verb_id=verb.id, alert="webhook-failure")
        failed = True
    if verb.action_hook is None:
        return None
    played_s = call.timeline.now() - started
    payload = play_complete(snapshot(call), played_s=played_s, failed=failed, verb_id=verb.id)
    return await call.session.call_hook(verb.action_hook, payload)


async def _play_all(call: Call, verb: Play) -> None:
    rounds = 0
    while verb.loop == 0 or rounds < verb.loop:
        for url in verb.urls:
            audio = await call.services.load_audio(url)
            await play(call.egress, audio[int(verb.seek_offset) :] if rounds == 0 else audio)
        rounds += 1
        if rounds > 1:
            await asyncio.sleep(0.1)  # an empty file in an endless loop must not starve the process
