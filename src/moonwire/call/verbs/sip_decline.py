"""Runs `sip:decline`."""

from __future__ import annotations

from moonwire.call.context import Call
from moonwire.errors import CallError
from moonwire.spec.verbs import SipDecline


async def run_sip_decline(call: Call, verb: SipDecline) -> None:
    """Refuse the unanswered call.

    Raises:
        CallError: the call has been answered already.
    """
    if call.timeline.is_answered:
        raise CallError("sip:decline is only possible before the call is answered", reason="already-answered")
    await call.decline(verb.status, verb.reason or "", verb.headers)
