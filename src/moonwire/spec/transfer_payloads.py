"""What the actionHooks of dial, sip:refer and transfer hear. Source: @jambonz/schema 0.4.15, callbacks/."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from moonwire.spec.payloads import CallSnapshot, CallStatus, base_payload


@dataclass(frozen=True, slots=True)
class DialOutcome:
    """How a `dial` ended; about the leg that answered, or the likeliest of those that did not."""

    call_status: CallStatus
    sip_status: int | None = None
    call_sid: str | None = None
    call_id: str | None = None
    connected_s: int | None = None
    """How long caller and person were connected."""


def dial_complete(call: CallSnapshot, outcome: DialOutcome, *, verb_id: str | None = None) -> dict[str, Any]:
    """Build the payload of the dial verb's actionHook. Source: callbacks/dial; the duration is ours."""
    members = {
        "dial_call_status": outcome.call_status,
        "dial_sip_status": outcome.sip_status,
        "dial_call_sid": outcome.call_sid,
        "dial_sbc_callid": outcome.call_id,
        "dial_call_duration": outcome.connected_s,
    }
    return base_payload(call, verb_id=verb_id) | {name: value for name, value in members.items() if value is not None}


def refer_complete(
    call: CallSnapshot, refer_status: int, final_status: int | None, *, verb_id: str | None = None
) -> dict[str, Any]:
    """Build the payload of the sip:refer verb's actionHook. Source: callbacks/sip-refer."""
    payload = base_payload(call, verb_id=verb_id) | {"refer_status": refer_status}
    return payload if final_status is None else {**payload, "final_referred_call_status": final_status}


TransferResult = Literal["bridged", "returned", "voicemail", "failed"]
TransferReason = Literal["completed", "no-answer", "busy", "declined", "caller-abandoned", "error"]


def transfer_complete(
    call: CallSnapshot,
    result: TransferResult,
    reason: TransferReason,
    *,
    sip_status: int | None = None,
    dial_call_sid: str | None = None,
    verb_id: str | None = None,
) -> dict[str, Any]:
    """Build the payload of a transfer's actionHook. Source: callbacks/transfer."""
    payload = base_payload(call, verb_id=verb_id) | {"transfer_result": result, "transfer_reason": reason}
    optional = {"dial_call_sid": dial_call_sid, "sip_status": sip_status}
    return payload | {name: value for name, value in optional.items() if value is not None}
