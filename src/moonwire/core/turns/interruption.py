"""Decides what words spoken over the agent are worth: an interruption, a back-channel, or too few to tell."""

from __future__ import annotations

from typing import Literal

from moonwire.core.turns.backchannels import content_words
from moonwire.core.turns.settings import TurnSettings

Worth = Literal["nothing", "backchannel", "little", "interruption"]
"""nothing: no word. backchannel: the caller only says that they are listening. little: words, but fewer than
`min_words`. interruption: meant to stop the agent."""


def has_word(text: str) -> bool:
    """Tell words from stray punctuation: at least one letter, ideograph or digit of any script."""
    return any(char.isalnum() for char in text)


def worth_of(text: str, settings: TurnSettings, *, asked: bool) -> Worth:
    """Judge words spoken over the agent.

    Args:
        text: all that was recognised since the caller's voice began, or all that waits to be answered.
        settings: of the agent.
        asked: the agent has just asked something; then every word may be the answer.
    """
    if not has_word(text):
        return "nothing"
    if asked or settings.min_words == 0:
        return "interruption"
    words = content_words(text, settings.language)
    if words == 0:
        return "backchannel"
    return "interruption" if words >= settings.min_words else "little"
