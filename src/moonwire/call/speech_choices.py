"""Decides which synthesiser and recogniser a verb uses: its own, filled up from the session's."""

from __future__ import annotations

from typing import Final, TypeVar

from moonwire.call.context import Call
from moonwire.errors import CredentialError
from moonwire.spec.components import Recognizer, Synthesizer

LEFT_OPEN: Final = "default"
"""As a member's value: the same as leaving it out.

Source: jambonz feature server, say and gather, read 2026-11-22.
"""

Choice = TypeVar("Choice", Recognizer, Synthesizer)


def merged(choice: Choice, default: Choice | None) -> Choice:
    """Fill what a verb left open from the default, when the vendor is the same."""
    own = {name: value for name, value in choice.model_dump(exclude_unset=True).items() if value != LEFT_OPEN}
    if default is None or own.get("vendor", default.vendor) != default.vendor:
        return type(choice).model_validate({"vendor": choice.vendor} | own)
    return type(choice).model_validate(default.model_dump(exclude_none=True) | own)


def chosen_synthesizer(call: Call, own: Synthesizer | None) -> Synthesizer:
    """Return the verb's synthesiser, filled up from or replaced by the session's.

    Raises:
        CredentialError: neither the verb nor the application names one.
    """
    if own is not None:
        return merged(own, call.defaults.synthesizer)
    if call.defaults.synthesizer is None:
        raise CredentialError(
            "no text-to-speech vendor chosen",
            vendor="tts",
            remedy="Name one in the verb, or set the application's default synthesizer.",
        )
    return call.defaults.synthesizer
