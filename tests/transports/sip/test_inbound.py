"""Inbound calls over real UDP: the main road, and every way off it that a caller can take."""

from __future__ import annotations

import asyncio

import pytest

from moonwire.core.sip.transactions import Timing
from moonwire.errors import CallError, ConfigError
from moonwire.transports.rtp.session import RtpEngine
from moonwire.transports.sip.endpoint import SipEndpoint
from moonwire.transports.sip.stack import SipStack

OFFER_G729 = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 18\r\n"
ANSWER = OFFER_G729.replace("AVP 18", "AVP 0")


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


async def test_a_caller_who_is_no_carrier_is_refused_without_detail(rig, endpoint, phone):
    rig.gate.admitted = {}
    phone.invite()
    reply = await phone.receive()
    assert reply.start == "SIP/2.0 403 Forbidden"
    phone.ack(reply)
    assert phone.nothing_waits()
    assert endpoint.transactions == 0
    phone.to_tag = ""
    phone.invite(body="broken")
    assert (await phone.final()).status == 403
    assert rig.legs.count == 0
    assert endpoint.calls == 0


async def test_cancel_ends_a_ringing_call(rig, endpoint, phone):
    phone.invite()
    leg, listener = await rig.legs.next()
    await leg.ring()
    await phone.until(180)
    phone.send(phone.text("CANCEL", cseq=phone.cseq, branch=phone.branch))
    assert (await phone.receive()).get("CSeq").endswith("CANCEL")
    refused = await phone.receive()
    assert refused.status == 487
    phone.ack(refused)
    end = await listener.end()
    assert (end.by, end.reason, end.sip_status) == ("caller", "cancel", 487)
    assert endpoint.calls == 0
    with pytest.raises(CallError) as caught:
        await leg.answer()
    assert caught.value.reason == "cancel"


async def test_cancel_after_the_answer_changes_nothing(rig, endpoint, phone):
    phone.invite()
    leg, _ = await rig.legs.next()
    await leg.answer()
    reply = await phone.until(200)
    phone.send(phone.text("CANCEL", cseq=phone.cseq, branch=phone.branch))
    assert (await phone.receive()).status == 200
    phone.ack(reply)
    assert endpoint.calls == 1


async def test_cancel_of_nothing_is_481(phone):
    phone.send(phone.text("CANCEL"))
    assert (await phone.receive()).status == 481


async def test_a_call_is_refused_with_reason_and_headers(rig, endpoint, phone):
    phone.invite()
    leg, listener = await rig.legs.next()
    await leg.reject(480, "no configured application", {"X-Reason": "unknown number", "Via": "mine"})
    reply = await phone.final()
    assert reply.start == "SIP/2.0 480 no configured application"
    assert reply.get("X-Reason") == "unknown number"
    assert len(reply.all("Via")) == 1
    phone.ack(reply)
    end = await listener.end()
    assert (end.by, end.reason, end.sip_status) == ("moonwire", "rejected", 480)


async def test_hanging_up_while_ringing_refuses(rig, phone):
    phone.invite()
    leg, listener = await rig.legs.next()
    await leg.hang_up()
    assert (await phone.final()).status == 480
    assert (await listener.end()).reason == "rejected"


async def test_bye_of_an_unanswered_call_is_answered_and_ends_it(rig, phone):
    phone.invite()
    leg, listener = await rig.legs.next()
    await leg.ring()
    phone.to_tag = (await phone.until(180)).to_tag
    phone.send(phone.text("BYE"))
    statuses = {(await phone.receive()).status, (await phone.receive()).status}
    assert statuses == {200, 487}
    assert (await listener.end()).reason == "bye"


async def test_the_bye_waits_for_the_ack(rig, phone):
    phone.invite()
    leg, listener = await rig.legs.next()
    await leg.answer()
    reply = await phone.until(200)
    await leg.hang_up()
    assert (await listener.end()).reason == "hangup"
    assert phone.nothing_waits()
    phone.ack(reply)
    assert (await phone.until("BYE")).method == "BYE"


async def test_without_ack_the_answer_is_repeated_then_the_call_ends(rig, quick):
    endpoint = await rig.endpoint(timing=quick)
    phone = rig.phone(endpoint)
    phone.invite()
    leg, listener = await rig.legs.next()
    await leg.answer()
    assert [(await phone.until(200)).status for _ in range(5)] == [200] * 5
    bye = await phone.until("BYE")
    phone.reply_to(bye, "200 OK")
    end = await listener.end()
    assert (end.by, end.reason) == ("moonwire", "no-ack")
    assert endpoint.calls == 0


async def test_a_dead_caller_ends_the_call(rig):
    endpoint = await rig.endpoint(silence_limit_s=0.1)
    phone = rig.phone(endpoint)
    _, listener, _ = await rig.answered(phone)
    assert (await phone.until("BYE")).method == "BYE"
    end = await listener.end()
    assert (end.by, end.reason) == ("moonwire", "no-media")


async def test_a_refusal_is_repeated_until_its_ack_and_then_not(rig, quick):
    endpoint = await rig.endpoint(timing=quick)
    phone = rig.phone(endpoint)
    phone.invite(body=OFFER_G729)
    first = await phone.until(488)
    again = await phone.until(488)
    assert again.raw == first.raw
    phone.ack(first)
    await rig.reach(lambda: endpoint.transactions == 0)


async def test_stop_ends_calls_and_forgets_everything(rig):
    endpoint = await rig.endpoint(timing=Timing())
    phone = rig.phone(endpoint)
    ringing = rig.phone(endpoint)
    ringing.invite()
    _, early = await rig.legs.next()
    _, listener, _ = await rig.answered(phone)
    stopping = asyncio.create_task(endpoint.stop())
    phone.reply_to(await phone.until("BYE"), "200 OK")
    assert (await ringing.until(503)).status == 503
    await stopping
    assert (await listener.end()).reason == "shutdown"
    assert (await early.end()).sip_status == 503
    assert endpoint.transactions == 0


async def test_draining_takes_no_new_call_and_keeps_the_old(rig, endpoint, phone):
    await rig.answered(phone)
    endpoint.drain()
    other = rig.phone(endpoint)
    other.invite()
    refused = await other.final()
    assert refused.status == 503
    assert refused.get("Retry-After")
    other.send(other.text("OPTIONS"))
    assert (await other.until(503)).status == 503
    phone.send(phone.text("INFO"))
    assert (await phone.receive()).status == 200


async def test_no_media_port_left_is_503(rig, quick):
    endpoint = SipEndpoint(
        gate=rig.gate,
        acceptor=rig.legs,
        rtp=RtpEngine(pacer=rig.pacer, port_min=29000, port_max=29001, clock=rig.clock),
        host="127.0.0.1",
        port=0,
        public_ip=None,
        clock=rig.clock,
        timing=quick,
    )
    await endpoint.start()
    first, second = rig.phone(endpoint), rig.phone(endpoint)
    await rig.answered(first)
    second.invite()
    assert (await second.final()).status == 503
    await endpoint.stop()


async def test_the_public_address_is_told_to_others_but_not_to_loopback(rig, phone):
    _, _, reply = await rig.answered(phone)
    assert "c=IN IP4 127.0.0.1" in reply.body
    stack = SipStack(host="0.0.0.0", public_ip="203.0.113.9", clock=rig.clock, timing=Timing(), on_message=print)
    assert stack.advertised_address("198.51.100.7") == "203.0.113.9"
    assert stack.advertised_address("127.0.0.1") == "127.0.0.1"


async def test_a_stranger_leaves_nothing_behind_and_gets_the_same_words_again(rig, endpoint, phone):
    rig.gate.admitted = {}
    for method, status in (("INVITE", 403), ("OPTIONS", 200), ("REGISTER", 405), ("BYE", 481)):
        sent = phone.send(phone.text(method))
        first = await phone.receive()
        assert first.status == status
        phone.send(sent)
        assert (await phone.receive()).raw == first.raw
    assert endpoint.transactions == 0


async def test_after_many_calls_nothing_is_left(rig, quick):
    endpoint = await rig.endpoint(timing=quick)
    before = len(asyncio.all_tasks())
    for number in range(20):
        phone = rig.phone(endpoint)
        leg, listener, _ = await rig.answered(phone)
        if number % 2:
            await leg.hang_up()
            phone.reply_to(await phone.until("BYE"), "200 OK")
        else:
            phone.send(phone.text("BYE"))
            await phone.until(200)
        await listener.end()
    await rig.reach(lambda: endpoint.transactions == 0)
    assert endpoint.calls == 0
    assert len(asyncio.all_tasks()) == before


async def test_a_caller_without_contact_gets_the_bye_where_it_called_from(rig, phone):
    phone.send(phone.text("INVITE").replace(b"Contact:", b"X-No-Contact:"))
    leg, _ = await rig.legs.next()
    await leg.answer()
    phone.ack(await phone.until(200), body=ANSWER)
    await leg.hang_up()
    assert (await phone.until("BYE")).start.startswith(f"BYE sip:127.0.0.1:{phone.port};transport=udp ")


async def test_a_host_name_is_resolved_once_and_a_wrong_one_is_named(rig):
    endpoint = await rig.endpoint(host="localhost")
    assert endpoint.local_port
    with pytest.raises(ConfigError, match="MOONWIRE_SIP_HOST"):
        await rig.endpoint(host="nowhere.invalid")
    with pytest.raises(ConfigError, match="MOONWIRE_SIP_PORT"):
        await rig.endpoint(host="localhost", port=endpoint.local_port)


async def test_audio_may_flow_before_the_answer(rig, endpoint, phone):
    phone.invite()
    leg, listener = await rig.legs.next()
    leg.begin_early_media()
    early = await phone.until(183)
    assert "m=audio" in early.body
    await leg.answer()
    answer = await phone.until(200)
    assert answer.body == early.body
    phone.ack(answer)
    leg.begin_early_media()
    await leg.hang_up()
    await phone.until("BYE")
    assert (await listener.end()).reason == "hangup"


async def test_a_caller_may_listen_silently_before_the_answer(rig):
    endpoint = await rig.endpoint(silence_limit_s=0.1)
    phone = rig.phone(endpoint)
    phone.invite()
    leg, listener = await rig.legs.next()
    leg.begin_early_media()
    await rig.reach(lambda: listener.frames > 12)
    assert listener.ends == []
    await leg.answer()
    phone.ack(await phone.until(200))
    assert (await listener.end()).reason == "no-media", "from the answer on silence means that nobody is there"
