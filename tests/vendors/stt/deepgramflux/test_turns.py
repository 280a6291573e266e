from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from moonwire.vendors.stt.deepgramflux.messages import TurnInfo, Word, parse
from moonwire.vendors.stt.deepgramflux.turns import (
    EarlyEnd,
    EndOfTurn,
    Fact,
    Final,
    FluxTurns,
    Interim,
    Resumed,
    SpeechStarted,
)


def info(event: str, text: str = "", index: int = 0) -> TurnInfo:
    return TurnInfo(event=event, transcript=text, turn_index=index)


def test_a_turn_without_words_ends_unnoticed() -> None:
    turns = FluxTurns()
    assert turns.take(info("StartOfTurn")) == [SpeechStarted()]
    assert turns.take(info("EndOfTurn")) == []
    assert not turns.is_open


def test_confidence_below_the_minimum_is_not_understood() -> None:
    turns = FluxTurns(min_confidence=0.5)
    turns.take(info("StartOfTurn", "mumble"))
    turns.take(info("EagerEndOfTurn", "mumble"))
    ended = TurnInfo(event="EndOfTurn", transcript="mumble", turn_index=0, words=[Word(0.2), Word(0.3)])
    assert turns.take(ended) == [Resumed()]


def test_late_messages_of_an_ended_turn_are_dropped() -> None:
    turns = FluxTurns()
    assert turns.take(info("EndOfTurn", "yes", 0)) == [SpeechStarted(), Final("yes", 1.0), EndOfTurn()]
    assert turns.take(info("Update", "yes", 0)) == []
    assert turns.take(info("EndOfTurn", "yes", 0)) == []
    assert turns.take(info("Update", "", 1)) == []


def test_words_of_a_lost_turn_are_given_and_closed_later() -> None:
    turns = FluxTurns()
    turns.take(info("StartOfTurn", "I would like"))
    assert turns.lost() == [Final("I would like", 1.0)]
    assert turns.owes_end
    turns.connection_opened()
    turns.take(info("StartOfTurn", "a table", 0))
    assert turns.take(info("EndOfTurn", "a table", 0)) == [Final("a table", 1.0), EndOfTurn()]
    assert turns.pay() == []


def test_unreadable_messages_are_none() -> None:
    assert parse("{") is None
    assert parse('{"type":"Novelty"}') is None


messages = st.builds(
    info,
    st.sampled_from(["StartOfTurn", "Update", "EagerEndOfTurn", "TurnResumed", "EndOfTurn", "Novelty"]),
    st.sampled_from(["", "yes", "yes please", "no"]),
    st.integers(0, 3),
)
steps = st.lists(st.one_of(messages, st.sampled_from(["settle", "lost", "forget", "pay", "connection"])), max_size=40)


@given(steps)
def test_facts_keep_the_listeners_rules(script: list[TurnInfo | str]) -> None:
    """No empty text; resumed only after early; nothing between early and its end but more of the same turn."""
    turns = FluxTurns()
    pieces, early = 0, False
    for step in script:
        for fact in _facts(turns, step):
            match fact:
                case Interim(text) | EarlyEnd(text):
                    assert text
                    early = early or isinstance(fact, EarlyEnd)
                case Resumed():
                    assert early
                    early = False
                case Final(text):
                    assert text
                    pieces += 1
                case EndOfTurn():
                    assert pieces
                    pieces, early = 0, False
                case _:
                    pass


def _facts(turns: FluxTurns, step: TurnInfo | str) -> list[Fact]:
    match step:
        case "settle":
            return turns.settle()
        case "lost":
            return turns.lost()
        case "forget":
            return turns.forget()
        case "pay":
            return turns.pay()
        case "connection":
            facts = turns.lost()
            turns.connection_opened()
            return facts
        case TurnInfo():
            return turns.take(step)
        case _:
            return []
