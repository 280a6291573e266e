"""Calls somebody on behalf of a call: all targets at once, the first who answers and accepts wins."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import structlog

from moonwire.call.announce import speak, while_up
from moonwire.call.context import Call
from moonwire.call.parties.peer import Peer
from moonwire.call.parties.targets import Presentation, called_party, order_for
from moonwire.errors import CallError, CallRefusedError, RemoteProtocolError, VendorError
from moonwire.ports.legs import DialledLeg
from moonwire.spec.components import Synthesizer
from moonwire.spec.transfers import Confirm, Target

log = structlog.get_logger()

CONFIRM_S = 10.0
"""How long the person called may think about the key."""

Reason = Literal["no-answer", "busy", "declined", "error", "caller-abandoned"]


class NobodyError(CallError):
    """No target took the call; `peer` is the leg that this is about, if there was one."""

    def __init__(self, why: Reason, status: int | None, peer: Peer | None = None) -> None:
        super().__init__(f"the call was not taken: {why}", reason=why)
        self.why: Reason = why
        self.status = status
        self.peer = peer


Accept = Callable[[Peer, Target], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class DialPlan:
    """Whom to call and how."""

    targets: Sequence[Target]
    shown: Presentation
    timeout_s: float
    accept: Accept | None = None
    """Runs with a person who has answered, before anything else; raises NobodyError when that person declines."""
    on_begun: Callable[[Peer], None] = lambda peer: None
    tag: Mapping[str, Any] | None = None


async def dial(call: Call, plan: DialPlan) -> Peer:
    """Call all targets; return the first who answers (and accepts), the others are given up.

    Raises:
        NobodyError: nobody; it says why the likeliest one did not. Also when the caller hangs up meanwhile.
    """
    peers = [Peer(call, plan.shown.user, called_party(target), plan.tag) for target in plan.targets]
    tries = [
        asyncio.create_task(_try(call, target, plan, peer)) for target, peer in zip(plan.targets, peers, strict=True)
    ]
    failures: list[NobodyError] = []
    winner: Peer | None = None
    waiting: set[asyncio.Future[Any]] = {*tries}
    try:
        while waiting and not call.gone.done():
            done, _ = await asyncio.wait({*waiting, call.gone}, return_when=asyncio.FIRST_COMPLETED)
            waiting -= done
            for one in (one for one in tries if one in done):
                try:
                    winner = one.result()
                    return winner
                except NobodyError as failure:
                    failures.append(failure)
    finally:
        for one in tries:
            one.cancel()
        await asyncio.wait(tries)
        for one in tries:
            if not one.cancelled() and one.exception() is None and one.result() is not winner:
                await one.result().hang_up()
    if call.gone.done():
        raise NobodyError("caller-abandoned", 487, peers[0])
    ranks = ("no-answer", "busy", "declined", "error")
    raise min(failures, key=lambda failure: ranks.index(failure.why))


async def _try(call: Call, target: Target, plan: DialPlan, peer: Peer) -> Peer:
    leg = await _begin(call, target, plan, peer)
    try:
        await leg.taken()
    except CallRefusedError as refusal:
        peer.refused(refusal)
        raise NobodyError(refusal_reason(refusal.status), refusal.status, peer) from None
    except asyncio.CancelledError:
        peer.refused(CallRefusedError(487, "Request Terminated", reason="cancel"))
        raise
    peer.answered()
    try:
        if plan.accept is not None:
            await plan.accept(peer, target)
    except BaseException:
        await peer.hang_up()
        raise
    return peer


async def _begin(call: Call, target: Target, plan: DialPlan, peer: Peer) -> DialledLeg:
    services = call.services
    try:
        order = order_for(services, call.application, target, plan.shown, plan.timeout_s)
        if services.dialer.placer is None:
            raise CallError("this process places no calls", reason="no-route")
        leg = await services.dialer.placer.invite(order, peer.progress)
    except (CallError, RemoteProtocolError) as error:
        log.warning("target cannot be called", call_sid=call.sid, error=str(error))
        call.note("peer", name="unreachable", error=str(error))
        status = error.status if isinstance(error, CallRefusedError) else 404
        peer.refused(CallRefusedError(status, "Not Reachable", reason="unreachable"))
        raise NobodyError("error", status, peer) from None
    peer.begin(leg)
    plan.on_begun(peer)
    return leg


def refusal_reason(status: int) -> Reason:
    """Name a SIP status as jambonz's transfers do."""
    match status:
        case 486 | 600:
            return "busy"
        case 603 | 403 | 607:
            return "declined"
        case 408 | 480 | 487:
            return "no-answer"
        case _:
            return "error"


async def confirm_by_key(call: Call, peer: Peer, confirm: Confirm, synthesizer: Synthesizer) -> None:
    """Ask the person to press a key.

    Raises:
        NobodyError: another key, none, or the end of the call.
    """
    try:
        async with asyncio.timeout(CONFIRM_S + 20):
            await speak_to(call, peer, confirm.prompt, synthesizer)
        async with asyncio.timeout(CONFIRM_S):
            if await peer.digits.get() == confirm.digit:
                return
    except (TimeoutError, VendorError):
        pass
    raise NobodyError("declined", None, peer)


async def speak_to(call: Call, peer: Peer, text: str, synthesizer: Synthesizer) -> None:
    """Say something to the person we called and wait until it is heard, or that leg is over.

    Raises:
        VendorError: the voice failed.
    """
    if peer.egress is not None:
        await while_up(peer.ended, speak(call, peer.egress, text, synthesizer))
