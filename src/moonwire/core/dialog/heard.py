"""Decides how much of a reply the caller has heard, from word positions or, without them, from the share of audio."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Final

from moonwire.core.dialog.letters import is_ideograph

LATE_S: Final = 0.03
"""A word whose end lies this much after the cut was heard: vendors' word ends include a little silence."""

LAG_S: Final = 0.3
"""Audio beyond the last known word that is taken for more words, not for its tail."""

LETTERS_PER_S: Final = 15.0
"""Speaking rate assumed while the audio is still being made; an ideograph counts as three letters."""

_SEARCH: Final = 40
"""How far ahead of the last word a word is looked for; vendors may leave out or respell some."""


def heard_text(
    spoken: str, words: Sequence[tuple[str, float, float]], heard_s: float, audio_s: float, *, complete: bool = True
) -> str:
    """Return the part of a reply that the caller has heard.

    Args:
        spoken: the text given to the voice.
        words: (word, start_s, end_s) in order, seconds from the utterance's first sample; may be empty or incomplete.
        heard_s: seconds of the utterance's audio that were played to the caller.
        audio_s: seconds of audio that exist.
        complete: all of the text has become audio.

    Returns:
        A prefix of `spoken`, cut at the end of a word with its punctuation; all of it when all audio was heard.
    """
    if complete and heard_s > 0 and heard_s >= audio_s - LATE_S:
        return spoken.rstrip()
    if heard_s <= 0:
        return ""
    known_s = words[-1][2] if words else 0.0
    if words and heard_s <= known_s + LAG_S:
        return _close(spoken, _find_end(spoken, [word for word, _, end_s in words if end_s <= heard_s + LATE_S]))
    position = _find_end(spoken, [word for word, _, _ in words])
    rest_s = max(0.0, audio_s - known_s)
    if not complete:
        rest_s = max(rest_s, _letters(spoken[position:]) / LETTERS_PER_S)
    share = min(1.0, (heard_s - known_s) / rest_s) if rest_s > 0 else 0.0
    return _close(spoken, _floor_to_word(spoken, position, position + int(share * (len(spoken) - position))))


def _find_end(spoken: str, words: Sequence[str]) -> int:
    """Return where the last of the words ends in the text; a word that is not found stands for the next one there."""
    position = 0
    for word in words:
        if bare := word.strip():
            position = _word_end(spoken, bare, position) or _next_word_end(spoken, position)
    return position


def _word_end(spoken: str, word: str, position: int) -> int:
    """Return where this word ends, 0 when it is not among the next ones; "a" is not found inside "cat"."""
    limit = position + _SEARCH + len(word)
    found = spoken.find(word, position, limit)
    while found >= 0:
        end = found + len(word)
        if not (_joined(spoken, found) or _joined(spoken, end)):
            return end
        found = spoken.find(word, found + 1, limit)
    return 0


def _joined(spoken: str, position: int) -> bool:
    """Tell whether a word goes on across this position."""
    if not 0 < position < len(spoken):
        return False
    before, after = spoken[position - 1], spoken[position]
    return before.isalnum() and after.isalnum() and not is_ideograph(before) and not is_ideograph(after)


def _next_word_end(spoken: str, position: int) -> int:
    while position < len(spoken) and spoken[position].isspace():
        position += 1
    if position < len(spoken) and is_ideograph(spoken[position]):
        return position + 1
    return position + sum(1 for _ in takewhile(lambda char: not char.isspace(), spoken[position:]))


def _floor_to_word(spoken: str, floor: int, position: int) -> int:
    """Move a position back to the nearest end of a word, not before `floor`."""
    while position > floor and _joined(spoken, position):
        position -= 1
    return position


def _close(spoken: str, position: int) -> str:
    """Take along the punctuation that belongs to the last word."""
    if position == 0:
        return ""
    end = position
    while end < len(spoken) and not spoken[end].isspace() and not spoken[end].isalnum():
        end += 1
    if end < len(spoken) and spoken[end].isalnum() and not is_ideograph(spoken[end]) and end > position:
        end = position  # a hyphen or apostrophe inside a word is not its end
    return spoken[:end].rstrip()


def _letters(text: str) -> int:
    return sum(3 if is_ideograph(char) else 1 for char in text)
