"""Cuts recognised text into words, the same way for every script; lists of words are written as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from moonwire.core.dialog.letters import is_ideograph

_IDEOGRAPHS: Final = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
"""Hiragana, katakana, CJK ideographs, hangul: what is written without spaces, or with few."""
_TOKEN: Final = re.compile(
    rf"[{_IDEOGRAPHS}]|[^\W_{_IDEOGRAPHS}](?:[^\W_{_IDEOGRAPHS}]|[\u0300-\u036f\u0900-\u0963\u0966-\u0fff'’])*"
)

Tokens = tuple[str, ...]


def tokens(text: str) -> Tokens:
    """Return the words of a text in lower case, without punctuation; a character is a word in Chinese and Japanese."""
    return tuple(token.replace("’", "'") for token in _TOKEN.findall(text.lower()))


def joined(pieces: Iterable[str]) -> str:
    """Return the pieces of an utterance as one text: with a space between them, in Chinese and Japanese without."""
    text = ""
    for piece in filter(None, pieces):
        tight = not text or (_is_wide(text[-1]) and (_is_wide(piece[0]) or not text[-1].isalnum()))
        text += piece if tight else f" {piece}"
    return text


def _is_wide(char: str) -> bool:
    return is_ideograph(char) or "\u3001" <= char <= "\u303f" or "\uff01" <= char <= "\uff65"


def phrases(text: str) -> frozenset[Tokens]:
    """Read a list: phrases separated by commas."""
    return frozenset(tokens(part) for part in text.split(",") if part.strip())


def language_of(tag: str | None) -> str:
    """Return the primary part of a language tag in lower case; empty when unknown (also for `multi`)."""
    primary = (tag or "").replace("_", "-").split("-")[0].lower()
    return primary if 2 <= len(primary) <= 3 else ""


def longest_match(words: Tokens, start: int, known: Iterable[frozenset[Tokens]], longest: int) -> int:
    """Return how many words from `start` on form the longest known phrase, 0 when none does."""
    for length in range(min(longest, len(words) - start), 0, -1):
        part = words[start : start + length]
        if any(part in one for one in known):
            return length
    return 0
