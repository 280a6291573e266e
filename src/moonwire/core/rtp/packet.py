"""Translates between datagrams and RTP packets (RFC 3550 section 5.1); anything doubtful is no packet."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

HEADER_BYTES = 12
PCMU = 0
PCMA = 8
COMFORT_NOISE = 13

_HEADER = Struct("!BBHII")
_PLAIN = 0x80
"""Version 2 without padding, extension and contributing sources: what nearly every packet begins with."""


class RtpPacket(NamedTuple):
    """One parsed packet; a tuple, because one is made every 20 ms of every call."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def parse_packet(datagram: bytes) -> RtpPacket | None:
    """Parse a datagram; None when it is not a well-formed RTP packet with a payload (RTCP included)."""
    size = len(datagram)
    if size <= HEADER_BYTES:
        return None
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(datagram)
    if first == _PLAIN:
        payload = datagram[HEADER_BYTES:]
    else:
        found = _payload_of(datagram, first)
        if found is None:
            return None
        payload = found
    if 192 <= second <= 223:  # RTCP on the same port (RFC 5761 section 4)
        return None
    return RtpPacket(second & 0x7F, second >= 0x80, sequence, timestamp, ssrc, payload)


def _payload_of(datagram: bytes, first: int) -> bytes | None:
    if first >> 6 != 2:
        return None
    start = HEADER_BYTES + 4 * (first & 0x0F)
    end = len(datagram)
    if first & 0x10:
        if start + 4 > end:
            return None
        start += 4 + 4 * int.from_bytes(datagram[start + 2 : start + 4])
    if first & 0x20:
        padding = datagram[-1]
        if padding == 0:
            return None
        end -= padding
    return datagram[start:end] if start < end else None


def build_packet(packet: RtpPacket) -> bytes:
    """Return the datagram of a packet; inverse of `parse_packet` for all field values in range."""
    return build_datagram(
        packet.payload_type | (0x80 if packet.marker else 0),
        packet.sequence,
        packet.timestamp,
        packet.ssrc,
        packet.payload,
    )


def build_datagram(type_octet: int, sequence: int, timestamp: int, ssrc: int, payload: bytes) -> bytes:
    """Return a datagram; `type_octet` is the payload type with the marker as its highest bit."""
    return _HEADER.pack(_PLAIN, type_octet, sequence, timestamp, ssrc) + payload


def signed_difference(later: int, earlier: int, bits: int = 32) -> int:
    """Return how far one wrapping counter is ahead of another, negative when behind (RFC 1982)."""
    half = 1 << (bits - 1)
    return ((later - earlier + half) & ((1 << bits) - 1)) - half
