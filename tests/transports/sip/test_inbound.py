"""Inbound calls over real UDP: the main road, and every way off it that a caller can take."""

from __future__ import annotations


async def test_a_call_is_answered_and_ended_by_the_caller(rig, endpoint, phone):
    phone.invite(headers="X-Foo: bar\r\n")
    assert (await phone.receive()).status == 100
    leg, listener = await rig.legs.next()
    await leg.ring()
    ringing = await phone.receive()
    assert ringing.status == 180
    await leg.answer()
    reply = await phone.receive()
    assert reply.status == 200
    assert reply.to_tag == ringing.to_tag != ""
    assert "RTP/AVP 0 101\r\n" in reply.body
    assert "a=rtpmap:101 telephone-event/8000" in reply.body
    phone.ack(reply)
    phone.send(phone.text("BYE"))
    assert (await phone.receive()).status == 200
    end = await listener.end()
    assert (end.by, end.reason) == ("caller", "bye")
    assert endpoint.calls == 0
    info = leg.info
    assert (info.from_, info.to, info.caller_name) == ("+15551234567", "+16175551212", "Alice")
    assert info.headers["X-Foo"] == "bar"
    assert (info.source_port, info.protocol, info.carrier) == (phone.port, "udp", "loopback")
    request = info.request
    assert request["calledNumber"] == "+16175551212"
    assert request["headers"]["call-id"] == phone.call_id
    assert request["source_port"] == str(phone.port)
    assert request["payload"][0]["type"] == "application/sdp"


async def test_the_server_hangs_up(rig, phone):
    leg, listener, _ = await rig.answered(phone)
    await leg.hang_up({"X-Reason": "done\r\nEvil: 1"})
    bye = await phone.until("BYE")
    assert bye.get("X-Reason") == "done Evil: 1"
    assert bye.get("Evil") == ""
    assert phone.from_tag in bye.get("To")
    phone.reply_to(bye, "200 OK")
    end = await listener.end()
    assert (end.by, end.reason) == ("moonwire", "hangup")
