"""Decides where a stream of text may be cut for the voice: the first piece early, later ones at natural pauses.

The first piece is what the caller waits for, so it goes at the first boundary behind which a voice can sound natural.
Later pieces are spoken while earlier ones play; they may be longer, which voices like. A boundary is a mark of
punctuation *and what follows it*: "3.5", "10:30", "www.example.com" and "Dr. Smith" have none.
"""

from __future__ import annotations

from typing import Final

from moonwire.core.dialog.letters import is_ideograph

MAX_CHARS: Final = 400
"""No piece is longer."""

FIRST_MAX_CHARS: Final = 80
"""The first piece does not wait longer for punctuation; it ends at a word."""

_FIRST_CLAUSE, _FIRST_SENTENCE, _LATER_CLAUSE, _LATER_SENTENCE = 12, 4, 48, 12
"""Least weight of a piece that ends with a clause or a sentence; an ideograph weighs three letters."""

_CLAUSE_MARKS: Final = frozenset(",;:—–،؛")
_SENTENCE_MARKS: Final = frozenset(".!?…؟۔।॥")
_WIDE_CLAUSE_MARKS: Final = frozenset("，；：、､")
_WIDE_SENTENCE_MARKS: Final = frozenset("。！？｡")
"""Wide marks need no space behind them: Chinese and Japanese write none. The others are followed by one in every
script: Latin, Greek, Cyrillic, Hangul, Arabic (، ؛ ؟ ۔), Devanagari (। ॥)."""
_CLOSERS: Final = frozenset("\"')]}”’»")
_ABBREVIATIONS: Final = frozenset(
    {"mr", "mrs", "ms", "dr", "prof", "st", "sr", "jr", "vs", "approx", "dept", "inc", "ltd", "co", "corp", "est"}
    | {"mt", "ave", "blvd", "rd", "apt", "ext", "tel", "jan", "feb", "apr", "jun", "jul", "aug", "sep", "sept", "oct"}
    | {
        "nov",
        "dec",
        "mon",
        "tue",
        "wed",
        "thu",
        "fri",
        "bzw",
        "ca",
        "nr",
        "str",
        "tel",
        "evtl",
        "inkl",
        "usw",
        "sra",
        "dra",
        "av",
    }
    | {"srta", "núm", "pág", "avda", "ud", "uds", "mme", "mlle", "env", "sig", "dott", "ing", "dhr", "mevr", "bijv"}
    | {"ул", "тел", "стр", "руб", "им", "др", "тыс", "млн"}
)
"""Words that end with a full stop inside a sentence; taken as such even at its end, where it costs a little delay."""

_NOTHING, _CLAUSE, _SENTENCE = 0, 1, 2


class ClauseCutter:
    """Cuts one reply's text; the pieces joined are the text, each keeps the space behind it."""

    def __init__(self) -> None:
        self._text = ""
        self._seen = 0
        self._weight = 0
        self._mark = _NOTHING
        self._mark_at = 0
        self._space_at = 0
        self._first = True

    def push(self, piece: str) -> list[str]:
        """Take more text and return the pieces that may be spoken now."""
        self._text += piece
        if not self._mark and self._goes_on(piece):
            return []
        ready: list[str] = []
        while self._seen < len(self._text):
            end = self._step(self._text[self._seen])
            if end:
                ready.append(self._cut(end))
        return ready

    def _goes_on(self, piece: str) -> bool:
        """Take a plain word, perhaps with the space before it, at once: most of what models write, one by one.

        Looking at each character (below) would give the same.
        """
        word = piece[1:] if piece[:1] == " " else piece
        seen = len(self._text)
        if seen >= (FIRST_MAX_CHARS if self._first else MAX_CHARS) or not (word.isascii() and word.isalnum()):
            return False
        if word is not piece:
            self._space_at = self._seen + 1
        self._weight += len(word)
        self._seen = self._mark_at = seen
        return True

    def flush(self) -> list[str]:
        """Return the rest; the text is over."""
        rest, self._text = self._text, ""
        self._seen = self._weight = self._space_at = 0
        self._mark = _NOTHING
        return [rest] if rest else []

    def _step(self, char: str) -> int:
        """Look at the next character; return where to cut, 0 for nowhere yet."""
        if self._mark and not self._seen_behind_mark(char):
            return self._mark_at
        self._seen += 1
        if char.isspace():
            if char == "\n":
                self._mark = _SENTENCE
            if self._mark and self._heavy_enough():
                return self._seen
            self._mark = _NOTHING
            self._space_at = self._seen
        elif char in _WIDE_SENTENCE_MARKS or char in _WIDE_CLAUSE_MARKS:
            self._mark = _SENTENCE if char in _WIDE_SENTENCE_MARKS else _CLAUSE
            self._weight += 1
            if self._heavy_enough():
                return self._seen
            self._mark = _NOTHING
            self._space_at = self._seen
        else:
            self._note(char)
        return self._over_length()

    def _seen_behind_mark(self, char: str) -> bool:
        """Judge what follows a mark; False: a character that needs no space (Chinese) follows, cut before it."""
        if char.isspace():
            return True
        if char in _CLOSERS or char in _SENTENCE_MARKS or char in _CLAUSE_MARKS:
            return True
        starts_anew = is_ideograph(char) or self._text[self._mark_at - 1] == "—"
        if starts_anew and self._heavy_enough():
            return False
        self._mark = _NOTHING
        return True

    def _note(self, char: str) -> None:
        self._weight += 3 if is_ideograph(char) else 1
        if char in _SENTENCE_MARKS:
            if char != "." or not self._is_abbreviation():
                self._mark = _SENTENCE
        elif char in _CLAUSE_MARKS or (char == "-" and self._stands_alone()):
            self._mark = max(self._mark, _CLAUSE)
        self._mark_at = self._seen

    def _stands_alone(self) -> bool:
        return self._seen >= 2 and self._text[self._seen - 2].isspace()

    def _is_abbreviation(self) -> bool:
        word = self._text[self._space_at : self._seen - 1].lstrip("\"'([“‘").lower()
        if word.isdigit():
            return self._space_at == 0  # "1. First" begins a list, "It costs 5." ends a sentence
        if "." in word and not word.endswith("."):
            return len(word) <= 5  # "e.g", "a.m", "u.s.a", but "example.com" may end a sentence
        return word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha() and word != "i")

    def _heavy_enough(self) -> bool:
        if self._first:
            return self._weight >= (_FIRST_SENTENCE if self._mark == _SENTENCE else _FIRST_CLAUSE)
        return self._weight >= (_LATER_SENTENCE if self._mark == _SENTENCE else _LATER_CLAUSE)

    def _over_length(self) -> int:
        limit = FIRST_MAX_CHARS if self._first else MAX_CHARS
        if self._seen < limit:
            return 0
        return self._space_at or (self._seen if self._seen >= MAX_CHARS else 0)

    def _cut(self, end: int) -> str:
        piece, self._text = self._text[:end], self._text[end:]
        self._first = False
        self._weight = 0
        self._mark = _NOTHING
        self._mark_at = self._space_at = 0
        self._seen = 0
        return piece
