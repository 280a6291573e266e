"""Lists of words: what is a back-channel, what cannot end a sentence, what answers a question, in many languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonwire.core.turns.backchannels import BACKCHANNELS, content_words
from moonwire.core.turns.pending_words import PendingWords
from moonwire.core.turns.questions import just_asked
from moonwire.core.turns.unfinished import UNFINISHED, is_unfinished
from moonwire.core.turns.whole import WHOLE, is_whole
from moonwire.core.turns.words import joined, language_of, tokens


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Mm-hm.", "en"), ("uh-huh, okay", "en-US"), ("Yeah, I see.", "en-GB"), ("Okay.", ""), ("Sí, claro.", "es"),
        ("D'accord.", "fr-FR"), ("D’accord.", "fr"), ("Ja, genau.", "de"), ("Sì, ho capito!", "it"),
        ("tá bom", "pt-BR"),
        ("Ja ja, precies", "nl"), ("Да, понятно.", "ru"), ("हाँ, ठीक है।", "hi"),
        ("نعم، حسنًا", "ar"), ("そうですね", "ja"), ("嗯嗯，好的。", "zh-CN"),
        ("对对对", "zh-Hans"), ("네, 알겠습니다", "ko"), ("Mm-hm", "xx"),
    ],
)  # fmt: skip
def test_backchannels(text: str, language: str) -> None:
    assert content_words(text, language) == 0


@pytest.mark.parametrize(
    ("text", "language", "count"),
    [
        ("Stop", "en", 1), ("Okay, but wait a moment", "en", 4), ("No.", "en", 1), ("Nein", "de", 1), ("Non", "fr", 1),
        ("等一下", "zh", 3), ("好的，等一下", "zh", 3),
        ("ちょっと待って", "ja", 7), ("Подождите", "ru", 1), ("", "en", 0),
    ],
)  # fmt: skip
def test_words_that_mean_something(text: str, language: str, count: int) -> None:
    assert content_words(text, language) == count


@pytest.mark.parametrize("language", sorted(BACKCHANNELS))
def test_every_phrase_of_every_list_is_recognised(language: str) -> None:
    for phrase in BACKCHANNELS[language]:
        assert content_words(" ".join(phrase), language) == 0, phrase


@given(st.text(max_size=40), st.sampled_from(["", "en", "zh", "de-DE", "multi", "x"]))
def test_any_text_can_be_judged(text: str, language: str) -> None:
    assert 0 <= content_words(text, language) <= len(tokens(text))
    is_unfinished(text, language)
    just_asked(text, text[: len(text) // 2])


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I would like to book a table for", "en"), ("My name is", "en-US"), ("and, um", "en"), ("Ich möchte", "de"),
        ("quiero una mesa para", "es"), ("je voudrais réserver une", "fr"), ("我想订一个", "zh"), ("因为", "zh-TW"),
        ("Я хочу заказать столик на", "ru"),
    ],
)  # fmt: skip
def test_unfinished(text: str, language: str) -> None:
    assert is_unfinished(text, language)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("For two.", "en"), ("What is that for?", "en"), ("Hello", "en"), ("好的", "zh"), ("谢谢", "zh"),
        ("予約したいのですが", "ja"),
        ("No", "es"), ("Was kostet das", "de"), ("to the", "multi"), ("", "en"), ("こんにちは", "ja"),
    ],
)  # fmt: skip
def test_finished(text: str, language: str) -> None:
    assert not is_unfinished(text, language)


def test_a_finished_answer_is_in_no_list_of_unfinished_words() -> None:
    for language in UNFINISHED.keys() & BACKCHANNELS.keys():
        for phrase in BACKCHANNELS[language] - {
            ("eh",),
            ("er",),
            ("erm",),
            ("äh",),
            ("ähm",),
            ("euh",),
            ("э",),
            ("эм",),
        }:
            assert not is_unfinished(" ".join(phrase), language), (language, phrase)


@pytest.mark.parametrize(
    ("spoken", "heard", "asked"),
    [
        ("Shall I book it? There is one more thing.", "Shall I book it? There", True),
        ("Shall I? If you do not, I will gladly wait.", "Shall I? If you do not, I will gladly wait", False),
        ("We are open at ten. Shall I book it?", "We are open at ten. Shall", True),
        ("We are open at ten. Shall I book a table for two for you?", "We are open", False),
        ("We are open.", "We", False),
        ("要预订吗？还有一件事", "要预订吗？还", True),
        ("", "", False),
    ],
)  # fmt: skip
def test_questions(spoken: str, heard: str, asked: bool) -> None:
    assert just_asked(spoken, heard) is asked


def test_language_tags() -> None:
    assert [language_of(tag) for tag in ("en-US", "zh_CN", "multi", "", None, "yue")] == ["en", "zh", "", "", "", "yue"]


def test_interim_words_repeat_the_pieces_of_their_utterance() -> None:
    pending = PendingWords()
    pending.settle("I need a table.", 1.0)
    pending.settle("For two", 2.0)
    pending.interim = "for two people"
    assert pending.foreseen() == "I need a table. for two people"
    pending.interim = "tomorrow"
    assert pending.foreseen() == "I need a table. For two tomorrow"
    pending.interim = ""
    assert pending.foreseen() == "I need a table. For two"


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["My name", "is Ann."], "My name is Ann."),
        (["我想订位，", "今晚七点"], "我想订位，今晚七点"),
        (["我想", "订位"], "我想订位"),
        (["好的。", "OK"], "好的。OK"),
        (["请叫我", "Anna"], "请叫我 Anna"),
        (["予約", "お願いします"], "予約お願いします"),
        (["네", "알겠습니다"], "네 알겠습니다"),
        ([], ""), (["", "a"], "a"), (["a", "", "b"], "a b"),
    ],
)  # fmt: skip
def test_pieces_are_joined_as_the_script_wants(pieces: list[str], text: str) -> None:
    assert joined(pieces) == text


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("When do you open?", "", True),
        ("Yes.", "en-US", True),
        ("No, thank you. Goodbye!", "en", True),
        ("Yes, um", "en", False),
        ("Yes, I", "en", False),
        ("um", "en", False),
        ("No, thank you.", "", False),
        ("", "en", False),
        ("好的，谢谢，再见。", "zh-CN", True),
        ("好的，我想", "zh", False),
        ("Ja, bitte.", "de", True),
        ("Non merci, au revoir.", "fr-FR", True),
    ],
)
def test_whole_by_themselves(text: str, language: str, expected: bool) -> None:
    assert is_whole(text, language) is expected


def test_what_is_whole_is_never_unfinished() -> None:
    for language, known in WHOLE.items():
        for phrase in known:
            assert not is_unfinished(" ".join(phrase), language), f"{language}: {phrase}"
