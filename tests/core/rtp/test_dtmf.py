from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from moonwire.core.rtp.dtmf import DIGITS, DtmfReceiver, DtmfSender, EventPacket, KeyPress

SSRC = 9


def event(code: int, duration: int, *, end: bool = False) -> bytes:
    return bytes([code, 0x8A if end else 0x0A]) + duration.to_bytes(2)


def packets_of(digits: str, duration_ms: int, start: int = 0) -> list[EventPacket | None]:
    sender = DtmfSender()
    sender.send(digits, duration_ms)
    sent: list[EventPacket | None] = []
    while sender.busy:
        sent.append(sender.next_packet((start + len(sent) * 160) & 0xFFFFFFFF))
    return sent


def receive(packets: list[EventPacket | None]) -> list[KeyPress]:
    receiver = DtmfReceiver()
    presses: list[KeyPress] = []
    for packet in [*packets, *[None] * 20]:
        if packet is not None:
            presses += receiver.push(packet.timestamp, SSRC, packet.payload)
        if receiver.pending and (press := receiver.on_tick()):
            presses.append(press)
    return presses


def test_one_digit_on_the_wire() -> None:
    sent = packets_of("5", 60, start=1000)
    assert sent == [
        EventPacket(event(5, 160), True, 1000),
        EventPacket(event(5, 320), False, 1000),
        *[EventPacket(event(5, 480, end=True), False, 1000)] * 3,
        *[None] * 3,
    ]


@given(
    st.text(DIGITS, min_size=1, max_size=6),
    st.integers(40, 300),
    st.integers(0, 2**32 - 1),
    st.sets(st.integers(0, 20)),
)
def test_each_key_is_reported_once_even_with_losses(digits: str, duration_ms: int, start: int, lost: set[int]) -> None:
    """Any packets may be lost as long as one of each key arrives."""
    packets = packets_of(digits, duration_ms, start)
    first_of_key = {packet.timestamp: index for index, packet in reversed(list(enumerate(packets))) if packet}
    kept: list[EventPacket | None] = []
    for index, packet in enumerate(packets):
        keep = packet is not None and (index not in lost or first_of_key[packet.timestamp] == index)
        kept.append(packet if keep else None)
    assert "".join(press.digit for press in receive(kept)) == digits


@given(st.permutations(range(5)))
def test_order_of_one_key_does_not_matter(order: list[int]) -> None:
    packets = [packet for packet in packets_of("7", 60) if packet]
    assert [press.digit for press in receive([packets[index] for index in order])] == ["7"]


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 3), st.binary(max_size=8)), max_size=50))
def test_any_payload_is_survived(packets: list[tuple[int, int, bytes]]) -> None:
    receiver = DtmfReceiver()
    for timestamp, ssrc, payload in packets:
        for press in receiver.push(timestamp, ssrc, payload):
            assert press.digit in DIGITS


def test_duration_is_that_of_the_end_packet() -> None:
    receiver = DtmfReceiver()
    assert receiver.push(0, SSRC, event(11, 800)) == []
    assert receiver.push(0, SSRC, event(11, 1600, end=True)) == [KeyPress("#", 200)]
    assert receiver.push(0, SSRC, event(11, 1600, end=True)) == []
    assert not receiver.pending


def test_a_straggler_of_an_earlier_key_is_ignored() -> None:
    receiver = DtmfReceiver()
    assert len(receiver.push(0, SSRC, event(1, 800, end=True))) == 1
    assert receiver.push(2000, SSRC, event(2, 160)) == []
    assert receiver.push(0, SSRC, event(1, 800, end=True)) == []
    assert receiver.push(2000, SSRC, event(2, 320, end=True)) == [KeyPress("2", 40)]


def test_the_same_timestamp_on_another_ssrc_is_another_key() -> None:
    receiver = DtmfReceiver()
    assert len(receiver.push(0, SSRC, event(1, 800, end=True))) == 1
    assert len(receiver.push(0, SSRC + 1, event(1, 800, end=True))) == 1


def test_flash_and_unknown_digits_are_left_out() -> None:
    assert DtmfReceiver().push(0, SSRC, event(16, 800, end=True)) == []
    sender = DtmfSender()
    sender.send("x ", 100)
    assert not sender.busy
    assert sender.next_packet(0) is None
