from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from moonwire.core.audio.frames import SILENCE_BYTE
from moonwire.core.rtp.jitter import MAX_QUEUED_FRAMES, JitterBuffer

SSRC = 42
WRAPPING = 2**32 - 400


def frame(number: int, size: int = 160) -> bytes:
    """A frame that tells its number."""
    return bytes([number % 200]) * size


def push(buffer: JitterBuffer, number: int, *, start: int = 0, ssrc: int = SSRC) -> None:
    buffer.push((start + number * 160) & 0xFFFFFFFF, ssrc, frame(number))


def drain(buffer: JitterBuffer, pops: int) -> list[int | None]:
    popped = [buffer.pop() for _ in range(pops)]
    return [None if item is None else item[0] for item in popped]


def test_no_prefill_and_wrap_around() -> None:
    buffer = JitterBuffer()
    heard: list[int | None] = []
    for number in range(6):
        push(buffer, number, start=WRAPPING)
        heard += drain(buffer, 1)
    assert heard == [0, 1, 2, 3, 4, 5]


def test_nothing_yet() -> None:
    assert JitterBuffer().pop() is None


def test_order_is_restored_and_duplicates_are_dropped() -> None:
    buffer = JitterBuffer()
    for number in (0, 2, 1, 1, 2, 3):
        push(buffer, number)
    assert drain(buffer, 5) == [0, 1, 2, 3, None]


def test_a_loss_takes_its_time() -> None:
    buffer = JitterBuffer()
    for number in (0, 1, 3, 4):
        push(buffer, number)
    assert drain(buffer, 5) == [0, 1, None, 3, 4]


def test_a_slow_packet_is_played_late_and_its_successors_are_not_lost() -> None:
    buffer = JitterBuffer()
    push(buffer, 0)
    assert drain(buffer, 3) == [0, None, None]
    for number in (1, 2, 3):
        push(buffer, number)
    assert drain(buffer, 3) == [1, 2, 3]


def test_losses_while_starved_do_not_add_delay() -> None:
    buffer = JitterBuffer()
    push(buffer, 0)
    assert drain(buffer, 3) == [0, None, None]
    push(buffer, 3)
    assert drain(buffer, 1) == [3]


def test_a_late_packet_buys_the_next_one_time() -> None:
    buffer = JitterBuffer()
    push(buffer, 0)
    push(buffer, 2)
    assert drain(buffer, 2) == [0, None]
    push(buffer, 1)
    assert buffer.late == 1
    assert drain(buffer, 1) == [2]
    push(buffer, 4)
    assert drain(buffer, 1) == [None]
    push(buffer, 3)
    assert drain(buffer, 2) == [3, 4]


def test_a_pause_of_the_sender_is_no_gap_to_fill() -> None:
    buffer = JitterBuffer()
    push(buffer, 0)
    assert drain(buffer, 101)[:2] == [0, None]
    push(buffer, 101)
    assert drain(buffer, 1) == [101]


def test_a_jump_of_the_timestamps_is_skipped() -> None:
    buffer = JitterBuffer()
    push(buffer, 0)
    push(buffer, 40)
    assert drain(buffer, 2) == [0, 40]


def test_another_ssrc_follows_what_is_queued() -> None:
    buffer = JitterBuffer()
    push(buffer, 0)
    push(buffer, 1)
    push(buffer, 2, start=987654, ssrc=43)
    push(buffer, 3, start=987654, ssrc=43)
    assert drain(buffer, 5) == [0, 1, 2, 3, None]


def test_a_wild_timestamp_disturbs_nothing() -> None:
    buffer = JitterBuffer()
    push(buffer, 0)
    push(buffer, 1, start=2**31)
    push(buffer, 2)
    assert drain(buffer, 4) == [0, 1, 2, None]


def test_packets_of_other_lengths_are_cut_into_frames() -> None:
    buffer = JitterBuffer()
    for number in range(4):
        buffer.push(number * 240, SSRC, frame(number, 240))
    frames = [buffer.pop() for _ in range(7)]
    assert b"".join(item for item in frames if item) == b"".join(frame(number, 240) for number in range(4))
    assert frames[6] is None


def test_an_incomplete_frame_waits_for_its_rest() -> None:
    buffer = JitterBuffer()
    buffer.push(0, SSRC, frame(1, 80))
    assert buffer.pop() is None
    buffer.push(80, SSRC, frame(2, 80))
    assert buffer.pop() == frame(1, 80) + frame(2, 80)


def test_a_gap_inside_a_frame_is_silence() -> None:
    buffer = JitterBuffer()
    buffer.push(0, SSRC, frame(1, 80))
    buffer.push(120, SSRC, frame(2, 80))
    assert buffer.pop() == frame(1, 80) + bytes([SILENCE_BYTE]) * 40 + frame(2, 40)


def test_overlapping_packets() -> None:
    buffer = JitterBuffer()
    buffer.push(0, SSRC, frame(1, 240))
    buffer.push(80, SSRC, frame(2, 80))
    buffer.push(160, SSRC, frame(3, 160))
    assert buffer.pop() == frame(1)
    assert buffer.pop() == frame(1, 80) + frame(3, 80)


def test_piled_up_delay_is_worked_off() -> None:
    buffer = JitterBuffer()
    for number in range(5):
        push(buffer, number)
    extra = 0
    for number in range(5, 205):
        push(buffer, number)
        assert buffer.pop() is not None
        if buffer.surplus():
            extra += 1
            assert buffer.pop() is not None
    assert extra == 4


def test_a_large_backlog_is_worked_off_at_once() -> None:
    buffer = JitterBuffer()
    for number in range(30):
        push(buffer, number)
    pops = 0
    while True:
        assert buffer.pop() is not None
        pops += 1
        if not buffer.surplus():
            break
        assert buffer.pop() is not None
    assert pops == 10


def test_the_oldest_audio_goes_first_when_there_is_too_much() -> None:
    buffer = JitterBuffer()
    for number in range(MAX_QUEUED_FRAMES + 10):
        push(buffer, number)
    assert buffer.pop() == frame(9)


NETWORK = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from([SSRC, SSRC, SSRC, 43]), st.sampled_from([80, 160, 160, 240, 1000]))
    | st.none(),
    max_size=300,
)


@given(NETWORK)
def test_any_network_gives_whole_frames_and_bounded_delay(network: list[tuple[int, int, int] | None]) -> None:
    buffer = JitterBuffer()
    for item in network:
        if item is None:
            popped = buffer.pop()
            assert popped is None or len(popped) == 160
            buffer.surplus()
        else:
            number, ssrc, size = item
            buffer.push(number * 160, ssrc, frame(number, size))
    left = 0
    while buffer.pop() is not None or left < 2 * MAX_QUEUED_FRAMES:
        left += 1
        assert left <= 4 * MAX_QUEUED_FRAMES


@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.booleans()), min_size=1, max_size=150),
)
def test_output_is_in_order_whatever_the_network_does(start: int, fates: list[tuple[int, bool, bool]]) -> None:
    """Each packet is delayed by some ticks, lost or doubled; what is heard is strictly in order."""
    arrivals: dict[int, list[int]] = {}
    for number, (delay, lost, doubled) in enumerate(fates):
        if not lost or number == 0:
            arrivals.setdefault(number + delay, []).extend([number] * (2 if doubled else 1))
    buffer = JitterBuffer()
    heard: list[int] = []
    for tick in range(len(fates) + 20):
        for number in arrivals.get(tick, []):
            push(buffer, number, start=start)
        frames = [buffer.pop()]
        if buffer.surplus():
            frames.append(buffer.pop())
        heard += [item[0] for item in frames if item is not None]
    assert heard == sorted(set(heard))
    assert buffer.pop() is None
