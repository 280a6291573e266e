"""What the caller has heard of a reply."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonwire.core.dialog.heard import heard_text

TEXT = "Hello there, how are you? It's well-known (really)."
WORDS = [
    ("Hello", 0.0, 0.4),
    ("there", 0.4, 0.8),
    ("how", 1.0, 1.2),
    ("are", 1.2, 1.4),
    ("you", 1.4, 1.7),
    ("It's", 2.0, 2.3),
    ("well", 2.3, 2.5),
    ("known", 2.5, 2.8),
    ("really", 2.8, 3.2),
]


@pytest.mark.parametrize(
    ("heard_s", "heard"),
    [
        (0.0, ""),
        (-1.0, ""),
        (0.2, ""),
        (0.38, "Hello"),
        (0.9, "Hello there,"),
        (1.71, "Hello there, how are you?"),
        (2.2, "Hello there, how are you?"),
        (2.5, "Hello there, how are you? It's well"),
        (2.8, "Hello there, how are you? It's well-known"),
        (3.2, "Hello there, how are you? It's well-known (really)."),
        (3.5, TEXT),
        (9.0, TEXT),
    ],
)
def test_by_word_positions(heard_s: float, heard: str) -> None:
    assert heard_text(TEXT, WORDS, heard_s, 3.5) == heard


def test_chinese_characters_are_words() -> None:
    words = [(char, index * 0.2, index * 0.2 + 0.2) for index, char in enumerate("您好我是小月")]
    assert heard_text("您好，我是小月。", words, 0.4, 1.4) == "您好，"
    assert heard_text("您好，我是小月。", words, 0.8, 1.4) == "您好，我是"


def test_respelled_and_missing_words_do_not_stop_the_count() -> None:
    words = [("Five", 0.0, 0.3), ("", 0.3, 0.3), ("dollars", 0.3, 0.7), ("please", 0.7, 1.0)]
    assert heard_text("$5 dollars, please now", words, 0.3, 2.0) == "$5"
    assert heard_text("$5 dollars, please now", words, 1.0, 2.0) == "$5 dollars, please"
    assert heard_text("$5 dollars now", [("Five", 0.0, 0.3), ("bucks", 0.3, 0.7)], 0.7, 2.0) == "$5 dollars"
    assert heard_text("您好 again", [("x", 0.0, 0.3), ("y", 0.3, 0.6)], 0.3, 2.0) == "您"


def test_a_short_word_is_not_found_inside_a_long_one() -> None:
    words = [("that", 0.0, 0.2), ("a", 0.2, 0.3)]
    assert heard_text("that cat has a name", words, 0.3, 2.0) == "that cat has a"


def test_without_positions_by_share_of_audio() -> None:
    assert heard_text("one two three four five", [], 1.0, 2.0) == "one two"
    assert heard_text("one two three four five", [], 1.99, 2.0) == "one two three four five"
    assert heard_text("one two", [], 0.1, 2.0) == ""
    assert heard_text("one two", [], 1.0, 0.0, complete=False) == "one two"


def test_positions_that_lag_behind_the_audio() -> None:
    text = "one two three four five six seven eight nine ten"
    words = [("one", 0.0, 0.5), ("two", 0.5, 1.0)]
    assert heard_text(text, words, 1.2, 5.0) == "one two"
    assert heard_text(text, words, 3.0, 5.0) == "one two three four five six"


def test_while_the_audio_is_still_being_made() -> None:
    text = "one two three four five six seven eight nine ten"
    assert heard_text(text, [], 1.0, 1.0, complete=False) == "one two three"
    assert heard_text("您好我是小月很高兴", [], 1.0, 1.0, complete=False) == "您好我是小"


def test_nothing_left_to_share() -> None:
    assert heard_text("one", [("one", 0.0, 0.5)], 1.0, 0.5, complete=False) == "one"


@given(
    text=st.text(max_size=80),
    words=st.lists(st.text(max_size=6), max_size=10),
    heard_s=st.floats(-1, 20),
    audio_s=st.floats(0, 20),
    complete=st.booleans(),
)
def test_always_a_prefix_that_grows(
    text: str, words: list[str], heard_s: float, audio_s: float, complete: bool
) -> None:
    timed = [(word, index * 0.5, index * 0.5 + 0.5) for index, word in enumerate(words)]
    heard = heard_text(text, timed, heard_s, audio_s, complete=complete)
    assert text.startswith(heard)
    assert heard == heard.rstrip()
