"""Runs `say`: speaks a text with the session's or its own synthesiser."""

from __future__ import annotations

import random

from moonwire.call.announce import speak
from moonwire.call.context import Call
from moonwire.call.speech_choices import chosen_synthesizer
from moonwire.spec.verbs import Say


async def run_say(call: Call, verb: Say) -> None:
    """Speak one of the texts, `loop` times.

    Raises:
        VendorError: synthesis failed, also with the fallback vendor; the call goes on with the next verb.
    """
    await call.ensure_answered()
    if not verb.texts:
        return
    text = random.choice(verb.texts)
    synthesizer = chosen_synthesizer(call, verb.synthesizer)
    rounds = 0
    while verb.loop == 0 or rounds < verb.loop:
        await speak(call, call.egress, text, synthesizer)
        rounds += 1
