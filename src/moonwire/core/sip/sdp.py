"""Session descriptions as values: a small, strict reader of what a phone call needs, and the writer of ours.

Only IP literals are addresses here: a host name in `c=` would mean a name lookup on the media path.

Source: RFC 8866; RFC 4733 section 2.4.1 (telephone-event).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal

from moonwire.errors import RemoteProtocolError

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
_DIRECTIONS: dict[str, Direction] = {
    "sendrecv": "sendrecv",
    "sendonly": "sendonly",
    "recvonly": "recvonly",
    "inactive": "inactive",
}
_MAX_SDP_BYTES = 16384
_MAX_MEDIA = 32
_RTPMAP = re.compile(r"(\d{1,3})\s+([^/\s]+)/(\d{1,6})(?:/(\d+))?\s*\Z")


@dataclass(frozen=True, slots=True)
class RtpMap:
    """One a=rtpmap: encoding name in lower case and clock rate."""

    encoding: str
    rate_hz: int


@dataclass(frozen=True, slots=True)
class MediaDescription:
    """One m= section."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    address: str | None
    """IP literal where the peer wants its media, its own c= or the session's; None when unusable."""
    direction: Direction
    rtpmaps: dict[int, RtpMap]

    @property
    def payload_types(self) -> tuple[int, ...]:
        """The formats that are RTP payload types."""
        return tuple(int(text) for text in self.formats if re.fullmatch(r"[0-9]{1,3}", text) and int(text) < 128)


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """One offer or answer."""

    timing: str
    media: tuple[MediaDescription, ...]


def parse_sdp(data: bytes) -> SessionDescription:
    """Read a session description.

    Raises:
        RemoteProtocolError: not one, or broken where we must understand it (400).
    """
    if len(data) > _MAX_SDP_BYTES:
        raise RemoteProtocolError("session description too large")
    lines = _lines(data)
    if not lines or lines[0] != ("v", "0"):
        raise RemoteProtocolError("not a session description")
    sections: list[list[tuple[str, str]]] = [[]]
    for line in lines:
        if line[0] == "m":
            sections.append([])
        sections[-1].append(line)
    if len(sections) > _MAX_MEDIA:
        raise RemoteProtocolError("too many media sections")
    session, *media = sections
    address = _connection(session, None)
    direction = _direction(session, "sendrecv")
    return SessionDescription(
        timing=next((value for key, value in session if key == "t" and re.fullmatch(r"\d+ \d+", value)), "0 0"),
        media=tuple(_media(section, address, direction) for section in media),
    )


def _lines(data: bytes) -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    for line in data.decode("utf-8", "replace").replace("\r\n", "\n").split("\n"):
        if not line.strip("\0 \t\r"):
            continue
        key, equals, value = line.partition("=")
        if not equals or len(key) != 1 or not key.isalpha():
            raise RemoteProtocolError("malformed line in session description")
        lines.append((key, value.strip()))
    return lines


def _media(section: list[tuple[str, str]], address: str | None, direction: Direction) -> MediaDescription:
    words = section[0][1].split()
    if len(words) < 4:
        raise RemoteProtocolError("malformed m= line")
    port_text = words[1].partition("/")[0]
    if not re.fullmatch(r"[0-9]{1,6}", port_text) or int(port_text) > 65535:
        raise RemoteProtocolError("media port out of range")
    return MediaDescription(
        kind=words[0].lower(),
        port=int(port_text),
        protocol=words[2],
        formats=tuple(words[3:]),
        address=_connection(section, address),
        direction=_direction(section, direction),
        rtpmaps=_rtpmaps(section),
    )


def _connection(section: list[tuple[str, str]], default: str | None) -> str | None:
    for key, value in section:
        if key == "c":
            words = value.split()
            if len(words) != 3 or words[0].upper() != "IN" or words[1].upper() not in ("IP4", "IP6"):
                return None
            return _unicast(words[2])
    return default


def _unicast(text: str) -> str | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if address.is_multicast or text == "255.255.255.255":
        return None
    return str(address)


def _direction(section: list[tuple[str, str]], default: Direction) -> Direction:
    for key, value in section:
        if key == "a" and value.lower() in _DIRECTIONS:
            return _DIRECTIONS[value.lower()]
    return default


def _rtpmaps(section: list[tuple[str, str]]) -> dict[int, RtpMap]:
    maps: dict[int, RtpMap] = {}
    for key, value in section:
        if key == "a" and value.lower().startswith("rtpmap:"):
            match = _RTPMAP.match(value[7:].strip())
            if match and int(match.group(1)) < 128:
                maps[int(match.group(1))] = RtpMap(match.group(2).lower(), int(match.group(3)))
    return maps
