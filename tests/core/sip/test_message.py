from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonwire.core.sip.grammar import ip_literal, parse_address, parse_uri, parse_via, split_values
from moonwire.core.sip.message import (
    Request,
    Response,
    add_headers,
    content_type,
    encode,
    list_header,
    make_response,
    parse_message,
    sdp_body,
    stamp_via,
    tag_of,
)
from moonwire.core.sip.screening import screen
from moonwire.errors import RemoteProtocolError

INVITE = (
    b"INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP h:5060;branch=z9hG4bKa;rport\r\nMax-Forwards: 70\r\n"
    b'From: "A, B" <sip:a@x>;tag=1\r\nTo: <sip:bob@x>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n'
)


def invite(data: bytes = INVITE) -> Request:
    message = parse_message(data)
    assert isinstance(message, Request)
    return message


def test_what_is_read_is_written_again():
    request = invite()
    assert encode(request) == INVITE
    odd = INVITE.replace(b"A, B", b"\xff\xfe J\xc3\xb6rg")
    assert encode(invite(odd)) == odd


def test_folded_lines_and_compact_names():
    request = invite(INVITE.replace(b"Call-ID: c", b"i : c\r\n  d").replace(b"Content-Length: 0", b"l: 2") + b"hixx")
    assert request.headers["Call-ID"] == "c d"
    assert request.body == b"hi"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"hello\r\n\r\n",
        INVITE.replace(b"Via", b"Viva"),
        INVITE.replace(b"CSeq", b"C"),
        INVITE.replace(b"INVITE sip", b"IN<VITE sip"),
        INVITE.replace(b" SIP/2.0\r\nVia", b"\r\nVia"),
        b"SIP/2.0 99 No\r\n" + INVITE.partition(b"\r\n")[2],
        b"SIP/1.0 200 OK\r\n" + INVITE.partition(b"\r\n")[2],
        b"SIP/2.0 200 OK\r\nbroken\r\n" + INVITE.partition(b"\r\n")[2],
        b"x" * 70000,
    ],
)
def test_what_nobody_could_answer_raises(data):
    with pytest.raises(RemoteProtocolError):
        parse_message(data)


def test_a_status_line_may_lack_its_phrase():
    message = parse_message(b"SIP/2.0 200\r\n" + INVITE.partition(b"\r\n")[2])
    assert isinstance(message, Response)
    assert (message.status, message.phrase) == (200, "")


def test_too_many_headers_and_a_cut_message_are_answered_400():
    assert (invite(INVITE.replace(b"\r\n\r\n", b"\r\n" + b"X: y\r\n" * 300 + b"\r\n")).defect) is not None
    assert invite(INVITE.rstrip()).defect is not None


def test_a_response_echoes_and_tags():
    request = invite(INVITE.replace(b"Max-F", b"Record-Route: <sip:p;lr>\r\nVia: SIP/2.0/UDP i\r\nMax-F"))
    response = make_response(request, 180, to_tag="t")
    assert response.headers.getlist("Via") == request.headers.getlist("Via")
    assert response.headers["To"] == "<sip:bob@x>;tag=t"
    assert response.headers["Record-Route"] == "<sip:p;lr>"
    assert make_response(request, 100, to_tag="t").headers["To"] == "<sip:bob@x>"
    assert make_response(request, 599).phrase == "Unknown"
    assert make_response(request, 480, "a\r\nb").phrase == "a b"


@pytest.mark.parametrize(
    ("via", "stamped"),
    [
        ("SIP/2.0/UDP h;branch=b;rport", "SIP/2.0/UDP h;branch=b;rport=9;received=1.2.3.4"),
        (
            "SIP/2.0/UDP h;rport;branch=b, SIP/2.0/UDP i",
            "SIP/2.0/UDP h;rport=9;branch=b;received=1.2.3.4, SIP/2.0/UDP i",
        ),
        ("SIP/2.0/UDP 1.2.3.4:7;branch=b", "SIP/2.0/UDP 1.2.3.4:7;branch=b"),
        ("SIP/2.0/UDP h;received=6.6.6.6;branch=b", "SIP/2.0/UDP h;branch=b;received=1.2.3.4"),
        ("SIP/2.0/UDP h;rport=1;branch=b", "SIP/2.0/UDP h;rport=9;branch=b;received=1.2.3.4"),
    ],
)
def test_via_is_stamped(via, stamped):
    request = invite()
    request.headers.setlist("Via", [via, "SIP/2.0/UDP last"])
    stamp_via(request, "1.2.3.4", 9)
    assert request.headers.getlist("Via") == [stamped, "SIP/2.0/UDP last"]


def test_applications_cannot_break_out_of_their_headers():
    request = invite()
    add_headers(request, {"X-A": "1\r\nEvil: 2", "Via": "x", "bad name": "x", "call-id": "x", "X-N": "5"})
    assert request.headers["X-A"] == "1 Evil: 2"
    assert b"\r\nEvil" not in encode(request)
    assert request.headers["Call-ID"] == "c"
    assert request.headers.get("bad name") is None
    add_headers(request, None)


def test_values_are_split_outside_quotes_and_brackets():
    assert split_values('"a, \\" b" <sip:x,y>;t=1, <sip:z> ,, c') == ['"a, \\" b" <sip:x,y>;t=1', "<sip:z>", "c"]
    request = invite()
    request.headers.setlist("Record-Route", ["<sip:a>, <sip:b>", "<sip:c>"])
    assert list_header(request.headers, "record-route") == ["<sip:a>", "<sip:b>", "<sip:c>"]


@pytest.mark.parametrize(
    ("text", "user", "host", "port"),
    [
        ("sip:+1617@host1:5070", "+1617", "host1", 5070),
        ("SIP:a@my_box;transport=tcp", "a", "my_box", None),
        ("sip:127.0.0.1", None, "127.0.0.1", None),
        ("sip:a@[::1]:5060", "a", "[::1]", 5060),
        ("sip:a@b.example?X=y", "a", "b.example", None),
        ("tel:+1-617", "+1-617", "", None),
    ],
)
def test_uris(text, user, host, port):
    uri = parse_uri(text)
    assert (uri.user, uri.host, uri.port) == (user, host, port)


@pytest.mark.parametrize(
    ("text", "status"), [("http://x", 416), ("sip:", 400), ("", 400), ("sip:a@b@c", 400), ("x", 400)]
)
def test_no_uris(text, status):
    with pytest.raises(RemoteProtocolError) as caught:
        parse_uri(text)
    assert caught.value.status == status


def test_addresses_sipmessage_refuses():
    assert parse_address("Jörg (x) <sip:a@pbx1>;tag=5").name == "Jörg (x)"
    assert parse_address("sip:a@pbx1;tag=5").uri.host == "pbx1"
    assert tag_of("sip:a@pbx1;Tag=5") == "5"
    assert tag_of("<<") == ""
    assert parse_via("SIP/2.0/UDP pbx1:5;branch=b").host == "pbx1"
    for text in ("SIP/2.0/UDP", "SIP/2.0/UDP h;self=1", "x" * 5000):
        with pytest.raises(RemoteProtocolError):
            parse_via(text)


def test_ip_literals():
    assert ip_literal("[::1]") == "::1"
    assert ip_literal("1.2.3.4") == "1.2.3.4"
    assert ip_literal("h") is None


def test_bodies():
    request = invite()
    with pytest.raises(RemoteProtocolError):
        sdp_body(request)
    request = Request("INVITE", "sip:x", request.headers, b"v=0")
    request.headers.set("Content-Type", "Application/SDP; charset=utf-8")
    assert content_type(request) == "application/sdp"
    assert sdp_body(request) == b"v=0"
    request.headers.set("Content-Type", "multipart/mixed")
    with pytest.raises(RemoteProtocolError):
        sdp_body(request)


@given(st.data())
def test_any_mutation_is_read_answered_or_refused(data):
    raw = bytearray(INVITE)
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=20))
        if not raw:
            break
    try:
        message = parse_message(bytes(raw))
    except RemoteProtocolError:
        return
    if isinstance(message, Request):
        refusal = screen(message)
        assert encode(make_response(message, refusal.status if refusal else 200, to_tag="t"))
    else:
        assert encode(message)


def test_a_number_that_would_take_long_to_read_is_refused():
    for number in ("tel:+" + "1" * 4000 + "!", "TEL:+" + "1" * 4000):
        with pytest.raises(RemoteProtocolError):
            parse_uri(number)
        with pytest.raises(RemoteProtocolError):
            parse_address(f"<{number}>")
