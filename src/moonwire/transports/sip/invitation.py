"""Translates an INVITE into what the engine and applications see of it: LegInfo and jambonz's `sip` member."""

from __future__ import annotations

from typing import Any

from sipmessage import Headers

from moonwire.core.sip.grammar import parse_address, parse_uri
from moonwire.core.sip.message import Request, content_type, list_header
from moonwire.errors import RemoteProtocolError
from moonwire.ports.legs import LegInfo
from moonwire.transports.sip.exchanges import ServerExchange


def describe_invite(exchange: ServerExchange, carrier: str) -> LegInfo:
    """Translate an INVITE into what the engine and applications see.

    Raises:
        RemoteProtocolError: a header we need is malformed.

    """
    request = exchange.request
    address, port = exchange.arrival.remote
    caller = parse_address(request.headers["From"])
    called = _user(request.uri)
    headers = _readable_headers(request.headers)
    return LegInfo(
        call_id=_readable(request.headers["Call-ID"]),
        direction="inbound",
        from_=_readable(caller.uri.user or ""),
        to=called,
        transport="sip",
        source_address=address,
        source_port=port,
        protocol=exchange.arrival.protocol,
        carrier=carrier,
        caller_name=_readable(caller.name),
        headers={name: values[-1] for name, values in headers.items()},
        request=_sip_member(exchange, headers),
    )


def _readable_headers(headers: Headers) -> dict[str, list[str]]:
    names: list[str] = headers.keys()
    return {
        _readable(name if name[:2].lower() == "x-" else name.lower()): [
            _readable(value) for value in headers.getlist(name)
        ]
        for name in names
    }


def _readable(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _user(uri: str) -> str:
    return _readable(parse_uri(uri).user or "")


def _sip_member(exchange: ServerExchange, headers: dict[str, list[str]]) -> dict[str, Any]:
    """Build the `sip` member of session:new.

    Source: jambonz session:new; header names as drachtio gives them: lower case, `X-` ones as received.
    """
    request = exchange.request
    address, port = exchange.arrival.remote
    body = request.body.decode("utf-8", "replace")
    return {
        "headers": {name: ", ".join(values) for name, values in headers.items()},
        "method": "INVITE",
        "uri": _readable(request.uri),
        "calledNumber": _user(request.uri),
        "callingNumber": _calling_number(request),
        "type": "request",
        "source": "network",
        "source_address": address,
        "source_port": str(port),
        "protocol": exchange.arrival.protocol,
        "body": body,
        "payload": [{"type": content_type(request), "content": body}] if body else [],
    }


def _calling_number(request: Request) -> str:
    """Return the asserted identity's number, else From's, as drachtio does."""
    for name in ("P-Asserted-Identity", "From"):
        values = list_header(request.headers, name)
        try:
            user = parse_address(values[0]).uri.user if values else None
        except RemoteProtocolError:
            user = None
        if user:
            return _readable(user)
    return ""
