"""What NOTIFYs say about a referral."""

from __future__ import annotations

import pytest

from moonwire.core.sip.message import Request
from moonwire.core.sip.referral import read_news


def notify(event: str, state: str, body: bytes, media_type: str = "message/sipfrag;version=2.0") -> Request:
    request = Request("NOTIFY", "sip:us@127.0.0.1", body=body)
    request.headers.set("Event", event)
    request.headers.set("Subscription-State", state)
    request.headers.set("Content-Type", media_type)
    return request


@pytest.mark.parametrize(
    ("event", "state", "body", "outcome"),
    [
        ("refer", "active;expires=60", b"SIP/2.0 100 Trying\r\n", None),
        ("refer;id=2", "active", b"SIP/2.0 200 OK\r\nContact: <sip:x>", 200),
        ("Refer", "Terminated;reason=noresource", b"SIP/2.0 503 Service Unavailable", 503),
        ("refer", "terminated", b"garbage", 487),
        ("refer", "active", b"\xff\xfe", None),
    ],
)
def test_outcome(event: str, state: str, body: bytes, outcome: int | None) -> None:
    news = read_news(notify(event, state, body))
    assert news is not None
    assert news.outcome == outcome


def test_other_events_are_not_ours() -> None:
    assert read_news(notify("message-summary", "active", b"")) is None
    news = read_news(notify("refer", "active", b"SIP/2.0 200 OK", "text/plain"))
    assert news is not None
    assert news.outcome is None
