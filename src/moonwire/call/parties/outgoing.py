"""Follows a call of ours from its INVITE to the answer, or to the reason why there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from moonwire.call.context import Call, is_being_called, mark_answered
from moonwire.call.parties.targets import NoWayError, Presentation, order_for
from moonwire.call.services import CallServices
from moonwire.errors import CallRefusedError
from moonwire.ports.directory import ApplicationRecord
from moonwire.ports.legs import CallProgress, DialledLeg, LegEnd
from moonwire.ports.live_calls import NewCall
from moonwire.spec.payloads import CallStatus


class OutgoingCall:
    """What an outbound session knows beyond an inbound one."""

    def __init__(self, application: ApplicationRecord, customer_data: Mapping[str, Any], time_limit_s: float | None):
        self.application = application
        self.customer_data = customer_data
        self.time_limit_s = time_limit_s
        self._call: Call | None = None
        self._said: list[CallProgress] = []

    def progress(self, said: CallProgress) -> None:
        """Take word that it rings, or that audio comes already."""
        call = self._call
        if call is None:
            self._said.append(said)
        elif is_being_called(call):
            status: CallStatus = "early-media" if said.early_media else "ringing"
            if status != call.state.status:
                call.set_status(status, said.status, said.phrase)

    async def taken(self, call: Call, leg: DialledLeg) -> bool:
        """Wait for the answer; False when there is none, the call is finished then."""
        call.set_status("trying", 100, "Trying")
        self._call = call
        for said in self._said:
            self.progress(said)
        waiting = asyncio.create_task(leg.taken())
        try:
            await asyncio.wait({waiting, call.gone}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                return False
            waiting.result()
        except CallRefusedError as refusal:
            call.state.refusal = refusal
            by_us = refusal.reason in ("no-answer", "cancel")
            call.finish(LegEnd("moonwire" if by_us else "caller", refusal.reason, refusal.status))
            return False
        finally:
            waiting.cancel()
            await asyncio.wait({waiting})
        if not call.gone.done():
            mark_answered(call)
        return not call.gone.done()


async def place(services: CallServices, new: NewCall) -> tuple[DialledLeg, OutgoingCall]:
    """Send the INVITE.

    Raises:
        CallError, RemoteProtocolError: as ports.live_calls.LiveCalls.place.
    """
    application = _application(services, new)
    shown = Presentation(new.from_, new.from_host, new.caller_name, new.headers)
    # the target is the REST client's, whoever wrote the application
    order = order_for(services, replace(application, by_operator=False), new.target, shown, new.timeout_s)
    if services.dialer.placer is None:
        raise NoWayError("this process places no calls", reason="busy")
    outgoing = OutgoingCall(application, new.customer_data, new.time_limit_s)
    return await services.dialer.placer.invite(order, outgoing.progress), outgoing


def _application(services: CallServices, new: NewCall) -> ApplicationRecord:
    directory = services.directory
    if new.application_sid is None:
        return replace(directory.bare_application(new.account_sid), **new.changes)
    found = directory.application(new.application_sid)
    if found is None or found.account_sid != new.account_sid:
        raise NoWayError("application_sid: there is no such application", reason="no-application")
    changed_hooks = any(new.changes.get(name) for name in ("call_hook", "call_status_hook"))
    return replace(found, **new.changes, by_operator=found.by_operator and not changed_hooks)
