from __future__ import annotations

from moonwire.transports.websocket.playout import PlayoutClock


def test_about_100_ms_may_be_ahead() -> None:
    clock = PlayoutClock()
    assert clock.room(10.0) == 5
    clock.sent(5, 10.0)
    assert clock.room(10.0) == 0
    assert clock.room(10.02) == 1
    assert clock.room(10.0201) == 1
    assert clock.room(10.06) == 3


def test_what_was_not_heard() -> None:
    clock = PlayoutClock()
    clock.sent(5, 10.0)
    assert clock.unheard_frames(10.0) == 5
    assert clock.unheard_frames(10.03) == 4
    assert clock.unheard_frames(10.1) == 0
    assert clock.unheard_frames(99.0) == 0
    clock.sent(3, 99.0)
    assert clock.clear(99.02) == 2
    assert clock.unheard_frames(99.02) == 0
    assert not clock.played_out(100.0)
    assert clock.clear(99.03) == 0


def test_the_end_needs_its_time_and_its_mark() -> None:
    clock = PlayoutClock()
    clock.sent(5, 10.0)
    assert clock.mark_due(10.0) is None
    mark = clock.mark_due(10.07)
    assert mark == "moonwire-1"
    assert clock.mark_due(10.08) is None
    clock.mark_returned(mark)
    assert not clock.played_out(10.09)
    assert clock.played_out(10.1)
    assert not clock.played_out(10.2)


def test_a_missing_mark_is_waited_for_twice_only() -> None:
    clock = PlayoutClock()
    for number, grace_s in enumerate((1.0, 1.0, 0.1)):
        start_s = 10.0 * number
        clock.sent(1, start_s)
        assert clock.mark_due(start_s)
        assert not clock.played_out(start_s + 0.02 + grace_s - 0.01)
        assert clock.played_out(start_s + 0.02 + grace_s + 0.001)
    clock.sent(1, 50.0)
    mark = clock.mark_due(50.0)
    assert mark
    clock.mark_returned(mark)
    assert clock.played_out(50.03)
    clock.sent(1, 60.0)
    assert clock.mark_due(60.0)
    assert not clock.played_out(60.5)


def test_a_mark_of_earlier_audio_confirms_nothing() -> None:
    clock = PlayoutClock()
    clock.sent(1, 10.0)
    first = clock.mark_due(10.0)
    assert first
    clock.sent(1, 10.01)
    clock.mark_returned(first)
    assert not clock.played_out(10.5)
    assert clock.mark_due(10.5) == "moonwire-2"
    assert not clock.played_out(10.5)
