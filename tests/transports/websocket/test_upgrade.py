from __future__ import annotations

from moonwire.transports.websocket.upgrade import handshake_answer, parse_upgrade, refusal

HEAD = (
    b"GET /media/twilio/?number=%2B1617&number=2&x= HTTP/1.1\r\nhost: example.com\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SOURCE = ("192.0.2.1", 5)


def test_the_request_is_read() -> None:
    request = parse_upgrade(HEAD, SOURCE, secure=True)
    assert request is not None
    assert request.path == "/media/twilio"
    assert request.target == "/media/twilio/?number=%2B1617&number=2&x="
    assert request.query == {"number": "+1617", "x": ""}
    assert request.headers["host"] == "example.com"
    assert (request.source_address, request.source_port, request.secure) == ("192.0.2.1", 5, True)


def test_the_answer_is_that_of_the_rfc() -> None:
    """RFC 6455 section 1.3."""
    request = parse_upgrade(HEAD, SOURCE, secure=False)
    assert request is not None
    answer = handshake_answer(request)
    assert answer is not None
    assert b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in answer


def test_a_handshake_that_is_none() -> None:
    for old, new in ((b"dGhl", b"****"), (b"dGhl", b""), (b"Version: 13", b"Version: 8"), (b"dGhl", "é".encode())):
        request = parse_upgrade(HEAD.replace(old, new), SOURCE, secure=False)
        assert request is not None
        assert handshake_answer(request) is None


def test_targets_we_cannot_read() -> None:
    assert parse_upgrade(HEAD.replace(b"/media", b"//[/media"), SOURCE, secure=False) is None
    assert parse_upgrade(HEAD.replace(b"x=", b"&a=1" * 100), SOURCE, secure=False) is None
    assert parse_upgrade(b"GET\r\n\r\n", SOURCE, secure=False) is None


def test_refusals_close_the_connection() -> None:
    assert refusal(403, "Forbidden").startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert b"Sec-WebSocket-Version: 13" in refusal(426, "Upgrade Required")
