"""Decides which synthesiser and recogniser a verb uses: its own, filled up from the session's."""

from __future__ import annotations

from moonwire.call.context import Call
from moonwire.errors import CredentialError
from moonwire.spec.components import Recognizer, Synthesizer


def merged_synthesizer(choice: Synthesizer, default: Synthesizer | None) -> Synthesizer:
    """Fill what a verb left open from the default, when the vendor is the same."""
    if default is None or default.vendor != choice.vendor:
        return choice
    return Synthesizer.model_validate(default.model_dump(exclude_none=True) | choice.model_dump(exclude_unset=True))


def merged_recognizer(choice: Recognizer, default: Recognizer | None) -> Recognizer:
    """Fill what a verb left open from the default, when the vendor is the same."""
    if default is None or default.vendor != choice.vendor:
        return choice
    return Recognizer.model_validate(default.model_dump(exclude_none=True) | choice.model_dump(exclude_unset=True))


def chosen_synthesizer(call: Call, own: Synthesizer | None) -> Synthesizer:
    """Return the verb's synthesiser, filled up from or replaced by the session's.

    Raises:
        CredentialError: neither the verb nor the application names one.
    """
    if own is not None:
        return merged_synthesizer(own, call.defaults.synthesizer)
    if call.defaults.synthesizer is None:
        raise CredentialError(
            "no text-to-speech vendor chosen",
            vendor="tts",
            remedy="Name one in the verb, or set the application's default synthesizer.",
        )
    return call.defaults.synthesizer
