from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from moonwire.vendors.stt.deepgram.messages import Alternative, Channel, Results, UtteranceEnd, Word
from moonwire.vendors.stt.deepgram.utterance import EndOfTurn, Fact, Final, Interim, UtteranceAssembler


def result(
    text: str,
    start: float = 0.0,
    end: float = 0.0,
    *,
    is_final: bool = False,
    speech_final: bool = False,
    from_finalize: bool = False,
) -> Results:
    words = [Word(end=end)] if text and end > start else None
    channel = Channel(alternatives=[Alternative(transcript=text, confidence=0.9, words=words)])
    return Results(start, end - start, is_final, speech_final, from_finalize, channel)


def finals(facts: list[Fact]) -> list[str]:
    return [fact.text for fact in facts if isinstance(fact, Final)]


def test_interims_show_the_whole_utterance_and_only_changes() -> None:
    assembler = UtteranceAssembler()
    assert assembler.results(result("hello", 0, 1), 1.0) == [Interim("hello")]
    assert assembler.results(result("hello", 0, 1.2), 1.2) == []
    assert assembler.results(result("hello there", 0, 2, is_final=True), 2.0) == [Final("hello there", 0.9)]
    assert assembler.results(result("my", 2, 2.5), 2.5) == [Interim("hello there my")]
    assert assembler.results(result("", 2, 2.6), 2.6) == []


def test_boundary_needs_text_and_counts_once() -> None:
    assembler = UtteranceAssembler()
    assert assembler.results(result("", 0, 1, is_final=True, speech_final=True), 1.0) == []
    assert assembler.utterance_end(UtteranceEnd(last_word_end=0.5), 1.5) == []
    facts = assembler.results(result("yes", 1, 2, is_final=True, speech_final=True), 2.0)
    assert facts == [Final("yes", 0.9), EndOfTurn()]
    assert assembler.utterance_end(UtteranceEnd(last_word_end=2.0), 3.0) == []


def test_utterance_end_takes_words_that_were_never_settled() -> None:
    assembler = UtteranceAssembler()
    assembler.results(result("is that you", 0, 1.4), 1.4)
    assert assembler.utterance_end(UtteranceEnd(last_word_end=1.4), 2.5) == [
        Final("is that you", 0.0 + 0.9),
        EndOfTurn(),
    ]


def test_utterance_end_without_a_place() -> None:
    assembler = UtteranceAssembler()
    assembler.results(result("fresh words", 0, 1.4), 1.4)
    assert assembler.utterance_end(UtteranceEnd(last_word_end=-1), 1.6) == []
    assert assembler.utterance_end(UtteranceEnd(last_word_end=-1), 2.6) == [Final("fresh words", 0.9), EndOfTurn()]


def test_finalize_race_an_ordinary_final_comes_first() -> None:
    assembler = UtteranceAssembler()
    assembler.results(result("I would", 0, 1.0), 1.0)
    assembler.results(result("I would like", 0.2, 1.9), 1.9)  # from here on times can be trusted
    assembler.finalize_requested(3.0)
    assert assembler.results(result("I would like", 0.2, 2.0, is_final=True), 3.05) == [Final("I would like", 0.9)]
    assert assembler.awaits_finalize
    facts = assembler.results(result("a pizza", 2.0, 3.0, is_final=True, from_finalize=True), 3.1)
    assert facts == [Final("a pizza", 0.9), EndOfTurn()]
    assert not assembler.awaits_finalize


def test_finalize_answered_by_an_ordinary_final_that_reaches_far_enough() -> None:
    assembler = UtteranceAssembler()
    assembler.results(result("a", 0, 1.0, is_final=True), 1.0)
    assembler.results(result("a b", 1.0, 1.9), 1.9)
    assembler.finalize_requested(3.0)
    assert assembler.results(result("a b", 1.0, 2.95, is_final=True), 3.1)[-1] == EndOfTurn()
    assert assembler.results(result("", 2.95, 3.0, is_final=True, from_finalize=True), 3.2) == []


def test_an_empty_answer_to_finalize_does_not_lose_the_interim_words() -> None:
    assembler = UtteranceAssembler()
    assembler.results(result("yes please", 0, 1.0), 1.0)
    assembler.finalize_requested(1.2)
    facts = assembler.results(result("", 0, 1.2, is_final=True, from_finalize=True), 1.3)
    assert facts == [Final("yes please", 0.9), EndOfTurn()]


def test_times_that_never_move_are_not_trusted() -> None:
    assembler = UtteranceAssembler()
    for number, text in enumerate(["yes", "no", "yes", "yes"]):
        facts = assembler.results(result(text, 0, 1.0, is_final=True, speech_final=True), 10.0 * number)
        assert facts == [Final(text, 0.9), EndOfTurn()]
    assert assembler.results(result("yes", 0, 1.0, is_final=True, speech_final=True), 30.1) == []
    assert assembler.settled_s is None


def test_connections_begin_anew_on_the_audio_axis() -> None:
    assembler = UtteranceAssembler()
    assembler.connection_opened(0.0)
    assembler.results(result("one", 0, 1.0, is_final=True), 1.0)
    assembler.results(result("two", 1.0, 2.0, is_final=True), 2.0)
    assert assembler.settled_s == 2.0
    assembler.connection_opened(2.0)
    assert finals(assembler.results(result("three", 0, 1.0, is_final=True), 3.0)) == ["three"]
    assert assembler.settled_s == 3.0


def test_taken_interim_words_need_not_be_heard_again() -> None:
    assembler = UtteranceAssembler()
    assembler.results(result("one", 0, 1.0, is_final=True, speech_final=True), 1.0)
    assembler.results(result("two three", 1.0, 2.2), 2.2)
    assert assembler.give_up_waiting(3.0) == [Final("two three", 0.9), EndOfTurn()]
    assert assembler.settled_s == 2.2
    assert assembler.pending_since_s() is None
    assert assembler.results(result("two three four", 1.0, 2.8), 3.2) == [Interim("four")]
    assert assembler.results(result("two, three, four.", 1.0, 3.0, is_final=True, speech_final=True), 3.4) == [
        Final("four.", 0.9),
        EndOfTurn(),
    ]


@dataclass(frozen=True)
class Spoken:
    """An utterance as a faithful vendor reports it."""

    pieces: list[list[str]]
    ending: str
    repeats: int
    interims: bool


WORDS = st.lists(st.sampled_from("yes no the moon is far two pizza please".split()), min_size=1, max_size=4)  # noqa: SIM905
SPOKEN = st.builds(
    Spoken,
    st.lists(WORDS, min_size=1, max_size=3),
    st.sampled_from(["speech_final", "both", "utterance_end", "empty_final", "finalize"]),
    st.integers(1, 3),
    st.booleans(),
)


@given(st.lists(SPOKEN, min_size=1, max_size=6))
def test_every_word_once_and_one_boundary_per_utterance(conversation: list[Spoken]) -> None:
    assembler = UtteranceAssembler()
    facts: list[Fact] = []
    now = 0.0

    def feed(*messages: Results | UtteranceEnd, repeats: int = 1) -> None:
        for message in messages:
            for _ in range(repeats):
                take = assembler.results if isinstance(message, Results) else assembler.utterance_end
                facts.extend(take(message, now))  # pyright: ignore[reportArgumentType]

    feed(result("", 0.0, 0.5, is_final=True), result("", 0.5, 1.0, is_final=True))
    now = 1.0
    for spoken in conversation:
        for index, piece in enumerate(spoken.pieces):
            start, end = now, now + 0.3 * len(piece)
            if spoken.interims:
                feed(result(" ".join(piece[:-1]), start, end - 0.3), repeats=spoken.repeats)
            now = end
            last = index == len(spoken.pieces) - 1
            closes = last and spoken.ending in {"speech_final", "both"}
            if last and spoken.ending == "finalize":
                assembler.finalize_requested(end)
            answers = last and spoken.ending == "finalize"
            feed(
                result(" ".join(piece), start, end, is_final=True, speech_final=closes, from_finalize=answers),
                repeats=spoken.repeats,
            )
        word_end = now
        now += 1.0
        if spoken.ending in {"utterance_end", "both"}:
            feed(UtteranceEnd(last_word_end=word_end), repeats=spoken.repeats)
        if spoken.ending == "empty_final":
            feed(result("", word_end, now, is_final=True, speech_final=True), repeats=spoken.repeats)
    assert finals(facts) == [" ".join(piece) for spoken in conversation for piece in spoken.pieces]
    assert sum(isinstance(fact, EndOfTurn) for fact in facts) == len(conversation)
    assert assembler.pending_since_s() is None


TIMES = st.floats(-1, 20, allow_nan=False)
ANY_RESULT = st.builds(
    lambda text, start, length, final, speech, finalize: result(
        text, start, start + length, is_final=final, speech_final=speech, from_finalize=finalize
    ),
    st.sampled_from(["", "a", "a b", "c d e"]),
    TIMES,
    st.floats(0, 5),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)


@given(st.lists(ANY_RESULT | TIMES | st.just("finalize") | st.just("give up")))
def test_whatever_comes_a_boundary_follows_text(messages: list[object]) -> None:
    assembler = UtteranceAssembler()
    open_pieces = 0
    for number, message in enumerate(messages):
        now = number * 0.3
        facts: list[Fact] = []
        if isinstance(message, Results):
            facts = assembler.results(message, now)
        elif isinstance(message, float | int):
            facts = assembler.utterance_end(UtteranceEnd(last_word_end=message), now)
        elif message == "finalize":
            assembler.finalize_requested(now)
        else:
            facts = assembler.give_up_waiting(now)
        for fact in facts:
            match fact:
                case Final(text):
                    assert text.strip()
                    open_pieces += 1
                case Interim(text):
                    assert text.strip()
                case EndOfTurn():
                    assert open_pieces
                    open_pieces = 0
