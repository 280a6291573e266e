"""Tells apart what scripts do differently: words with spaces between them, or characters that are words."""

from __future__ import annotations


def is_ideograph(char: str) -> bool:
    """Tell a character that is a word or syllable by itself and is written without spaces: Han, kana.

    Source: Unicode blocks Hiragana, Katakana, CJK Unified Ideographs with Extension A, Compatibility Ideographs.
    """
    return "\u3040" <= char <= "\u30ff" or "\u3400" <= char <= "\u9fff" or "\uf900" <= char <= "\ufaff"
