"""Decides whether recognised words count as an interruption, or as words at all."""

from __future__ import annotations

from moonwire.core.turns.settings import TurnSettings


def has_word(text: str) -> bool:
    """Tell words from stray punctuation: at least one letter, ideograph or digit of any script."""
    return any(char.isalnum() for char in text)


def is_interruption(text: str, settings: TurnSettings) -> bool:
    """Tell whether words spoken over the agent are meant to stop it: any word, where interruptions are allowed.

    Source: jambonz agent verb, bargeIn: confirmed at once when words arrive during a tentative interruption.
    """
    return settings.barge_in and has_word(text)
