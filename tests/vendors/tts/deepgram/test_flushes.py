from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from moonwire.vendors.tts.deepgram.flushes import FlushBudget
from moonwire.vendors.tts.deepgram.manifest import FLUSH_WINDOW_S, MAX_FLUSHES


@given(st.lists(st.tuples(st.floats(0, 20), st.booleans()), max_size=80))
def test_never_more_than_the_vendor_takes(asks: list[tuple[float, bool]]) -> None:
    """In no window of 60 s are there more than 20, and whoever is told to wait may go on afterwards."""
    budget, now_s = FlushBudget(), 0.0
    sent: list[float] = []
    for pause_s, ends_reply in asks:
        now_s += pause_s
        wait_s = budget.take(now_s, ends_reply=ends_reply)
        if wait_s:
            assert 0 < wait_s <= FLUSH_WINDOW_S
            if ends_reply:
                now_s += wait_s + 1e-6
                assert budget.take(now_s, ends_reply=True) == 0
                sent.append(now_s)
        else:
            sent.append(now_s)
        window = [at_s for at_s in sent if now_s - at_s < FLUSH_WINDOW_S]
        assert len(window) <= MAX_FLUSHES


def test_a_new_connection_has_its_own_window() -> None:
    budget = FlushBudget()
    while budget.take(0.0, ends_reply=True) == 0:
        pass
    budget.reset()
    assert budget.take(0.0, ends_reply=False) == 0
