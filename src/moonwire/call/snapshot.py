"""Pictures a call for its application."""

from __future__ import annotations

from moonwire.call.context import Call
from moonwire.spec.payloads import CallSnapshot


def snapshot(call: Call) -> CallSnapshot:
    """Return the call as applications see it now."""
    info, state, addresses = call.leg.info, call.state, call.services.addresses
    ended_by = None if state.ended is None else ("caller" if state.ended.by == "caller" else "jambonz")
    return CallSnapshot(
        call_sid=call.sid,
        account_sid=call.application.account_sid,
        direction=info.direction,
        from_=info.from_,
        to=info.to,
        call_id=info.call_id,
        call_status=state.status,
        sip_status=state.sip_status,
        sip_reason=state.sip_reason,
        application_sid=call.application.sid or None,
        caller_name=info.caller_name,
        trace_id=call.trace_id,
        sip_address=addresses.sip_address,
        public_ip=addresses.public_ip,
        api_base_url=addresses.api_base_url,
        originating_sip_ip=info.source_address,
        originating_sip_trunk_name=info.carrier,
        call_termination_by=ended_by,
        duration_s=state.duration_s,
        customer_data=state.customer_data,
        headers={name: value for name, value in info.headers.items() if name.lower().startswith("x-")},
    )
