from __future__ import annotations

import pytest

from moonwire.core.sip.message import Request, parse_message
from moonwire.core.sip.screening import screen

OPTIONS = (
    "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nMax-Forwards: 70\r\nFrom: <sip:a@x>;tag=1\r\n"
    "To: <sip:b@x>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n"
)


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        ("OPTIONS", "OPTIONS", None),
        ("SIP/2.0\r\nVia", "SIP/2.1\r\nVia", 505),
        ("SIP/2.0\r\nVia", "sip/2.0\r\nVia", None),
        ("sip:x SIP", "mailto:x SIP", 416),
        ("sip:x SIP", "x SIP", 400),
        ("UDP h;branch=z9hG4bKa", "UDP h, nonsense", 400),
        ("<sip:a@x>;tag=1", "<<>", 400),
        ("1 OPTIONS", "1 BYE", 400),
        ("Max-Forwards: 70", "Max-Forwards: 70\r\nMax-Forwards: 70", 400),
        ("Call-ID: c", "Call-ID: " + "c" * 600, 400),
        ("Call-ID: c", "Call-ID:", 400),
        ("OPTIONS", "PUBLISH", 405),
        ("OPTIONS", "options", 501),
        ("Max-Forwards: 70", "Max-Forwards: 0", 483),
        ("Max-Forwards: 70", "Max-Forwards: x", None),
        ("Max-Forwards: 70", "Require: Timer", None),
        ("Max-Forwards: 70", "Require: Timer, b, a", 420),
        ("Call-ID", "Broken\r\nCall-ID", 400),
    ],
)
def test_the_order_of_the_checks(old, new, status):
    message = parse_message(OPTIONS.replace(old, new).encode())
    assert isinstance(message, Request)
    refusal = screen(message)
    assert (refusal.status if refusal else None) == status
    if status in (405, 501) and refusal:
        assert "INVITE" in refusal.headers["Allow"]
    if status == 420 and refusal:
        assert refusal.headers == {"Unsupported": "a, b"}


def test_a_cancel_is_not_refused_for_what_it_requires():
    message = parse_message(OPTIONS.replace("OPTIONS", "CANCEL").replace("Max-", "Require: x\r\nMax-").encode())
    assert isinstance(message, Request)
    assert screen(message) is None
