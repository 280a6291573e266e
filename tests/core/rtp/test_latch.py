from __future__ import annotations

from moonwire.core.rtp.latch import SourceLatch

ANNOUNCED = ("10.0.0.1", 4000)
REAL = ("192.0.2.7", 5555)
OTHER = ("198.51.100.1", 9)


def latched_to(real: tuple[str, int]) -> SourceLatch:
    latch = SourceLatch()
    latch.announce(ANNOUNCED)
    latch.admit(real, 1, 9)
    assert latch.admit(real, 1, 10)
    assert latch.source == real
    return latch


def test_the_announced_address_is_believed_at_once() -> None:
    latch = SourceLatch()
    latch.announce(ANNOUNCED)
    assert latch.admit(ANNOUNCED, 1, 1)
    assert latch.source == ANNOUNCED


def test_another_address_must_show_a_stream() -> None:
    latch = SourceLatch()
    latch.announce(ANNOUNCED)
    assert not latch.admit(REAL, 1, 65535)
    assert not latch.admit(OTHER, 77, 5)
    assert not latch.admit(REAL, 1, 65535)
    assert latch.admit(REAL, 1, 0)


def test_a_stranger_does_not_take_over_a_live_call() -> None:
    latch = latched_to(REAL)
    assert not any(latch.admit(OTHER, 5, sequence) for sequence in range(100))
    assert latch.source == REAL


def test_the_announced_address_wins_over_a_guess() -> None:
    latch = latched_to(REAL)
    assert not latch.admit(ANNOUNCED, 2, 1)
    assert latch.admit(ANNOUNCED, 2, 2)


def test_a_moved_peer_is_found_again_but_not_without_end() -> None:
    latch = latched_to(REAL)
    moves = 0
    for number in range(20):
        for _ in range(50):
            latch.on_tick()
        address = ("203.0.113.1", 1000 + number)
        moves += [latch.admit(address, number, sequence) for sequence in range(5)].count(True)
    assert moves == 8


def test_a_new_announcement_forgets_and_the_same_does_not() -> None:
    latch = latched_to(REAL)
    latch.announce(ANNOUNCED)
    assert latch.source == REAL
    latch.announce(OTHER)
    assert latch.source is None
