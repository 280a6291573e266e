"""Hands the caller over to a person: by REFER, or by a call of ours that is then connected; falls back if nobody can.

The agent goes on talking until somebody has taken the call. A warm transfer tells the person first what it is about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from moonwire.call.context import Call
from moonwire.call.dialing import Accept, DialPlan, NobodyError, confirm_by_key, dial, refusal_reason, speak_to
from moonwire.call.peer import FrameQueue, Peer
from moonwire.call.snapshot import snapshot
from moonwire.call.targets import NoWayError, Presentation, order_for
from moonwire.errors import CallRefusedError, VendorError
from moonwire.ports.legs import ReferringLeg
from moonwire.spec.components import Synthesizer
from moonwire.spec.hooks import Hook
from moonwire.spec.payloads import TransferReason, TransferResult, transfer_complete
from moonwire.spec.transfers import Fallback, Handoff, Target
from moonwire.spec.verbs import Verb

log = structlog.get_logger()

REFER_S = 40.0
"""Longest wait for the outcome of a REFER, beyond which the transfer counts as failed."""


@dataclass(frozen=True, slots=True)
class Handover:
    """How a handoff ended, and what is left to do when the agent has stopped."""

    result: TransferResult
    reason: TransferReason
    sip_status: int | None = None
    peer: Peer | None = None
    """Connected with the caller until one of them hangs up."""
    redirect: Hook | None = None
    """The call continues at this hook."""
    hang_up: bool = False


class HandoffAttempt:
    """One agent's transfer to a person.

    Args:
        call: the call.
        choice: what the application wants.
        synthesizer: speaks to the person, unless the choice names another.
        summarise: writes what the person is told; takes guidance, may be empty.
    """

    def __init__(
        self, call: Call, choice: Handoff, synthesizer: Synthesizer, summarise: Callable[[str], Awaitable[str]]
    ) -> None:
        self.call = call
        self._choice = choice
        self._synthesizer = choice.brief_synthesizer or synthesizer
        self._summarise = summarise

    async def run(self) -> Handover:
        """Try it; returns also when nobody took the call."""
        call, choice = self.call, self._choice
        call.note("transfer", name="started", mode=choice.mode, targets=len(choice.target))
        try:
            handover = await self._reach()
        except NobodyError as nobody:
            handover = await self._fall_back(nobody)
        call.note("transfer", name="ended", result=handover.result, reason=handover.reason, status=handover.sip_status)
        return handover

    async def _reach(self) -> Handover:
        call, choice = self.call, self._choice
        if choice.mode == "blind" and choice.blind_method == "refer" and isinstance(call.leg, ReferringLeg):
            status = await self._refer(call.leg, choice.target[0])
            return Handover("bridged", "completed", status, hang_up=True)
        peer = await dial(call, self._plan(choice.target, self._accept))
        try:
            if choice.mode == "warm" and choice.brief != "none":
                await self._brief(peer)
        except BaseException:
            await peer.hang_up()
            raise
        return Handover("bridged", "completed", 200, peer=peer)

    def _plan(self, targets: Sequence[Target], accept: Accept | None = None) -> DialPlan:
        shown = Presentation(self._choice.caller_id or self.call.leg.info.from_)
        return DialPlan(targets, shown, self._choice.timeout, accept)

    async def _accept(self, peer: Peer, target: Target) -> None:
        del target
        if self._choice.confirm is not None:
            await confirm_by_key(self.call, peer, self._choice.confirm, self._synthesizer)

    async def _refer(self, leg: ReferringLeg, target: Target) -> int:
        call = self.call
        if target.type == "phone" and target.number:
            host = call.leg.info.source_address
            uri = f"sip:{target.number}@{f'[{host}]' if ':' in host else host}"
        else:
            try:
                uri = order_for(call.services, call.application, target, Presentation(""), 0).uri
            except NoWayError:
                raise NobodyError("error", None) from None
        try:
            async with asyncio.timeout(REFER_S):
                status = await leg.refer(uri, dict(target.headers))
        except TimeoutError:
            raise NobodyError("no-answer", None) from None
        except CallRefusedError as refusal:
            raise NobodyError("error", refusal.status) from None
        if status >= 300:
            raise NobodyError(refusal_reason(status), status)
        return status

    async def _brief(self, peer: Peer) -> None:
        guidance = "" if isinstance(self._choice.brief, str) else self._choice.brief.template
        try:
            await speak_to(self.call, peer, await self._summarise(guidance), self._synthesizer)
        except VendorError as error:
            log.warning("brief not spoken", call_sid=self.call.sid, error=str(error))
        if peer.ended.done():
            raise NobodyError("declined", None)

    async def _fall_back(self, nobody: NobodyError) -> Handover:
        chosen, url = self._disposition(nobody), self._choice.disposition.voicemail_url
        result: TransferResult = "failed" if nobody.why == "error" else "returned"
        if chosen == "voicemail" and url:
            return await self._voicemail(url, nobody)
        return Handover(result, nobody.why, nobody.status, hang_up=chosen == "hangup")

    async def _voicemail(self, url: str, nobody: NobodyError) -> Handover:
        if url.startswith(("http://", "https://", "ws://", "wss://")):
            return Handover("voicemail", nobody.why, nobody.status, redirect=Hook(url))
        target = Target(type="sip", sip_uri=url)
        try:
            if self._choice.blind_method == "refer" and isinstance(self.call.leg, ReferringLeg):
                await self._refer(self.call.leg, target)
                return Handover("voicemail", nobody.why, nobody.status, hang_up=True)
            peer = await dial(self.call, self._plan([target]))
            return Handover("voicemail", nobody.why, nobody.status, peer=peer)
        except NobodyError as failure:
            return Handover("failed", "error", failure.status)

    def _disposition(self, nobody: NobodyError) -> Fallback:
        chosen = self._choice.disposition
        by_reason: dict[str, Fallback] = {
            "no-answer": chosen.on_no_answer,
            "busy": chosen.on_busy,
            "declined": chosen.on_decline,
        }
        return by_reason.get(nobody.why, chosen.on_failure)


async def connect(call: Call, peer: Peer) -> None:
    """Let caller and person talk until one of them hangs up."""
    to_person, to_caller = FrameQueue(), FrameQueue()
    if peer.leg is None or peer.egress is None:
        return

    def from_caller(frame: bytes) -> None:
        to_person.push(frame)
        if peer.leg is not None:
            peer.leg.wake()

    def from_person(frame: bytes) -> None:
        to_caller.push(frame)
        call.leg.wake()

    call.consumers.append(from_caller)
    peer.on_voice = from_person
    call.egress.patched, peer.egress.patched = to_caller, to_person
    try:
        await asyncio.wait({call.gone, peer.ended}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        call.egress.patched = peer.on_voice = None
        call.consumers.remove(from_caller)
        await peer.hang_up()


async def tell(call: Call, hook: Hook | None, handover: Handover, verb_id: str | None) -> Sequence[Verb] | None:
    """Tell the handoff's actionHook how it ended; returns the verbs it answers with."""
    if hook is not None:
        payload = transfer_complete(
            snapshot(call), handover.result, handover.reason, sip_status=handover.sip_status, verb_id=verb_id
        )
        return await call.session.call_hook(hook, payload)
    return None
