"""Runs `dial`: calls somebody while the caller hears it ring, connects them, tells the actionHook how it went."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import structlog

from moonwire.call.announce import announce, loop_audio, while_up
from moonwire.call.context import Call
from moonwire.call.parties.bridge import Bridge, KeyPatterns
from moonwire.call.parties.dialing import DialPlan, NobodyError, dial
from moonwire.call.parties.peer import FrameQueue, Peer
from moonwire.call.parties.targets import Presentation
from moonwire.call.snapshot import snapshot
from moonwire.core.audio.tones import ringback
from moonwire.errors import HookError
from moonwire.ports.legs import EarlyMediaLeg
from moonwire.spec.payloads import CallStatus, base_payload
from moonwire.spec.transfer_payloads import DialOutcome, dial_complete
from moonwire.spec.transfers import Target
from moonwire.spec.verbs import Dial, Verb

log = structlog.get_logger()

CONFIRM_S = 60.0
"""Longest time a person called may be asked whether to take the call."""


async def run_dial(call: Call, verb: Dial) -> Sequence[Verb] | None:
    """Call, connect, and return the verbs that the actionHook (or the dtmfHook) wants next."""
    if verb.without_effect:
        log.info("members of dial without effect", call_sid=call.sid, members=verb.without_effect)
    if not verb.answer_on_bridge:
        await call.ensure_answered()
    attempt = _Attempt(call, verb)
    call.settles = True
    try:
        outcome = await attempt.run()
        if attempt.following:
            return attempt.following
        if verb.action_hook is None:
            return None
        return await call.session.call_hook(verb.action_hook, dial_complete(snapshot(call), outcome, verb_id=verb.id))
    finally:
        call.settles = False


class _Attempt:
    """One dial."""

    def __init__(self, call: Call, verb: Dial) -> None:
        self.following: Sequence[Verb] | None = None
        """What the application wants instead, because of keys that were pressed."""
        self._call = call
        self._verb = verb
        self._asking: asyncio.Task[None] | None = None

    async def run(self) -> DialOutcome:
        call, verb = self._call, self._verb
        shown = Presentation(
            verb.caller_id or call.leg.info.from_,
            name=verb.caller_name or "",
            headers=verb.headers,
            proxy=verb.proxy,
        )
        accept = self._accept if self._asks() else None
        try:
            async with _ringing(call, verb) as listen:
                plan = DialPlan(verb.target, shown, verb.timeout, accept, listen, verb.tag)
                peer = await dial(call, plan)
        except NobodyError as nobody:
            return _outcome(nobody.peer, nobody.status)
        try:
            await call.ensure_answered()
        except BaseException:
            await peer.hang_up()
            raise
        return await self._connect(peer)

    async def _connect(self, peer: Peer) -> DialOutcome:
        call, verb = self._call, self._verb
        began_s = call.timeline.now()
        patterns = verb.patterns
        bridge = Bridge(call, peer, KeyPatterns(patterns.parent_call, patterns.child_call, self._on_keys))
        try:
            await bridge.run(verb.time_limit)
        finally:
            if self._asking is not None:
                await asyncio.wait({self._asking})
        return _outcome(peer, 200, round(call.timeline.now() - began_s))

    def _asks(self) -> bool:
        return self._verb.confirm_hook is not None or any(target.confirm_hook for target in self._verb.target)

    async def _accept(self, peer: Peer, target: Target) -> None:
        """Let the person hear what the confirmHook wants; a hangup among it declines."""
        hook = target.confirm_hook or self._verb.confirm_hook
        if hook is None or peer.egress is None:
            return
        payload = base_payload(peer.snapshot(), verb_id=self._verb.id)
        try:
            async with asyncio.timeout(CONFIRM_S):
                verbs = await self._call.session.call_hook(hook, payload, kind="dial:confirm")
                if await while_up(peer.ended, announce(self._call, peer.egress, verbs or ())):
                    return
        except TimeoutError:
            pass
        raise NobodyError("declined", 603, peer)

    def _on_keys(self, pattern: str) -> None:
        if self._verb.dtmf_hook is not None and self._asking is None:
            self._asking = asyncio.create_task(self._ask_about(pattern))

    async def _ask_about(self, pattern: str) -> None:
        call, hook = self._call, self._verb.dtmf_hook
        if hook is not None:
            payload = {**base_payload(snapshot(call), verb_id=self._verb.id), "dtmf": pattern}
            self.following = await call.session.call_hook(hook, payload)
        self._asking = None
        if self.following and call.bridge is not None:
            await call.bridge.peer.hang_up()


def _outcome(peer: Peer | None, status: int | None, connected_s: int | None = None) -> DialOutcome:
    if peer is None:
        return DialOutcome("failed", status)
    final: CallStatus = "completed" if connected_s is not None else peer.status
    call_id = peer.leg.info.call_id if peer.leg is not None else None
    return DialOutcome(final, status if connected_s is not None else peer.sip_status, peer.sid, call_id, connected_s)


@asynccontextmanager
async def _ringing(call: Call, verb: Dial) -> AsyncGenerator[_Listen]:
    """Let the caller hear music or a ringing tone, or what comes from over there already."""
    listen = _Listen(call)
    if call.timeline.is_answered:
        listen.sound = asyncio.create_task(loop_audio(call.egress, await _music(call, verb)))
    try:  # an unanswered caller's own telephone makes the sound
        yield listen
    finally:
        await listen.stop()


class _Listen:
    """What an answered caller hears until somebody has taken the call."""

    def __init__(self, call: Call) -> None:
        self.sound: asyncio.Task[None] | None = None
        self._call = call
        self._queue = FrameQueue()
        self._peers: list[Peer] = []

    def __call__(self, peer: Peer) -> None:
        """Take word of a call that is under way."""
        self._peers.append(peer)
        peer.on_progress = lambda status: self._progress(peer, status)

    async def stop(self) -> None:
        if self.sound is not None:
            self.sound.cancel()
            await asyncio.wait({self.sound})
        for peer in self._peers:
            peer.on_voice = None
        if self._call.egress.patched is self._queue:
            self._call.egress.patched = None

    def _progress(self, peer: Peer, status: CallStatus) -> None:
        call = self._call
        if status != "early-media" or call.egress.patched is not None:
            return
        if self.sound is not None:
            self.sound.cancel()
        elif isinstance(call.leg, EarlyMediaLeg):
            call.leg.begin_early_media()
        call.egress.patched = self._queue
        peer.on_voice = self._pass_on

    def _pass_on(self, frame: bytes) -> None:
        self._queue.push(frame)
        self._call.leg.wake()


async def _music(call: Call, verb: Dial) -> bytes:
    if verb.dial_music:
        try:
            return await call.services.load_audio(verb.dial_music)
        except HookError as error:
            call.report(error, verb="dial", verb_id=verb.id, alert="webhook-failure")
    return ringback()
