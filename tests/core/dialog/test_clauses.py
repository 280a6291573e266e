"""Cutting for the voice: early first piece, natural boundaries, nothing lost."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonwire.core.dialog.clauses import FIRST_MAX_CHARS, MAX_CHARS, ClauseCutter
from moonwire.core.dialog.spoken import SpokenText


def cut(*pieces: str) -> list[str]:
    cutter = ClauseCutter()
    ready = [chunk for piece in pieces for chunk in cutter.push(piece)]
    return ready + cutter.flush()


CASES = [
    ("Sure, I can help with that, one moment.", ["Sure, I can help with that, ", "one moment."]),
    ("Hello! How are you today?", ["Hello! ", "How are you today?"]),
    ("Hi! It costs 3.5 dollars.", ["Hi! It costs 3.5 dollars."]),
    ("It is 3.5 or 10,000 at 10:30 today. Fine.", ["It is 3.5 or 10,000 at 10:30 today. ", "Fine."]),
    ("Please ask Dr. Smith, e.g. at noon.", ["Please ask Dr. Smith, ", "e.g. at noon."]),
    ("We meet at 5 p.m. on Monday with J. Doe. Good.", ["We meet at 5 p.m. on Monday with J. Doe. ", "Good."]),
    ("Visit www.example.com. Then call.", ["Visit www.example.com. ", "Then call."]),
    ("See https://example.com/a,b;c now.", ["See https://example.com/a,b;c now."]),
    ("1. Open the door. 2. Go in.", ["1. Open the door. ", "2. Go in."]),
    ("That is what I said — and meant.", ["That is what I said — ", "and meant."]),
    ("That is what I said—and meant.", ["That is what I said—", "and meant."]),
    ("That is what I said - and meant.", ["That is what I said - ", "and meant."]),
    ("A well-known thing from 2010–2015 it is.", ["A well-known thing from 2010–2015 it is."]),
    ('He said "Hello there." Then left.', ['He said "Hello there." ', "Then left."]),
    ("Well... I do not know?! Maybe.", ["Well... ", "I do not know?! ", "Maybe."]),
    (
        "你好！我是小月，很高兴为您服务。请问有什么可以帮您？",
        ["你好！", "我是小月，很高兴为您服务。", "请问有什么可以帮您？"],
    ),
    ("您好，我是小月，很高兴。", ["您好，我是小月，", "很高兴。"]),
    ("好的, 我来帮您查一下,请稍等.谢谢", ["好的, 我来帮您查一下,", "请稍等.谢谢"]),
    ("The options follow here\nOne of them", ["The options follow here\n", "One of them"]),
    ("I am what I am. I. Then more", ["I am what I am. ", "I. Then more"]),
]


LANGUAGES = [
    (
        "您好，这里是小月餐厅，请问您要订几位？今天晚上七点、八点都可以。",
        ["您好，这里是小月餐厅，", "请问您要订几位？", "今天晚上七点、八点都可以。"],
    ),
    (
        "お電話ありがとうございます。ご予約は何名様でしょうか？七時、八時、どちらでも大丈夫です。",
        ["お電話ありがとうございます。", "ご予約は何名様でしょうか？", "七時、八時、どちらでも大丈夫です。"],
    ),
    (
        "네, 알겠습니다. 예약은 몇 분이신가요? 오늘 저녁 7시, 8시 모두 가능합니다.",
        ["네, 알겠습니다. ", "예약은 몇 분이신가요? 오늘 저녁 7시, 8시 모두 가능합니다."],
    ),
    (
        "नमस्ते, मैं आपकी कैसे मदद कर सकती हूँ? हम सुबह 9:30 बजे खुलते हैं। धन्यवाद।",
        ["नमस्ते, मैं आपकी कैसे मदद कर सकती हूँ? ", "हम सुबह 9:30 बजे खुलते हैं। ", "धन्यवाद।"],
    ),
    (
        "مرحبًا، كيف يمكنني مساعدتك؟ نفتح الساعة 9:30 صباحًا؛ ونغلق الساعة 5.",
        ["مرحبًا، كيف يمكنني مساعدتك؟ ", "نفتح الساعة 9:30 صباحًا؛ ونغلق الساعة 5."],
    ),
    (
        "Здравствуйте, чем могу помочь? Мы на ул. Ленина, д. 5, тел. 123-45-67. Ждём вас!",
        ["Здравствуйте, ", "чем могу помочь? ", "Мы на ул. Ленина, д. 5, тел. 123-45-67. ", "Ждём вас!"],
    ),
    (
        "¡Hola! ¿En qué puedo ayudarle? Estamos en la avda. Mayor, núm. 12. El total es 3,50 euros.",
        ["¡Hola! ", "¿En qué puedo ayudarle? ", "Estamos en la avda. Mayor, núm. 12. ", "El total es 3,50 euros."],
    ),
    (
        "Bonjour ! Comment puis-je vous aider ? Mme Dupont est là, c'est 3,50 €. À bientôt.",
        ["Bonjour ! ", "Comment puis-je vous aider ? ", "Mme Dupont est là, c'est 3,50 €. ", "À bientôt."],
    ),
    (
        "Guten Tag, womit kann ich helfen? Wir haben z. B. um 9.30 Uhr offen, evtl. auch später. Danke!",
        ["Guten Tag, womit kann ich helfen? ", "Wir haben z. B. um 9.30 Uhr offen, evtl. auch später. ", "Danke!"],
    ),
    (
        "Olá, tudo bem? A Dra. Ana atende na Av. Brasil, n.º 10. Até logo!",
        ["Olá, tudo bem? ", "A Dra. Ana atende na Av. Brasil, n.º 10. ", "Até logo!"],
    ),
    (
        "Buongiorno, come posso aiutarla? Il dott. Rossi è qui; costa 3,50 euro. Grazie!",
        ["Buongiorno, come posso aiutarla? ", "Il dott. Rossi è qui; costa 3,50 euro. ", "Grazie!"],
    ),
    (
        "Goedemorgen, waarmee kan ik helpen? Dhr. Jansen is er, bijv. om 9.30 uur. Tot ziens!",
        ["Goedemorgen, ", "waarmee kan ik helpen? ", "Dhr. Jansen is er, bijv. om 9.30 uur. ", "Tot ziens!"],
    ),
    (
        "Merhaba, size nasıl yardımcı olabilirim? Saat 9.30'da açılıyoruz. Teşekkürler!",
        ["Merhaba, size nasıl yardımcı olabilirim? ", "Saat 9.30'da açılıyoruz. ", "Teşekkürler!"],
    ),
    (
        "สวัสดีค่ะ ยินดีให้บริการค่ะ ต้องการจองโต๊ะกี่ที่คะ วันนี้มีโต๊ะว่างตอนหนึ่งทุ่มและสองทุ่มค่ะ ขอบคุณค่ะ",
        ["สวัสดีค่ะ ยินดีให้บริการค่ะ ต้องการจองโต๊ะกี่ที่คะ ", "วันนี้มีโต๊ะว่างตอนหนึ่งทุ่มและสองทุ่มค่ะ ขอบคุณค่ะ"],
    ),
]


@pytest.mark.parametrize(("text", "pieces"), CASES + LANGUAGES)
def test_cut(text: str, pieces: list[str]) -> None:
    assert cut(text) == pieces
    assert cut(*text) == pieces


def test_first_piece_does_not_wait_for_a_sentence() -> None:
    cutter = ClauseCutter()
    assert cutter.push("Our opening hours,") == []
    assert cutter.push(" as") == ["Our opening hours, "]


def test_later_clauses_are_longer() -> None:
    text = "Yes, of course, I can do it, gladly, and with pleasure, as always in this house, sir."
    assert cut(text) == [
        "Yes, of course, ",
        "I can do it, gladly, and with pleasure, as always in this house, ",
        "sir.",
    ]


def test_first_piece_is_bounded() -> None:
    text = "word " * 40
    first = cut(text)[0]
    assert len(first) <= FIRST_MAX_CHARS
    assert first.endswith(" ")


def test_no_spaces_at_all() -> None:
    assert [len(piece) for piece in cut("x" * 1000)] == [400, 400, 200]


def test_flush_starts_anew() -> None:
    cutter = ClauseCutter()
    cutter.push("Some words")
    assert cutter.flush() == ["Some words"]
    assert cutter.flush() == []


TEXTS = st.one_of(
    st.text(max_size=300),
    st.lists(
        st.sampled_from(["word", " ", ", ", ". ", "。", "，", "3.5", "—", "Dr.", "您好", '"', "x" * 90]), max_size=60
    ).map("".join),
)


@given(text=TEXTS, cuts=st.lists(st.integers(0, 300), max_size=12))
def test_nothing_is_lost_and_splits_do_not_matter(text: str, cuts: list[int]) -> None:
    places = sorted({0, len(text), *(place for place in cuts if place < len(text))})
    pieces = cut(*(text[start:end] for start, end in pairwise(places)))
    assert "".join(pieces) == text
    assert all(0 < len(piece) <= MAX_CHARS for piece in pieces)
    assert pieces == cut(text)


@given(text=TEXTS)
def test_chain_of_cleaning_and_cutting(text: str) -> None:
    spoken, cutter = SpokenText(), ClauseCutter()
    pieces = [piece for char in text for piece in cutter.push(spoken.push(char))]
    pieces += cutter.push(spoken.flush()) + cutter.flush()
    whole = SpokenText()
    assert "".join(pieces) == whole.push(text) + whole.flush()


@given(
    st.lists(
        st.sampled_from(["a", " word", "Dr", ".", " Smith", ", ", "3", ".5", "好", "。", " ", "—", "\n", "x" * 90]),
        max_size=60,
    )
)
def test_words_taken_at_once_are_cut_as_letter_by_letter(pieces: list[str]) -> None:
    whole, single = ClauseCutter(), ClauseCutter()
    cut = [clause for piece in pieces for clause in whole.push(piece)]
    letters = [clause for letter in "".join(pieces) for clause in single.push(letter)]
    assert cut == letters
    assert whole.flush() == single.flush()
