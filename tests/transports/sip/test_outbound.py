"""Calls we place: against telephones under the test's control, and from endpoint to endpoint over UDP and TCP."""

from __future__ import annotations

import asyncio
import hashlib
import re

import pytest

from moonwire.errors import CallRefusedError, RemoteProtocolError
from moonwire.ports.legs import CallOrder

ANSWER = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\n"


def contact(phone) -> str:
    return f"Contact: <sip:bob@127.0.0.1:{phone.port}>\r\n"


def tagged(request, tag: str):
    request.headers = [(name, f"{value};tag={tag}" if name == "To" else value) for name, value in request.headers]
    return request


def place(endpoint, phone, listener, **options):
    uri = f"sip:bob@127.0.0.1:{phone.port}"
    return asyncio.create_task(
        endpoint.place(uri, from_user="+15550001111", listener=listener, source=listener, **options)
    )


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_two_endpoints_hold_a_whole_call(rig, endpoint, make_listener, transport):
    caller_side = make_listener()
    caller = await rig.endpoint()
    rang = asyncio.Event()
    calling = asyncio.create_task(
        caller.place(
            f"sip:+16175551212@127.0.0.1:{endpoint.local_port};transport={transport}",
            from_user="+15551234567",
            listener=caller_side,
            source=caller_side,
            headers={"X-Test": "yes"},
            on_ringing=lambda status: rang.set(),
        )
    )
    leg, called_side = await rig.legs.next()
    await leg.ring()
    async with asyncio.timeout(5):
        await rang.wait()
    await leg.answer()
    placed = await calling
    assert (leg.info.to, leg.info.from_, leg.info.protocol) == ("+16175551212", "+15551234567", transport)
    assert leg.info.headers["X-Test"] == "yes"
    assert placed.info.direction == "outbound"
    async with asyncio.timeout(5):
        await caller_side.heard.wait()
        await called_side.heard.wait()
    placed.send_digits("5", 100)
    async with asyncio.timeout(5):
        await called_side.pressed.wait()
    assert called_side.digits[0][0] == "5"
    await placed.hang_up()
    assert (await called_side.end()).reason == "bye"
    assert (await caller_side.end()).by == "moonwire"
    assert endpoint.calls == caller.calls == 0
    assert endpoint.failed == caller.failed == 0


async def test_the_called_side_hangs_up_over_the_callers_connection(rig, endpoint, make_listener):
    caller_side = make_listener()
    caller = await rig.endpoint()
    calling = asyncio.create_task(
        caller.place(
            f"sip:1@127.0.0.1:{endpoint.local_port};transport=tcp",
            from_user="a",
            listener=caller_side,
            source=caller_side,
        )
    )
    leg, _ = await rig.legs.next()
    await leg.answer()
    await calling
    await leg.hang_up()
    end = await caller_side.end()
    assert (end.by, end.reason) == ("caller", "bye")


async def test_a_refusal_is_an_error_with_its_status(endpoint, phone, make_listener):
    calling = place(endpoint, phone, make_listener())
    invite = await phone.until("INVITE")
    assert invite.get("From").startswith("<sip:+15550001111@127.0.0.1>;tag=")
    phone.reply_to(tagged(invite, "b"), "486 Busy Here")
    ack = await phone.until("ACK")
    assert ack.get("Via") == invite.get("Via")
    assert ack.get("To").endswith(";tag=b")
    with pytest.raises(CallRefusedError) as caught:
        await calling
    assert (caught.value.status, caught.value.phrase, caught.value.reason) == (486, "Busy Here", "rejected")
    phone.reply_to(invite, "486 Busy Here")
    assert (await phone.until("ACK")).get("CSeq") == ack.get("CSeq")


async def test_nobody_answers_the_ringing_so_it_is_cancelled(endpoint, phone, make_listener):
    listener = make_listener()
    calling = place(endpoint, phone, listener, timeout_s=0.1)
    invite = await phone.until("INVITE")
    phone.reply_to(tagged(invite, "b"), "180 Ringing")
    with pytest.raises(CallRefusedError) as caught:
        await calling
    assert caught.value.reason == "no-answer"
    cancel = await phone.until("CANCEL")
    assert cancel.get("Via") == invite.get("Via")
    assert cancel.get("CSeq").split()[0] == invite.get("CSeq").split()[0]
    phone.reply_to(cancel, "200 OK")
    phone.reply_to(invite, "487 Request Terminated")
    assert (await phone.until("ACK")).method == "ACK"
    assert not listener.ends


async def test_an_answer_that_crosses_the_cancel_is_ended(endpoint, phone, make_listener):
    calling = place(endpoint, phone, make_listener())
    invite = await phone.until("INVITE")
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    phone.reply_to(tagged(invite, "b"), "200 OK", contact(phone), ANSWER.format(port=4000))
    assert (await phone.until("ACK")).method == "ACK"
    assert (await phone.until("BYE")).method == "BYE"
    assert endpoint.calls == 0


async def test_nobody_there_is_an_error_after_timer_b(rig, quick, make_listener):
    endpoint = await rig.endpoint(timing=quick)
    phone = rig.phone(endpoint)
    calling = place(endpoint, phone, make_listener())
    first = await phone.until("INVITE")
    assert (await phone.until("INVITE")).raw == first.raw
    with pytest.raises(CallRefusedError) as caught:
        await calling
    assert caught.value.status == 408


async def test_a_lost_ack_is_sent_again_and_another_forks_answer_is_ended(endpoint, phone, make_listener):
    calling = place(endpoint, phone, make_listener())
    invite = await phone.until("INVITE")
    phone.reply_to(tagged(invite, "one"), "200 OK", contact(phone), ANSWER.format(port=4000))
    first = await phone.until("ACK")
    await calling
    phone.reply_to(invite, "200 OK", contact(phone), ANSWER.format(port=4000))
    assert (await phone.until("ACK")).get("CSeq") == first.get("CSeq")
    invite.headers = [(name, value.replace("one", "two") if name == "To" else value) for name, value in invite.headers]
    phone.reply_to(invite, "200 OK", contact(phone), ANSWER.format(port=4002))
    assert (await phone.until("BYE")).get("To").endswith("tag=two")
    assert endpoint.calls == 1


async def test_early_media_then_an_answer_without_description(endpoint, phone, make_listener):
    listener = make_listener()
    calling = place(endpoint, phone, listener)
    invite = await phone.until("INVITE")
    phone.reply_to(tagged(invite, "b"), "183 Session Progress", contact(phone), ANSWER.format(port=4000))
    async with asyncio.timeout(5):
        await listener.heard.wait()
    phone.reply_to(invite, "200 OK", contact(phone))
    await phone.until("ACK")
    await (await calling).hang_up()
    assert (await phone.until("BYE")).method == "BYE"


async def test_an_answer_we_cannot_use_is_acknowledged_and_ended(endpoint, phone, make_listener):
    calling = place(endpoint, phone, make_listener())
    invite = await phone.until("INVITE")
    phone.reply_to(tagged(invite, "b"), "200 OK", contact(phone), ANSWER.format(port=4000).replace("AVP 0", "AVP 18"))
    assert (await phone.until("ACK")).method == "ACK"
    assert (await phone.until("BYE")).method == "BYE"
    with pytest.raises(CallRefusedError) as caught:
        await calling
    assert caught.value.reason == "no-common-codec"


async def test_record_routes_of_the_answer_are_followed_reversed(rig, endpoint, phone, make_listener):
    proxy = rig.phone(endpoint)
    calling = place(endpoint, phone, make_listener())
    invite = await phone.until("INVITE")
    far, near = "<sip:10.0.0.2;lr>", f"<sip:127.0.0.1:{proxy.port};lr>"
    routes = f"Record-Route: {far}, {near}\r\n"
    phone.reply_to(tagged(invite, "b"), "200 OK", routes + contact(phone), ANSWER.format(port=4000))
    ack = await proxy.until("ACK")
    assert ack.all("Route") == [near, far]
    await (await calling).hang_up()
    assert (await proxy.until("BYE")).all("Route") == [near, far]


@pytest.mark.parametrize(
    ("status", "challenge", "answer"),
    [
        ("401 Unauthorized", "WWW-Authenticate", "Authorization"),
        ("407 Prove", "Proxy-Authenticate", "Proxy-Authorization"),
    ],
)
async def test_a_challenge_is_answered_once(endpoint, phone, make_listener, status, challenge, answer):
    calling = place(endpoint, phone, make_listener(), auth=("bob", "zanzibar"))
    invite = await phone.until("INVITE")
    phone.reply_to(
        tagged(invite, "b"),
        status,
        f'{challenge}: Digest realm="x", nonce="abc", qop="auth,auth-int", algorithm=MD5\r\n',
    )
    await phone.until("ACK")
    again = await phone.until("INVITE")
    assert int(again.get("CSeq").split()[0]) == int(invite.get("CSeq").split()[0]) + 1
    assert again.get("Call-ID") == invite.get("Call-ID")
    sent = dict(re.findall(r'(\w+)="?([^",]+)"?', again.get(answer)))
    ha1 = hashlib.md5(b"bob:x:zanzibar").hexdigest()
    ha2 = hashlib.md5(f"INVITE:{sent['uri']}".encode()).hexdigest()
    expected = hashlib.md5(f"{ha1}:abc:{sent['nc']}:{sent['cnonce']}:auth:{ha2}".encode()).hexdigest()
    assert sent["response"] == expected
    phone.reply_to(tagged(again, "c"), status, f'{challenge}: Digest realm="x", nonce="abd"\r\n')
    with pytest.raises(CallRefusedError) as caught:
        await calling
    assert caught.value.status == int(status[:3])


@pytest.mark.parametrize(
    "uri", ["http://x", "sip:a@127.0.0.1:99999", "sips:a@127.0.0.1", "tel:+1555", "sip:a@b;transport=ws"]
)
async def test_a_uri_we_cannot_call_is_named(endpoint, make_listener, uri):
    listener = make_listener()
    with pytest.raises(RemoteProtocolError):
        await endpoint.place(uri, from_user="a", listener=listener, source=listener)


async def test_an_unreachable_tcp_peer_and_an_unknown_host_fail_at_once(endpoint, phone, make_listener):
    listener = make_listener()
    for uri in (f"sip:a@127.0.0.1:{phone.port};transport=tcp", "sip:a@nowhere.invalid"):
        with pytest.raises(CallRefusedError) as caught:
            await endpoint.place(uri, from_user="a", listener=listener, source=listener)
        assert caught.value.reason == "unreachable"


async def test_a_call_over_ipv6(rig, make_listener):
    called, caller = await rig.endpoint(host="::1"), await rig.endpoint(host="::1")
    listener = make_listener()
    calling = asyncio.create_task(
        caller.place(f"sip:1@[::1]:{called.local_port}", from_user="a", listener=listener, source=listener)
    )
    leg, _ = await rig.legs.next()
    await leg.answer()
    await calling
    async with asyncio.timeout(5):
        await listener.heard.wait()
    await leg.hang_up()
    assert (await listener.end()).reason == "bye"


async def test_users_may_not_call_private_addresses(endpoint, phone):
    endpoint.guard_calls(lambda host, addresses: [])
    uri = f"sip:bob@127.0.0.1:{phone.port}"
    with pytest.raises(CallRefusedError) as caught:
        await endpoint.invite(CallOrder(uri, "a", guarded=True), lambda said: None)
    assert caught.value.reason == "private-address"
    order = CallOrder("sip:bob@sip.example", "a", proxy=uri, guarded=True)
    with pytest.raises(CallRefusedError):
        await endpoint.invite(order, lambda said: None)
    assert phone.nothing_waits()
    leg = await endpoint.invite(CallOrder(uri, "a"), lambda said: None)
    await phone.until("INVITE")
    await leg.hang_up()


async def test_as_whom_and_by_which_way_we_call(endpoint, phone, make_listener):
    said = []
    order = CallOrder(
        "sip:bob@sip.example",
        "+1617",
        from_host="carrier.example",
        from_name='Ann "A" \r\nX: y',
        request_uri="sip:other@sip.example",
        proxy=f"sip:127.0.0.1:{phone.port}",
        headers={"X-Tag": "1", "From": "forged"},
    )
    leg = await endpoint.invite(order, said.append)
    invite = await phone.until("INVITE")
    assert invite.start == "INVITE sip:other@sip.example SIP/2.0"
    assert invite.get("From").startswith('"Ann A  X: y" <sip:+1617@carrier.example>;tag=')
    assert invite.get("To") == "<sip:bob@sip.example>"
    assert invite.get("X-Tag") == "1"
    phone.reply_to(tagged(invite, "b"), "183 Session Progress", contact(phone), ANSWER.format(port=4000))
    phone.reply_to(tagged(invite, "b"), "180 Ringing", contact(phone))
    taken = asyncio.create_task(leg.taken())
    phone.reply_to(tagged(invite, "b"), "486 Busy Here")
    with pytest.raises(CallRefusedError):
        await asyncio.wait_for(taken, 5)
    assert [(one.status, one.early_media) for one in said] == [(183, True), (180, False)]
