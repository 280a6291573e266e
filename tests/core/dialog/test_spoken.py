"""Clean spoken text: what goes, what stays, and that the splits of the stream do not matter."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moonwire.core.dialog.spoken import SpokenText


def clean(*pieces: str) -> str:
    spoken = SpokenText()
    return "".join(spoken.push(piece) for piece in pieces) + spoken.flush()


GOES = [
    ("**Hello** world", "Hello world"),
    ("*Really* _nice_ ~~old~~ `code`", "Really nice old code"),
    ("***both*** and __init__", "both and init"),
    ("**bold *it* more** end", "bold it more end"),
    ("**Pre**fix and a closing one** here", "Prefix and a closing one here"),
    ("这是**重点**内容，*好*的。", "这是重点内容，好的。"),
    ("# Opening hours\nWe open at nine.", "Opening hours. We open at nine."),
    ("###### Deep: \ntext", "Deep: text"),
    ("Choose:\n- Red\n* Blue\n+ Green!\n• Grey\n", "Choose: Red. Blue. Green! Grey."),
    ("1. First\n2) Second\nThird", "1. First. 2) Second. Third"),
    ("> A quote\n> - with a list\n", "A quote with a list."),
    ("Before\n\n---\n* * *\n___\nAfter", "Before After"),
    ("```python\nprint(1)\n```\ndone", "print(1) done"),
    ("~~~\ncode\n~~~", "code"),
    ("```inline``` here", "inline here"),
    ("| A | B |\n|---|:-:|\n| 1. | 2 |\nDone", "A, B. 1. 2. Done"),
    ("See [our **site**](https://x.com/a_(b)) now.", "See our site now."),
    ('[Shop](https://x.com "The shop")!', "Shop!"),
    ("<think>secret **x**</think>\n\nHi.", "Hi."),
    ("<THINK>never ends", ""),
    ("A</think> B", "A B"),
    ('<tool_call>{"a": 1}</tool_call>Done', "Done"),
    ("Let me see. <|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{}"
     "<|tool_call_end|><|tool_calls_section_end|> Bye", "Let me see. Bye"),
    ("<|tool_call_begin|>f<|tool_call_end|>Bye<|im_end|>", "Bye"),
    ("(silence)", ""),
    ("Well (Silence) yes", "Well yes"),
    ("Great 😀! I ❤️ you, 👨‍👩‍👧 family 🇨🇳 1️⃣ word😀word", "Great! I you, family 1 word word"),
    ("a \t b\n\n c  ", "a b c"),
    (r"Price \*net\* and \[x\]", "Price *net* and [x]"),
]  # fmt: skip

STAYS = [
    "2 * 3 = 6, and 2*3*4, and 2**3.",
    "a_b and snake_case_name and john_doe@example.com",
    "x < y, x <= y, 3 > 2 and <b>",
    "About ~5 minutes | or so",
    "[1] and [text] (note) and [x](two words) and [](y)",
    "Look [here",
    "At 10:30, 3.5 or 10,000 - that is it (sil) <|",
    "C:\\dir and trailing \\",
    "#1 choice, -5 degrees, >5 people",
    "- - x",
    "12. May",
    "您好，很高兴为您服务。",
    "5* hotel",
    "[line",
    "!important",
]


@pytest.mark.parametrize(("text", "spoken"), GOES)
def test_markup_goes(text: str, spoken: str) -> None:
    assert clean(text) == spoken


@pytest.mark.parametrize("text", STAYS)
def test_ordinary_text_stays(text: str) -> None:
    assert clean(text) == ("x" if text == "- - x" else text)


@pytest.mark.parametrize("text", [*STAYS, *(text for text, _ in GOES)])
def test_character_by_character(text: str) -> None:
    assert clean(*text) == clean(text)


def test_tool_markup_is_reported() -> None:
    spoken = SpokenText()
    assert spoken.push("Let me check. <|tool_calls_section_begin|>") == "Let me check."
    assert spoken.tool_markup
    assert spoken.push("functions.get_weather:0{}") + spoken.flush() == ""
    plain = SpokenText()
    plain.push("<|im_start|>hello")
    assert not plain.tool_markup


def test_meant_silence_is_reported() -> None:
    spoken = SpokenText()
    assert spoken.push("(sil") + spoken.push("ence)") + spoken.flush() == ""
    assert spoken.silence
    spoken = SpokenText()
    spoken.push("(yes) [a](b)")
    assert not spoken.silence


def test_text_is_not_held_back() -> None:
    spoken = SpokenText()
    assert spoken.push("Sure") == "Sure"
    assert spoken.push(", I") == ", I"
    assert spoken.push(" can 2") == " can 2"


def test_long_link_and_long_tag_are_text() -> None:
    link = "[" + "a" * 2100 + "](x)"
    assert clean(link) == link
    address = "[a](" + "b" * 2100 + ")"
    assert clean(address) == address
    assert clean(*address) == address
    tag = "<|" + "a" * 100 + "|>"
    assert clean(tag) == tag
    assert clean("<|a\nb|>") == "<|a b|>"
    assert clean("[a](b\nc)") == "[a](b c)"
    assert clean("[a](b") == "[a](b"


FRAGMENTS = [
    *[
        "**",
        "*",
        "_",
        "__",
        "`",
        "```",
        "~",
        "~~",
        "#",
        "# ",
        "- ",
        "-",
        "---",
        "1. ",
        "12",
        "> ",
        ">",
        "|",
        "|--|",
        "\\",
    ],
    *["[", "]", "(", ")", "](", "[a](b)", "<", ">", "<think>", "</think>", "<|", "|>", "<|tool_call_begin|>", '"'],
    *["<|tool_call_end|>", "(silence)", "(sil", "\n", "\n\n", " ", "  ", "\t", "a", "word", "B2", ".", ",", "!", "?"],
    *["您好", "。", "😀", "❤️", "\u200d", "3.5", "+", "•"],
]
MARKUP = st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join)


@settings(deadline=None, max_examples=400)
@given(text=st.one_of(MARKUP, st.text(max_size=40)), cuts=st.lists(st.integers(0, 80), max_size=12))
def test_any_split_gives_the_same(text: str, cuts: list[int]) -> None:
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    whole = clean(text)
    assert clean(*(text[start:end] for start, end in pairwise(places))) == whole
    assert clean(*text) == whole


@given(text=st.one_of(MARKUP, st.text(max_size=40)))
def test_spaces_are_tidy(text: str) -> None:
    spoken = clean(text)
    assert spoken == spoken.strip(" ")
    assert "  " not in spoken
    assert "\n" not in spoken


@given(words=st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8), min_size=1))
def test_plain_words_are_never_eaten(words: list[str]) -> None:
    assert clean(" ".join(words)) == " ".join(words)


def test_numbers_in_circles_are_words_and_no_pictures() -> None:
    assert clean("\U0001f100 \u2780") == "\U0001f100 \u2780"
