from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from moonwire.core.rtp.packet import RtpPacket, build_packet, parse_packet, signed_difference

PACKET = RtpPacket(0, False, 7, 160, 0x01020304, b"\xff" * 160)


@given(
    st.builds(
        RtpPacket,
        st.integers(0, 63) | st.integers(96, 127),
        st.booleans(),
        st.integers(0, 2**16 - 1),
        st.integers(0, 2**32 - 1),
        st.integers(0, 2**32 - 1),
        st.binary(min_size=1, max_size=400),
    )
)
def test_what_is_built_is_parsed(packet: RtpPacket) -> None:
    assert parse_packet(build_packet(packet)) == packet


@given(st.binary(max_size=200))
def test_any_bytes_are_a_packet_or_nothing(datagram: bytes) -> None:
    packet = parse_packet(datagram)
    assert packet is None or packet.payload in datagram


def test_exact_bytes() -> None:
    assert build_packet(PACKET._replace(marker=True, payload=b"\x01")) == bytes.fromhex(
        "80 80 0007 000000a0 01020304 01".replace(" ", "")
    )


def test_csrc_extension_and_padding_are_taken_off() -> None:
    header = bytes([0x80 | 0x30 | 2]) + build_packet(PACKET)[1:12]
    body = b"\x00" * 8 + b"\xbe\xde\x00\x01" + b"\x00" * 4 + b"voice" + b"\x00\x00\x03"
    packet = parse_packet(header + body)
    assert packet is not None
    assert packet.payload == b"voice"


def test_lies_about_lengths_are_no_packet() -> None:
    rest = build_packet(PACKET._replace(payload=b"1234"))[1:]
    assert parse_packet(bytes([0x80 | 0x0F]) + rest) is None
    assert parse_packet(bytes([0x80 | 0x10]) + rest) is None
    assert parse_packet(bytes([0x80 | 0x1F]) + rest) is None
    assert parse_packet(bytes([0x80 | 0x20]) + rest) is None
    assert parse_packet(bytes([0x80 | 0x20]) + rest[:-1] + b"\x00") is None
    assert parse_packet(bytes([0x40]) + rest) is None
    assert parse_packet(b"\x80" + rest[:11]) is None


def test_rtcp_is_no_packet() -> None:
    assert parse_packet(b"\x80\xc8\x00\x06" + b"\x00" * 24) is None


def test_wrapping_difference() -> None:
    assert signed_difference(2, 2**32 - 2) == 4
    assert signed_difference(2**32 - 2, 2) == -4
    assert signed_difference(0, 65535, bits=16) == 1
