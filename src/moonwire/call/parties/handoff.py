"""Hands the caller over to a person: by REFER, or by a call of ours that is then connected; falls back if nobody can.

The agent goes on talking until somebody has taken the call. A warm transfer tells the person first what it is about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from moonwire.call.context import Call
from moonwire.call.parties.bridge import Bridge
from moonwire.call.parties.dialing import Accept, DialPlan, NobodyError, confirm_by_key, dial, refusal_reason, speak_to
from moonwire.call.parties.parking import listening, parked
from moonwire.call.parties.peer import Peer
from moonwire.call.parties.targets import Presentation, called_party, refer_address
from moonwire.call.snapshot import snapshot
from moonwire.call.speech_choices import chosen_synthesizer
from moonwire.errors import CallError, CallRefusedError, VendorError
from moonwire.ports.legs import ReferringLeg
from moonwire.spec.components import Synthesizer
from moonwire.spec.hooks import Hook
from moonwire.spec.payloads import base_payload
from moonwire.spec.transfer_payloads import TransferReason, TransferResult, transfer_complete
from moonwire.spec.transfers import Fallback, Target, TransferOptions
from moonwire.spec.verbs import Redirect, Verb

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
    dial_call_sid: str | None = None
    """The leg of the person."""
    hook: Hook | None = None
    """Hears how it ended; filled in by whoever asked for it."""


class HandoffAttempt:
    """One transfer to a person.

    Args:
        call: the call.
        choice: what the application wants.
        synthesizer: speaks to the person; the session's when None.
        brief: writes what the person is told; may be empty.
    """

    def __init__(
        self,
        call: Call,
        choice: TransferOptions,
        synthesizer: Synthesizer | None,
        brief: Callable[[], Awaitable[str]],
    ) -> None:
        self.call = call
        self._choice = choice
        self._synthesizer = synthesizer
        self._brief_text = brief

    async def run(self) -> Handover:
        """Try it; returns also when nobody took the call."""
        call, choice = self.call, self._choice
        call.note("transfer", name="started", mode=choice.mode, targets=len(choice.target))
        if choice.amd is not None:
            call.note("transfer", name="amd_ignored")
        try:
            handover = await self._reach()
        except NobodyError as nobody:
            handover = await self._fall_back(nobody)
        self._tell_event(handover.result)
        call.note("transfer", name="ended", result=handover.result, reason=handover.reason, status=handover.sip_status)
        return handover

    async def _reach(self) -> Handover:
        call, choice = self.call, self._choice
        if choice.mode == "blind" and choice.blind_method == "refer" and isinstance(call.leg, ReferringLeg):
            status = await self._refer(call.leg, choice.target[0])
            return Handover("bridged", "completed", status, hang_up=True)
        peer = await dial(call, self._plan(choice.target, self._accept))
        try:
            if choice.mode == "warm":
                await self._brief(peer)
        except BaseException:
            await peer.hang_up()
            raise
        return Handover("bridged", "completed", 200, peer=peer, dial_call_sid=peer.sid)

    def _plan(self, targets: Sequence[Target], accept: Accept | None = None) -> DialPlan:
        shown = Presentation(self._choice.caller_id or self.call.leg.info.from_)
        return DialPlan(targets, shown, self._choice.timeout, accept, self._watch)

    def _watch(self, peer: Peer) -> None:
        peer.on_progress = self._tell_event

    def _tell_event(self, name: str) -> None:
        hook = self._choice.event_hook
        if hook is not None:
            self.call.session.notify(hook, {**base_payload(snapshot(self.call)), "event": name})

    async def _accept(self, peer: Peer, target: Target) -> None:
        del target
        self._tell_event("answered")
        if self._choice.confirm is not None:
            await confirm_by_key(self.call, peer, self._choice.confirm, self._voice())

    def _voice(self) -> Synthesizer:
        return chosen_synthesizer(self.call, self._synthesizer)

    async def _refer(self, leg: ReferringLeg, target: Target) -> int:
        call = self.call
        try:
            uri = refer_address(call, called_party(target))
            async with asyncio.timeout(REFER_S):
                status = await leg.refer(uri, dict(target.headers))
        except TimeoutError:
            raise NobodyError("no-answer", None) from None
        except CallRefusedError as refusal:
            raise NobodyError("error", refusal.status) from None
        except CallError:
            raise NobodyError("error", None) from None
        if status >= 300:
            raise NobodyError(refusal_reason(status), status)
        return status

    async def _brief(self, peer: Peer) -> None:
        """Tell the person what it is about, while the caller waits or listens."""
        choice = self._choice
        text = await self._brief_text()
        if text and peer.egress is not None:
            self._tell_event("brief-started")
            meanwhile = listening(self.call, peer) if choice.caller_present else parked(self.call, choice.on_hold_hook)
            async with meanwhile:
                try:
                    await speak_to(self.call, peer, text, self._voice())
                except VendorError as error:
                    log.warning("brief not spoken", call_sid=self.call.sid, error=str(error))
        if peer.ended.done():
            raise NobodyError("declined", None, peer)

    async def _fall_back(self, nobody: NobodyError) -> Handover:
        chosen, url = self._disposition(nobody), self._choice.disposition.voicemail_url
        sid = nobody.peer.sid if nobody.peer is not None else None
        result: TransferResult = "failed" if nobody.why in ("error", "caller-abandoned") else "returned"
        if chosen == "voicemail" and url and nobody.why != "caller-abandoned":
            return await self._voicemail(url, nobody)
        return Handover(result, nobody.why, nobody.status, hang_up=chosen == "hangup", dial_call_sid=sid)

    async def _voicemail(self, url: str, nobody: NobodyError) -> Handover:
        if url.startswith(("http://", "https://", "ws://", "wss://")):
            return Handover("voicemail", nobody.why, nobody.status, redirect=Hook(url))
        target = Target(type="sip", sip_uri=url)
        try:
            if self._choice.blind_method == "refer" and isinstance(self.call.leg, ReferringLeg):
                await self._refer(self.call.leg, target)
                return Handover("voicemail", nobody.why, nobody.status, hang_up=True)
            peer = await dial(self.call, self._plan([target]))
            return Handover("voicemail", nobody.why, nobody.status, peer=peer, dial_call_sid=peer.sid)
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


async def conclude(call: Call, hook: Hook | None, handover: Handover, verb_id: str | None) -> Sequence[Verb] | None:
    """Do what is left to do for a caller who has been handed over; returns verbs to go on with."""
    if handover.peer is not None:
        await Bridge(call, handover.peer).run()
    if handover.hang_up and not call.gone.done():
        await call.hang_up(reason="transferred")
    following = await tell(call, hook, handover, verb_id)
    return [Redirect(action_hook=handover.redirect)] if handover.redirect is not None else following


async def tell(call: Call, hook: Hook | None, handover: Handover, verb_id: str | None) -> Sequence[Verb] | None:
    """Tell the transfer's actionHook how it ended; returns the verbs it answers with."""
    if hook is None:
        return None
    payload = transfer_complete(
        snapshot(call),
        handover.result,
        handover.reason,
        sip_status=handover.sip_status,
        dial_call_sid=handover.dial_call_sid,
        verb_id=verb_id,
    )
    return await call.session.call_hook(hook, payload)
