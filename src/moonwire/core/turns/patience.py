"""Decides how much silence ends a turn when nobody knows better, going by what has been said in it."""

from __future__ import annotations

from moonwire.core.turns.pending_words import PendingWords
from moonwire.core.turns.questions import is_question
from moonwire.core.turns.settings import TurnSettings


def patience_s(settings: TurnSettings, words: PendingWords, quiet_since: float | None) -> float:
    """Return the wait in seconds; a question shortens it where it was settled in this silence and so is all of it."""
    if words.keying:
        return settings.digits_wait_s
    newest = quiet_since is not None and words.settled_at >= quiet_since
    if settings.question_wait_s and newest and is_question(words.text()):
        return min(settings.question_wait_s, settings.end_of_turn_s)
    return settings.end_of_turn_s
