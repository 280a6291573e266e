"""Decides how much silence ends a turn when nobody knows better, going by what has been said in it."""

from __future__ import annotations

from moonwire.core.turns.pending_words import PendingWords
from moonwire.core.turns.questions import is_question
from moonwire.core.turns.settings import TurnSettings
from moonwire.core.turns.whole import is_whole


def patience_s(settings: TurnSettings, words: PendingWords, quiet_since: float | None, language: str) -> float:
    """Return the wait in seconds; words that were settled in this silence, and so are all of it, may shorten it."""
    if words.keying:
        return settings.digits_wait_s
    newest = quiet_since is not None and words.settled_at >= quiet_since
    if settings.whole_wait_s and newest and is_whole(words.text(), language):
        wait_s = settings.question_wait_s if is_question(words.text()) else settings.whole_wait_s
        return min(wait_s, settings.end_of_turn_s)
    return settings.end_of_turn_s
