"""The agent's mouth: positions, holding, dropping, and who hears what when."""

from __future__ import annotations

from moonwire.call.egress import Egress, Segment, word_start
from moonwire.core.audio.fade import FADE_FRAMES, fade_out
from moonwire.core.audio.frames import FRAME_BYTES


class LeadLeg:
    """A leg that lets the test say how many frames wait ahead of the caller's ear."""

    def __init__(self) -> None:
        self.ahead = 0
        self.woken = 0

    def attach(self, sink: object, source: object) -> None: ...

    def wake(self) -> None:
        self.woken += 1

    def unheard_frames(self) -> int:
        return self.ahead

    def clear(self) -> int:
        dropped, self.ahead = self.ahead, 0
        return dropped


def audio(frames: int) -> bytes:
    return b"".join(bytes([number % 250]) * FRAME_BYTES for number in range(frames))


class Heard:
    def __init__(self, egress: Egress) -> None:
        self.words: list[str] = []
        self.segment = Segment(lambda: self.words.append("started"), lambda: self.words.append("finished"))
        egress.play(self.segment)


def test_a_segment_starts_with_its_first_frame_and_finishes_when_heard() -> None:
    egress = Egress(leg := LeadLeg())
    heard = Heard(egress)
    egress.append(heard.segment, audio(2))
    egress.complete(heard.segment)
    assert heard.words == []
    assert egress.next_frame() == bytes([0]) * FRAME_BYTES
    assert heard.words == ["started"]
    assert egress.next_frame() == bytes([1]) * FRAME_BYTES
    assert egress.next_frame() is None
    assert heard.words == ["started"], "handed over is not heard"
    egress.on_played_out()
    assert heard.words == ["started", "finished"]
    assert egress.is_idle
    assert leg.woken >= 1


def test_the_last_frame_is_padded_with_silence() -> None:
    egress = Egress(LeadLeg())
    heard = Heard(egress)
    egress.append(heard.segment, b"\x01" * 200)
    egress.complete(heard.segment)
    egress.next_frame()
    assert egress.next_frame() == b"\x01" * 40 + b"\xff" * 120


def test_an_underrun_is_not_the_end() -> None:
    egress = Egress(LeadLeg())
    heard = Heard(egress)
    egress.append(heard.segment, audio(1))
    egress.next_frame()
    assert egress.next_frame() is None
    egress.on_played_out()
    assert heard.words == ["started"]
    egress.complete(heard.segment)
    assert heard.words == ["started", "finished"]


def test_holding_takes_back_what_the_caller_has_not_heard() -> None:
    egress = Egress(leg := LeadLeg())
    heard = Heard(egress)
    egress.append(heard.segment, audio(10))
    for _ in range(6):
        egress.next_frame()
    leg.ahead = 4
    egress.hold(heard.segment)
    assert egress.heard_s(heard.segment) == 2 * 0.02
    fading = [egress.next_frame() for _ in range(FADE_FRAMES)]
    assert fading == fade_out([bytes([2]) * FRAME_BYTES, bytes([3]) * FRAME_BYTES])
    assert egress.next_frame() is None
    leg.ahead = FADE_FRAMES
    assert egress.heard_s(heard.segment) == 2 * 0.02
    egress.resume(heard.segment)
    assert egress.next_frame() == bytes([2]) * FRAME_BYTES


def test_a_held_reply_goes_on_with_the_word_that_was_cut() -> None:
    quiet, loud = b"\xff" * FRAME_BYTES, b"\x80" * FRAME_BYTES
    words = loud * 6 + quiet * 2 + loud * 20
    assert word_start(words, 11 * FRAME_BYTES) == 7 * FRAME_BYTES
    assert word_start(words, 25 * FRAME_BYTES) == 25 * FRAME_BYTES, "no pause nearby"
    assert word_start(words, 0) == 0


def test_nothing_fades_before_it_was_heard() -> None:
    egress = Egress(LeadLeg())
    heard = Heard(egress)
    egress.append(heard.segment, audio(10))
    egress.hold(heard.segment)
    assert egress.next_frame() is None


def test_a_dropped_segment_keeps_what_was_heard_and_says_nothing_more() -> None:
    egress = Egress(leg := LeadLeg())
    heard = Heard(egress)
    egress.append(heard.segment, audio(10))
    for _ in range(6):
        egress.next_frame()
    leg.ahead = 1
    egress.clear(heard.segment)
    egress.append(heard.segment, audio(1))
    egress.complete(heard.segment)
    egress.on_played_out()
    assert [egress.next_frame() for _ in range(FADE_FRAMES + 1)][-1] is None
    assert egress.heard_s(heard.segment) == 5 * 0.02
    assert heard.words == ["started"]


def test_playing_something_else_drops_the_unfinished() -> None:
    egress = Egress(LeadLeg())
    first = Heard(egress)
    egress.append(first.segment, audio(3))
    egress.next_frame()
    second = Heard(egress)
    egress.append(second.segment, b"\x07" * FRAME_BYTES)
    assert egress.next_frame() == b"\x07" * FRAME_BYTES
    assert second.words == ["started"]


def test_an_empty_segment_is_over_when_complete() -> None:
    egress = Egress(LeadLeg())
    heard = Heard(egress)
    egress.complete(heard.segment)
    assert heard.words == ["finished"]
