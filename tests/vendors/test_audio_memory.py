from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from moonwire.vendors.audio_memory import AudioMemory, is_loud

LOUD = bytes([0x10, 0x90] * 80)
QUIET = b"\xff" * 160


def test_loudness() -> None:
    assert is_loud(LOUD)
    assert not is_loud(QUIET)
    assert not is_loud(b"")
    assert not is_loud(bytes([0x50, 0xD0] * 80))


def test_quiet_lead_is_left_out() -> None:
    memory = AudioMemory()
    for frame in [QUIET] * 50 + [LOUD] * 10 + [QUIET] * 5:
        memory.add(frame)
    start_s, chunks = memory.since(0.0)
    assert start_s == 0.7
    assert b"".join(chunks) == QUIET * 15 + LOUD * 10 + QUIET * 5


def test_only_the_last_seconds_are_kept() -> None:
    memory = AudioMemory()
    for _ in range(500):
        memory.add(LOUD)
    start_s, chunks = memory.since(0.0)
    assert start_s == memory.end_s - 3.0 == 7.0
    assert sum(map(len, chunks)) == 3 * 8000


@given(st.lists(st.sampled_from([LOUD, QUIET, b"\x10" * 37]), max_size=200), st.floats(0, 5))
def test_the_replay_ends_with_the_newest_audio(frames: list[bytes], from_s: float) -> None:
    memory = AudioMemory()
    for frame in frames:
        memory.add(frame)
    start_s, chunks = memory.since(from_s)
    replay = b"".join(chunks)
    assert b"".join(frames).endswith(replay)
    assert abs(memory.end_s - start_s - len(replay) / 8000) < 1e-9
    assert not replay or start_s >= from_s
    assert all(chunks)
