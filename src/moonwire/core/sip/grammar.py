"""Reads SIP's structured header values with sipmessage's grammar, and what that grammar wrongly refuses.

sipmessage 0.7.1 wants a top label of letters only, so `sbc1` and a container's hexadecimal name are no hosts to it
(RFC 3261 section 25.1 allows digits); underscores and free display names are common too. Such values are read with a
stand-in, then the real text is put back. Nothing here resolves names.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Callable
from typing import TypeVar

from sipmessage import URI, Address, CSeq, Parameters, Via

from moonwire.errors import RemoteProtocolError

T = TypeVar("T")

TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+\Z")
_URI_HOST = re.compile(r"\A(sips?:(?:[^@<>\s]*@)?)([A-Za-z0-9_.\-]+)(.*)\Z", re.IGNORECASE | re.DOTALL)
_VIA_HOST = re.compile(r"\A(SIP\s*/\s*2\.0\s*/\s*\S+\s+)([A-Za-z0-9_.\-]+)(.*)\Z", re.IGNORECASE | re.DOTALL)
_LONG_NUMBER = re.compile(r"tel:[^;>\s]{129}", re.IGNORECASE)
_RECEIVED = re.compile(r"\s*;\s*received\s*=\s*[0-9A-Fa-f:.\[\]]+(?=\s*(?:;|\Z))", re.IGNORECASE)
_NAME_ADDR = re.compile(r"\A([^<]*)<([^>]*)>\s*(.*)\Z", re.DOTALL)
_STAND_IN = "host.invalid"
_MAX_VALUE_CHARS = 4096


def parse_uri(text: str) -> URI:
    """Read a sip, sips or tel URI; a `?headers` part is dropped.

    Raises:
        RemoteProtocolError: it is no URI (400) or of another scheme (416).
    """
    text = text.partition("?")[0] if "@" not in text.partition("?")[2] else text
    scheme = text.partition(":")[0]
    if scheme.lower() not in ("sip", "sips", "tel"):
        status = 416 if re.match(r"[A-Za-z][A-Za-z0-9+.\-]*:", text) else 400
        raise RemoteProtocolError("not a SIP URI", status=status)
    text = scheme.lower() + text[len(scheme) :]
    try:
        return _grammar(URI.parse, text)
    except RemoteProtocolError:
        match = _URI_HOST.match(text)
        if match is None:
            raise
        head, host, tail = match.groups()
        return dataclasses.replace(_grammar(URI.parse, head + _STAND_IN + tail), host=host)


def parse_address(text: str) -> Address:
    """Read one From, To, Contact or route value.

    Raises:
        RemoteProtocolError: it is none.
    """
    try:
        return _grammar(Address.parse, text)
    except RemoteProtocolError:
        match = _NAME_ADDR.match(text.strip())
        if match is None:
            uri, semicolon, rest = text.strip().partition(";")
            return Address(uri=parse_uri(uri), parameters=_grammar(Parameters.parse, semicolon + rest))
        name, uri, rest = match.groups()
        return Address(
            uri=parse_uri(uri), name=name.strip().strip('"'), parameters=_grammar(Parameters.parse, rest.strip())
        )


def parse_via(text: str) -> Via:
    """Read one Via value (see split_values for lists), without its `received`, which nobody here needs.

    Raises:
        RemoteProtocolError: it is none.
    """
    # An IPv6 address stands bare in `received` (RFC 3261 section 25.1), which sipmessage 0.7.1 does not take.
    text = _RECEIVED.sub("", text)
    try:
        return _grammar(Via.parse, text)
    except RemoteProtocolError:
        match = _VIA_HOST.match(text.strip())
        if match is None:
            raise
        head, host, tail = match.groups()
        return dataclasses.replace(_grammar(Via.parse, head + _STAND_IN + tail), host=host)


def parse_cseq(text: str) -> CSeq:
    """Read a CSeq value; the number must be below 2^31 (RFC 3261 section 8.1.1.5).

    Raises:
        RemoteProtocolError: it is none.
    """
    cseq = _grammar(CSeq.parse, text)
    if cseq.sequence >= 2**31:
        raise RemoteProtocolError("CSeq number out of range")
    return cseq


def split_values(text: str) -> list[str]:
    """Split a header value at its commas, not at those inside quotes or angle brackets."""
    values: list[str] = []
    start = 0
    quoted = escaped = False
    depth = 0
    for index, char in enumerate(text):
        if escaped:
            escaped = False
        elif quoted:
            escaped = char == "\\"
            quoted = char != '"'
        elif char == '"':
            quoted = True
        elif char == "<":
            depth += 1
        elif char == ">":
            depth = max(0, depth - 1)
        elif char == "," and depth == 0:
            values.append(text[start:index].strip())
            start = index + 1
    values.append(text[start:].strip())
    return [value for value in values if value]


def parameter(parameters: Parameters, name: str) -> str | None:
    """Return a parameter's value whatever its case: None when absent, empty when it has no value."""
    for key, value in parameters.items():
        if key.lower() == name:
            return value or ""
    return None


def ip_literal(host: str) -> str | None:
    """Return the plain address of an IPv4 or (bracketed) IPv6 literal, None for a name."""
    try:
        return str(ipaddress.ip_address(host.removeprefix("[").removesuffix("]")))
    except ValueError:
        return None


def bracketed(address: str) -> str:
    """Return an IP address as it stands in a URI or Via: IPv6 in brackets."""
    return f"[{address}]" if ":" in address else address


def valid_port(port: int) -> bool:
    """Tell whether a datagram can be sent to this port."""
    return 0 < port < 65536


def _grammar(parse: Callable[[str], T], text: str) -> T:
    # sipmessage's pattern of a telephone number takes quadratic time: a long one would hold up every other call.
    if len(text) > _MAX_VALUE_CHARS or _LONG_NUMBER.search(text):
        raise RemoteProtocolError("header value too long")
    try:
        return parse(text)
    except (ValueError, TypeError) as error:  # a parameter called `self` is a TypeError in sipmessage 0.7.1
        raise RemoteProtocolError(f"malformed header value: {error}") from None
