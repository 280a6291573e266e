"""Translates the opening handshake of a WebSocket (RFC 6455 section 4) into a request and its answer."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

_ACCEPT_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_MAX_QUERY_FIELDS = 64


@dataclass(frozen=True, slots=True)
class UpgradeRequest:
    """Who asks for which media socket."""

    target: str
    """Path and query exactly as requested."""
    path: str
    query: Mapping[str, str]
    """First value of each name wins."""
    headers: Mapping[str, str]
    """Names in lower case, last value wins."""
    source_address: str
    source_port: int
    secure: bool


def parse_upgrade(head: bytes, source: tuple[str, int], *, secure: bool) -> UpgradeRequest | None:
    """Read a request head that an HTTP server has already found well-formed; None when we cannot read its target."""
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3:
        return None
    target = words[1]
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    query: dict[str, str] = {}
    try:
        url = urlsplit(target)
        for name, value in parse_qsl(url.query, keep_blank_values=True, max_num_fields=_MAX_QUERY_FIELDS):
            query.setdefault(name, value)
    except ValueError:  # a wrong IPv6 literal, or more fields than anybody needs
        return None
    return UpgradeRequest(target, url.path.rstrip("/") or "/", query, headers, source[0], source[1], secure)


def handshake_answer(request: UpgradeRequest) -> bytes | None:
    """Return the 101 response, or None when the request is no valid WebSocket handshake of version 13."""
    key = request.headers.get("sec-websocket-key", "")
    try:
        nonce = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(nonce) != 16 or request.headers.get("sec-websocket-version") != "13":
        return None
    digest = hashlib.sha1(key.encode() + _ACCEPT_GUID, usedforsecurity=False).digest()
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + base64.b64encode(digest)
        + b"\r\n\r\n"
    )


def refusal(status: int, phrase: str) -> bytes:
    """Return a short plain-text response that ends the connection."""
    body = phrase.encode() + b"\n"
    extra = "Sec-WebSocket-Version: 13\r\n" if status == 426 else ""
    head = (
        f"HTTP/1.1 {status} {phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n{extra}Connection: close\r\n\r\n"
    )
    return head.encode() + body
