"""REFER inside a call we have: what the other side answers, and the NOTIFYs about the call it makes."""

from __future__ import annotations

import asyncio

import pytest

from moonwire.errors import CallError, CallRefusedError
from moonwire.ports.legs import ReferringLeg

TARGET = "sip:agent@127.0.0.1:5099"


async def referred(rig, phone):
    """A call whose leg has asked the telephone to call somebody else; the REFER is received."""
    leg, listener, _ = await rig.answered(phone)
    assert isinstance(leg, ReferringLeg)
    asking = asyncio.create_task(leg.refer(TARGET, {"X-Reason": "wants a human"}))
    refer = await phone.until("REFER")
    return leg, listener, asking, refer


def notify(phone, status: str, state: str = "active;expires=60") -> None:
    headers = f"Event: refer\r\nSubscription-State: {state}\r\n"
    phone.send(phone.text("NOTIFY", body=f"SIP/2.0 {status}\r\n", media_type="message/sipfrag", headers=headers))


async def test_the_other_side_is_asked_and_says_how_it_went(rig, phone):
    _, _, asking, refer = await referred(rig, phone)
    assert refer.get("Refer-To") == f"<{TARGET}>"
    assert refer.get("Referred-By").startswith("<sip:+16175551212@")
    assert refer.get("X-Reason") == "wants a human"
    phone.reply_to(refer, "202 Accepted")
    notify(phone, "100 Trying")
    assert (await phone.until(200)).get("CSeq").endswith("NOTIFY")
    assert not asking.done()
    notify(phone, "200 OK", "terminated;reason=noresource")
    assert (await phone.until(200)).get("CSeq").endswith("NOTIFY")
    assert await asyncio.wait_for(asking, 5) == 200


@pytest.mark.parametrize(
    ("news", "state", "outcome"),
    [
        ("486 Busy Here", "terminated", 486),
        ("180 Ringing", "terminated", 487),
        ("", "terminated", 487),
    ],
)
async def test_a_call_that_was_not_answered_is_told(rig, phone, news, state, outcome):
    _, _, asking, refer = await referred(rig, phone)
    phone.reply_to(refer, "202 Accepted")
    notify(phone, news, state)
    assert await asyncio.wait_for(asking, 5) == outcome


async def test_a_telephone_that_does_not_transfer_says_so(rig, phone):
    _, listener, asking, refer = await referred(rig, phone)
    phone.reply_to(refer, "603 Decline")
    with pytest.raises(CallRefusedError) as refused:
        await asyncio.wait_for(asking, 5)
    assert refused.value.status == 603
    assert listener.ends == [], "the call goes on"


async def test_a_telephone_that_hangs_up_has_taken_the_call_away(rig, phone):
    _, listener, asking, refer = await referred(rig, phone)
    phone.reply_to(refer, "202 Accepted")
    phone.send(phone.text("BYE"))
    assert await asyncio.wait_for(asking, 5) == 200
    assert (await listener.end()).by == "caller"


async def test_a_call_that_is_not_up_cannot_be_referred(rig, phone):
    phone.invite()
    leg, _ = await rig.legs.next()
    with pytest.raises(CallError):
        await leg.refer(TARGET)
