"""Inside a call: hold and resume, new addresses, glare, INFO digits, session timers."""

from __future__ import annotations

import re

import pytest

from moonwire.core.sip.transactions import Timing

SDP = (
    "v=0\r\no=- 1 {version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n{more}"
)


def sdp(port: int = 4000, *, address: str = "127.0.0.1", version: int = 2, more: str = "") -> str:
    return SDP.format(port=port, address=address, version=version, more=more)


@pytest.mark.parametrize(
    ("more", "address", "answered"),
    [
        ("a=sendonly\r\n", "127.0.0.1", "a=recvonly"),
        ("a=inactive\r\n", "127.0.0.1", "a=inactive"),
        ("a=recvonly\r\n", "127.0.0.1", "a=sendonly"),
        ("", "0.0.0.0", "a=recvonly"),
    ],
)
async def test_hold_and_resume(rig, phone, more, address, answered):
    _, listener, first = await rig.answered(phone)
    phone.invite(body=sdp(more=more, address=address))
    held = await phone.until(200)
    assert answered in held.body
    assert held.to_tag == first.to_tag
    phone.ack(held)
    phone.invite(body=sdp(version=3))
    resumed = await phone.until(200)
    assert "a=sendrecv" in resumed.body
    phone.ack(resumed)
    versions = [int(re.findall(r"o=moonwire \d+ (\d+)", reply.body)[0]) for reply in (first, held, resumed)]
    assert versions == sorted(set(versions))
    assert not listener.ends


async def test_a_held_call_is_not_a_dead_one(rig):
    endpoint = await rig.endpoint(silence_limit_s=0.1)
    phone = rig.phone(endpoint)
    _, listener, _ = await rig.answered(phone, body=sdp(more="a=inactive\r\n"))
    frames = listener.frames
    await rig.reach(lambda: listener.frames > frames + 15)
    assert not listener.ends


async def test_an_unchanged_description_keeps_its_version(rig, phone):
    _, _, first = await rig.answered(phone, body=sdp())
    phone.invite(body=sdp())
    again = await phone.until(200)
    phone.ack(again)
    assert again.body == first.body


async def test_media_follows_to_a_new_address(rig, endpoint, phone):
    other = rig.phone(endpoint)
    await rig.answered(phone)
    phone.invite(body=sdp(other.port), contact=f"<sip:moved@127.0.0.1:{other.port}>")
    phone.ack(await phone.until(200))
    packet = await other.receive_raw()
    assert (packet[0], packet[1] & 0x7F) == (0x80, 0)


async def test_the_new_contact_gets_the_bye(rig, endpoint, phone):
    other = rig.phone(endpoint)
    leg, _, _ = await rig.answered(phone)
    phone.invite(body=sdp(), contact=f"<sip:moved@127.0.0.1:{other.port}>")
    phone.ack(await phone.until(200))
    await leg.hang_up()
    assert (await other.until("BYE")).start.startswith(f"BYE sip:moved@127.0.0.1:{other.port} ")


async def test_a_re_invite_we_cannot_serve_is_488_and_the_call_goes_on(rig, phone):
    _, listener, _ = await rig.answered(phone)
    phone.invite(body=sdp().replace("RTP/AVP 0", "RTP/AVP 18"))
    refused = await phone.final()
    assert refused.status == 488
    phone.ack(refused)
    phone.send(phone.text("INFO"))
    assert (await phone.until(200)).get("CSeq").endswith("INFO")
    assert not listener.ends


async def test_a_re_invite_without_offer_gets_ours(rig, phone):
    await rig.answered(phone, body=sdp())
    phone.invite(body="")
    reply = await phone.until(200)
    assert "RTP/AVP 0 8 101" in reply.body
    crossing = phone.cseq
    phone.invite(body=sdp())
    glare = await phone.until(491)
    phone.ack(glare)
    phone.ack(reply, body=sdp(), cseq=crossing)
    phone.send(phone.text("BYE"))
    assert (await phone.until(200)).get("CSeq").endswith("BYE")


async def test_a_re_invite_before_the_answer_is_told_to_wait(rig, phone):
    phone.invite()
    leg, _ = await rig.legs.next()
    await leg.ring()
    phone.to_tag = (await phone.until(180)).to_tag
    phone.invite(body=sdp())
    reply = await phone.until(500)
    assert reply.get("Retry-After")


async def test_update_changes_and_refreshes(rig, phone):
    await rig.answered(phone)
    phone.send(phone.text("UPDATE", body=sdp(more="a=sendonly\r\n")))
    assert "a=recvonly" in (await phone.until(200)).body
    phone.send(phone.text("UPDATE"))
    assert (await phone.until(200)).body == ""


async def test_an_old_sequence_number_is_500(rig, phone):
    await rig.answered(phone)
    phone.send(phone.text("INFO", cseq=0))
    assert (await phone.until(500)).start.endswith("CSeq Out Of Order")


@pytest.mark.parametrize(
    ("media_type", "body", "expected"),
    [
        ("application/dtmf-relay", "Signal=5\r\nDuration=200\r\n", [("5", 200)]),
        ("application/dtmf-relay", "Signal= *\r\n", [("*", 160)]),
        ("application/dtmf-relay", "Signal=11\r\nDuration=99999999\r\n", [("#", 160)]),
        ("application/dtmf", "d", [("D", 160)]),
        ("application/dtmf", "hello", []),
        ("application/dtmf-relay", "Duration=5", []),
    ],
)
async def test_digits_come_by_info(rig, phone, media_type, body, expected):
    _, listener, _ = await rig.answered(phone)
    phone.send(phone.text("INFO", body=body, media_type=media_type))
    assert (await phone.until(200)).get("CSeq").endswith("INFO")
    assert listener.digits == expected


async def test_other_requests_inside_a_call_are_answered(rig, phone):
    await rig.answered(phone)
    for method, body, status in (
        ("INFO", "<xml/>", 415),
        ("REFER", "", 603),
        ("NOTIFY", "", 200),
        ("OPTIONS", "", 200),
        ("MESSAGE", "", 405),
    ):
        phone.send(phone.text(method, body=body, media_type="text/xml"))
        assert (await phone.receive()).status == status


async def test_who_refreshes_follows_the_caller_and_silence_ends_the_call(rig):
    endpoint = await rig.endpoint(timing=Timing(t1_s=0.02, t2_s=0.08, min_se_s=1, farewell_s=0.05))
    phone = rig.phone(endpoint)
    phone.invite(headers="Supported: timer\r\nSession-Expires: 1\r\n")
    leg, listener = await rig.legs.next()
    await leg.answer()
    reply = await phone.until(200)
    assert reply.get("Session-Expires") == "1;refresher=uac"
    assert reply.get("Require") == "timer"
    phone.ack(reply)
    assert (await phone.until("BYE")).method == "BYE"
    assert (await listener.end()).reason == "session-expired"


@pytest.mark.parametrize("allow", ["INVITE, UPDATE", "INVITE"])
async def test_we_refresh_when_the_caller_wants_us_to(rig, allow):
    endpoint = await rig.endpoint(timing=Timing(t1_s=0.02, t2_s=0.08, min_se_s=1, farewell_s=0.05))
    phone = rig.phone(endpoint)
    phone.invite(headers=f"Supported: timer\r\nAllow: {allow}\r\nSession-Expires: 1;refresher=uas\r\n")
    leg, listener = await rig.legs.next()
    await leg.answer()
    reply = await phone.until(200)
    assert reply.get("Session-Expires") == "1;refresher=uas"
    phone.ack(reply)
    method = "UPDATE" if "UPDATE" in allow else "INVITE"
    agreed = "Session-Expires: 1;refresher=uac\r\nSupported: timer\r\n"
    for _ in range(3):
        refresh = await phone.until(method)
        assert refresh.get("Session-Expires") == "1;refresher=uac"
        if method == "INVITE":
            phone.invite(body=sdp())
            glare = await phone.until(491)
            phone.ack(glare)
            phone.reply_to(refresh, "200 OK", agreed + f"Contact: <sip:127.0.0.1:{phone.port}>\r\n", sdp())
            assert (await phone.until("ACK")).get("CSeq").split()[0] == refresh.get("CSeq").split()[0]
        else:
            phone.reply_to(refresh, "200 OK", agreed)
    assert not listener.ends
    refresh = await phone.until(method)
    phone.reply_to(refresh, "481 Gone")
    assert (await listener.end()).reason == "session-expired"


async def test_a_caller_behind_nat_gets_the_bye_where_it_called_from(rig, phone):
    phone.invite(via="SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKnat1;rport", contact="<sip:alice@192.0.2.1:5060>")
    leg, _ = await rig.legs.next()
    await leg.answer()
    phone.ack(await phone.until(200))
    await leg.hang_up()
    assert (await phone.until("BYE")).start == "BYE sip:alice@192.0.2.1:5060 SIP/2.0"


async def test_a_bye_that_crosses_ours_is_answered_200(rig, endpoint, phone):
    leg, listener, _ = await rig.answered(phone)
    await leg.hang_up()
    bye = await phone.until("BYE")
    phone.send(phone.text("INFO"))
    assert (await phone.receive()).status == 481
    phone.send(phone.text("BYE"))
    assert (await phone.until(200)).get("CSeq").endswith("BYE")
    phone.reply_to(bye, "200 OK")
    phone.send(phone.text("BYE"))
    assert (await phone.until(481)).get("CSeq").endswith("BYE")
    assert (await listener.end()).reason == "hangup"


async def test_a_refresh_is_raised_to_min_se(rig):
    endpoint = await rig.endpoint(timing=Timing(t1_s=0.02, t2_s=0.08, min_se_s=1, farewell_s=0.05))
    phone = rig.phone(endpoint)
    phone.invite(headers="Supported: timer\r\nAllow: UPDATE\r\nSession-Expires: 1;refresher=uas\r\n")
    leg, listener = await rig.legs.next()
    await leg.answer()
    phone.ack(await phone.until(200))
    phone.reply_to(await phone.until("UPDATE"), "422 Session Interval Too Small", "Min-SE: 200\r\n")
    raised = await phone.until("UPDATE")
    assert raised.get("Session-Expires") == "200;refresher=uac"
    assert raised.get("Min-SE") == "90"
    phone.reply_to(raised, "200 OK")
    phone.send(phone.text("INFO"))
    assert (await phone.until(200)).get("CSeq").endswith("INFO")
    assert not listener.ends
