from moonwire.observe.clock import SystemClock


def test_monotonic_time_does_not_go_back() -> None:
    clock = SystemClock()
    assert clock.monotonic_s() <= clock.monotonic_s()


def test_civil_time_is_of_this_century() -> None:
    assert SystemClock().utc_s() > 1_700_000_000
