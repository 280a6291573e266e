"""The probes that brought other SIP stacks down or astray: each stays a test for ever."""

from __future__ import annotations

import asyncio
import random

import pytest

AUDIO = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
G711 = "m=audio 4000 RTP/AVP 8 0 126\r\na=rtpmap:126 telephone-event/8000\r\n"


async def test_a_repeated_invite_while_ringing_brings_the_last_response_and_no_second_call(rig, phone):
    invite = phone.invite()
    leg, _ = await rig.legs.next()
    await leg.ring()
    ringing = await phone.until(180)
    phone.send(invite)
    assert (await phone.receive()).raw == ringing.raw
    assert rig.legs.count == 1
    await leg.answer()
    answer = await phone.receive()
    phone.send(invite)
    assert (await phone.until(200)).raw == answer.raw
    phone.ack(answer)
    phone.send(invite)
    assert (await phone.until(200)).raw == answer.raw
    assert rig.legs.count == 1


async def test_the_answer_comes_in_the_ack_when_the_invite_had_no_offer(rig, phone):
    phone.invite(body="")
    leg, listener = await rig.legs.next()
    await leg.answer()
    reply = await phone.until(200)
    assert "RTP/AVP 0 8 101" in reply.body
    assert "a=sendrecv" in reply.body
    phone.ack(reply, body=AUDIO + "m=audio 4000 RTP/AVP 8\r\n")
    await listener.heard.wait()


async def test_an_ack_without_the_answer_ends_the_call(rig, phone):
    phone.invite(body="")
    leg, listener = await rig.legs.next()
    await leg.answer()
    phone.ack(await phone.until(200))
    assert (await phone.until("BYE")).method == "BYE"
    assert (await listener.end()).reason == "no-common-codec"


@pytest.mark.parametrize(
    "media",
    [
        "m=audio 4000 RTP/AVP 18\r\n",
        "m=audio 4000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19z\r\n",
        "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\n",
        "m=audio 0 RTP/AVP 0\r\n",
        "m=video 4000 RTP/AVP 31\r\n",
        "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 bad..host\r\n",
        "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 media.example.com\r\n",
        "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 224.2.1.1\r\n",
    ],
)
async def test_nothing_we_can_serve_is_488(rig, phone, media):
    phone.invite(body=AUDIO + media)
    reply = await phone.final()
    assert reply.status == 488
    assert rig.legs.count == 0


@pytest.mark.parametrize(
    "body", ["hello", "v=0\r\nm=audio\r\n", AUDIO + "m=audio 99999 RTP/AVP 0\r\n", "v=0\r\n\0=\r\n"]
)
async def test_a_broken_offer_is_400(rig, phone, body):
    phone.invite(body=body)
    assert (await phone.final()).status == 400
    assert rig.legs.count == 0


async def test_another_body_than_sdp_is_415(rig, phone):
    phone.invite(body="<xml/>", media_type="application/xml")
    reply = await phone.final()
    assert reply.status == 415
    assert reply.get("Accept") == "application/sdp"


async def test_sdp_inside_a_multipart_body_is_found(rig, phone):
    part = f"--x\r\nContent-Type: application/sdp\r\n\r\n{AUDIO}{G711}\r\n--x\r\nContent-Type: text/plain\r\n\r\nhi"
    phone.invite(body=part, media_type='multipart/mixed; boundary="x"')
    leg, _ = await rig.legs.next()
    await leg.answer()
    assert "RTP/AVP 8 126" in (await phone.until(200)).body


async def test_audio_and_video_takes_the_audio_and_the_offered_event_type(rig, phone):
    phone.invite(body=f"{AUDIO}m=video 5000 RTP/AVP 31 34\r\n{G711}")
    leg, _ = await rig.legs.next()
    await leg.answer()
    body = (await phone.until(200)).body
    media = [line for line in body.split("\r\n") if line.startswith("m=")]
    assert media[0] == "m=video 0 RTP/AVP 31 34"
    assert media[1].startswith("m=audio ")
    assert media[1].endswith(" RTP/AVP 8 126")
    assert "a=rtpmap:126 telephone-event/8000" in body


async def test_an_unknown_require_is_420(phone):
    phone.invite(headers="Require: 100rel, timer, magic\r\n")
    reply = await phone.final()
    assert reply.status == 420
    assert reply.get("Unsupported") == "100rel, magic"


async def test_a_session_interval_of_30_s_is_422(phone):
    phone.invite(headers="Supported: timer\r\nSession-Expires: 30\r\n")
    reply = await phone.final()
    assert reply.status == 422
    assert reply.get("Min-SE") == "90"


async def test_bye_for_an_unknown_dialog_is_481(phone):
    phone.to_tag = "nobody"
    phone.send(phone.text("BYE"))
    assert (await phone.receive()).status == 481


async def test_bye_without_to_tag_is_481(phone):
    phone.send(phone.text("BYE"))
    assert (await phone.receive()).status == 481


async def test_bye_of_a_stranger_who_guessed_only_our_tag_is_481(rig, endpoint, phone):
    await rig.answered(phone)
    phone.from_tag = "other"
    phone.send(phone.text("BYE"))
    assert (await phone.receive()).status == 481
    assert endpoint.calls == 1


async def test_a_repeated_options_brings_the_same_response(phone):
    options = phone.send(phone.text("OPTIONS"))
    first = await phone.receive()
    assert first.status == 200
    assert "INVITE" in first.get("Allow")
    phone.send(options)
    assert (await phone.receive()).raw == first.raw


async def test_an_impossible_port_in_via_is_dropped_and_nothing_else(rig, endpoint, phone):
    for port in (99999, 0, 70000, 4294967297):
        phone.invite(via=f"SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKport{port}")
    phone.send(phone.text("OPTIONS"))
    assert (await phone.receive()).status == 200
    assert rig.legs.count == 0
    await rig.answered(phone)


async def test_without_rport_the_response_goes_to_the_port_in_via(rig, endpoint, phone):
    other = rig.phone(endpoint)
    phone.send(phone.text("OPTIONS", via=f"SIP/2.0/UDP 127.0.0.1:{other.port};branch=z9hG4bKnorport"))
    assert (await other.receive()).status == 200
    assert phone.nothing_waits()


async def test_rport_and_received_are_filled_in(phone):
    phone.send(phone.text("OPTIONS", via="SIP/2.0/UDP phone_7.local:1;rport;branch=z9hG4bKnat"))
    via = (await phone.receive()).get("Via")
    assert f";rport={phone.port}" in via
    assert ";received=127.0.0.1" in via


async def test_two_record_routes_are_copied_in_order_and_followed_in_order(rig, endpoint, phone):
    proxy = rig.phone(endpoint)
    first, second = f"<sip:127.0.0.1:{proxy.port};lr>", "<sip:10.0.0.2;lr>"
    phone.invite(headers=f"Record-Route: {first}\r\nRecord-Route: {second}\r\n")
    leg, _ = await rig.legs.next()
    await leg.ring()
    assert (await phone.until(180)).all("Record-Route") == [first, second]
    await leg.answer()
    reply = await phone.until(200)
    assert reply.all("Record-Route") == [first, second]
    phone.ack(reply)
    await leg.hang_up()
    bye = await proxy.until("BYE")
    assert bye.all("Route") == [first, second]
    assert bye.start == f"BYE sip:alice@127.0.0.1:{phone.port} SIP/2.0"


async def test_a_strict_router_gets_its_own_uri(rig, endpoint, phone):
    proxy = rig.phone(endpoint)
    phone.invite(headers=f"Record-Route: <sip:127.0.0.1:{proxy.port}>\r\n")
    leg, _ = await rig.legs.next()
    await leg.answer()
    phone.ack(await phone.until(200))
    await leg.hang_up()
    bye = await proxy.until("BYE")
    assert bye.start == f"BYE sip:127.0.0.1:{proxy.port} SIP/2.0"
    assert bye.all("Route") == [f"<sip:alice@127.0.0.1:{phone.port}>"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (("SIP/2.0\r\nVia", "SIP/3.0\r\nVia"), 505),
        (("Max-Forwards: 70", "Max-Forwards: 0"), 483),
        (("1 OPTIONS", "1 INVITE"), 400),
        (("1 OPTIONS", "x OPTIONS"), 400),
        (("1 OPTIONS", "4294967296 OPTIONS"), 400),
        (("OPTIONS sip:", "OPTIONS http:"), 416),
        (("OPTIONS sip:+16175551212", "OPTIONS sip:<>"), 400),
        (("Content-Length: 0", "Content-Length: 10"), 400),
        (("Content-Length: 0", "Content-Length: -1"), 400),
        (("Content-Length: 0", "Content-Length 0"), 400),
        (("From: ", "From: x\r\nFrom: "), 400),
        (('From: "Alice" <sip:', "From: <"), 400),
    ],
)
async def test_a_malformed_request_gets_its_status(phone, change, status):
    text = phone.text("OPTIONS", cseq=1).decode()
    assert change[0] in text
    phone.send(text.replace(*change, 1).encode())
    assert (await phone.receive()).status == status


@pytest.mark.parametrize(
    ("method", "status"),
    [("REGISTER", 405), ("SUBSCRIBE", 405), ("MESSAGE", 405), ("REFER", 405), ("FOO", 501), ("NOTIFY", 489)],
)
async def test_other_methods_are_refused_politely(phone, method, status):
    phone.send(phone.text(method))
    reply = await phone.receive()
    assert reply.status == status
    assert status == 489 or "INVITE" in reply.get("Allow")


async def test_odd_but_legal_spelling_is_understood(rig, phone):
    text = (
        f"INVITE sip:16175551212@sbc1;user=phone SIP/2.0\r\n"
        f"v : SIP/2.0/UDP my_host:{phone.port}\r\n ;branch=z9hG4bKodd ; rport\r\n"
        f"f: Jörg (home) <sip:bob@pbx7>;tag=a%20b\r\nt: sip:16175551212@sbc1\r\ni: odd\r\nCSEQ:  1   INVITE\r\n"
        f"m: <sip:bob@127.0.0.1:{phone.port}>\r\nc: application/sdp\r\n\r\n{AUDIO}{G711}"
    )
    phone.send(text.encode())
    leg, _ = await rig.legs.next()
    await leg.answer()
    reply = await phone.until(200)
    assert reply.get("From") == "Jörg (home) <sip:bob@pbx7>;tag=a%20b"
    assert leg.info.from_ == "bob"
    assert leg.info.caller_name == "Jörg (home)"
    assert leg.info.to == "16175551212"


async def test_an_invite_on_two_ways_is_one_call(rig, phone):
    phone.invite()
    await rig.legs.next()
    phone.invite(cseq=phone.cseq)
    assert (await phone.until(482)).status == 482
    assert rig.legs.count == 1


async def test_an_invite_without_usable_contact_is_400(rig, phone):
    phone.invite(contact="nonsense")
    assert (await phone.final()).status == 400
    assert rig.legs.count == 0


async def test_three_thousand_mutated_invites_change_nothing(rig, endpoint, phone):
    """Answered or dropped, never a crash; then OPTIONS and a normal call work as before."""
    chance = random.Random(20261122)
    alphabet = b"\r\n\0;:,<>@=\"' /%\xff019aZ"
    rig.legs.on_offer = None
    for _ in range(3000):
        body = AUDIO + G711
        data = bytearray(phone.text("INVITE", body=body))
        for _ in range(chance.randint(1, 8)):
            place = chance.randrange(len(data))
            match chance.randrange(4):
                case 0:
                    data[place] = chance.choice(alphabet)
                case 1:
                    del data[place : place + chance.randint(1, 30)]
                case 2:
                    data[place:place] = bytes(chance.choices(alphabet, k=chance.randint(1, 20)))
                case _:
                    data[place:place] = data[place : place + chance.randint(1, 200)]
        phone.send(bytes(data))
        while not rig.legs.offered.empty():
            leg, _ = rig.legs.offered.get_nowait()
            await leg.reject(486, "Busy Here")
        while not phone.nothing_waits():
            await phone.receive_raw()
        await asyncio.sleep(0)  # the endpoint reads too; a full kernel buffer would drop what is to be tested
    caller = rig.phone(endpoint)
    caller.send(caller.text("OPTIONS"))
    assert (await caller.receive(timeout_s=20)).status == 200
    while not rig.legs.offered.empty():
        rig.legs.offered.get_nowait()
    await rig.answered(caller)
    assert endpoint.failed == 0
