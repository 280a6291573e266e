"""Decides whether the caller may be answering a question: one that was just asked, or is about to be.

"Yes" over a speaking agent is a back-channel, unless the agent has just said "Shall I book it?" and goes on talking.
"""

from __future__ import annotations

import re
from typing import Final

from moonwire.core.turns.words import tokens

_SENTENCE_END: Final = re.compile(r"[.!?。！？؟…]+")
_QUESTION: Final = ("?", "？", "؟")

SOON_WORDS: Final = 4
"""Callers answer up to so many words before a question ends: they know what is coming."""
LATE_WORDS: Final = 6
"""Words after a question that the agent has said before a slow caller's answer arrives."""


def is_question(text: str) -> bool:
    """Tell whether a text ends as a question; recognisers write that mark only where they heard one."""
    return text.rstrip().endswith(_QUESTION)


def just_asked(spoken: str, heard: str) -> bool:
    """Tell whether a question ends near the place that the caller has heard up to.

    Args:
        spoken: the agent's text so far.
        heard: the prefix of it that was heard.
    """
    ends = [(end.end(), end[0].endswith(_QUESTION)) for end in _SENTENCE_END.finditer(spoken)]
    if any(
        question and len(tokens(spoken[place : len(heard)])) <= LATE_WORDS
        for place, question in ends
        if place <= len(heard)
    ):
        return True
    coming = next(((place, question) for place, question in ends if place > len(heard)), None)
    return coming is not None and coming[1] and len(tokens(spoken[len(heard) : coming[0]])) <= SOON_WORDS
