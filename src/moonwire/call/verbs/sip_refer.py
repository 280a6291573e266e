"""Runs `sip:refer`: asks the caller's side to call somebody else and tells the actionHook what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from moonwire.call.context import Call
from moonwire.call.parties.handoff import REFER_S
from moonwire.call.parties.peer import failed_status
from moonwire.call.parties.targets import refer_address
from moonwire.call.snapshot import snapshot
from moonwire.errors import CallError, CallRefusedError
from moonwire.ports.legs import ReferringLeg
from moonwire.spec.payloads import base_payload
from moonwire.spec.transfer_payloads import refer_complete
from moonwire.spec.verbs import SipRefer, Verb


async def run_sip_refer(call: Call, verb: SipRefer) -> Sequence[Verb] | None:
    """Transfer the call; the caller's side ends it when the transfer has worked.

    Raises:
        CallError: the caller came over a transport that cannot be referred, or has gone.
    """
    await call.ensure_answered()
    if not isinstance(call.leg, ReferringLeg):
        raise CallError("this call cannot be referred", reason="not-sip")
    call.settles = True
    try:
        refer_status, final = await _refer(call, call.leg, verb)
        call.note("transfer", name="referred", status=refer_status, final=final)
        if verb.action_hook is None:
            return None
        payload = refer_complete(snapshot(call), refer_status, final, verb_id=verb.id)
        return await call.session.call_hook(verb.action_hook, payload)
    finally:
        call.settles = False


async def _refer(call: Call, leg: ReferringLeg, verb: SipRefer) -> tuple[int, int | None]:
    """Return the status of the REFER and, when it was taken, of the call that it asked for."""
    headers = dict(verb.headers)
    by = verb.referred_by or (call.leg.info.to if verb.referred_by_display_name else None)
    if by:
        name = f'"{verb.referred_by_display_name}" ' if verb.referred_by_display_name else ""
        headers["Referred-By"] = by if "<" in by else f"{name}<{refer_address(call, by)}>"

    def tell(status: int) -> None:
        if verb.event_hook is not None:
            called = "in-progress" if 200 <= status < 300 else "ringing" if status < 200 else failed_status(status)
            event = {"event": "transfer-status", "call_status": "trying" if status == 100 else called}
            call.session.notify(verb.event_hook, {**base_payload(snapshot(call), verb_id=verb.id), **event})

    try:
        async with asyncio.timeout(REFER_S):
            return 202, await leg.refer(refer_address(call, verb.refer_to), headers, tell)
    except TimeoutError:
        return 202, None
    except CallRefusedError as refusal:
        return refusal.status, None
