"""Runs `config`: session defaults for recogniser and synthesiser, and whether verb:status is sent."""

from __future__ import annotations

from moonwire.call.context import Call
from moonwire.call.speech_choices import merged
from moonwire.errors import SpecError
from moonwire.spec.components import NoiseIsolation
from moonwire.spec.verbs import Config


async def run_config(call: Call, verb: Config) -> None:
    """Apply the settings.

    Raises:
        SpecError: some members are understood but not supported by this server; the others have been applied.
    """
    apply_config(call, verb)
    if verb.not_yet_run:
        raise SpecError(f"config: not supported by this server and ignored: {', '.join(verb.not_yet_run)}")


def apply_config(call: Call, verb: Config) -> None:
    """Change the session's defaults; members that are absent change nothing."""
    defaults, application = call.defaults, call.application
    if "synthesizer" in verb.reset:
        defaults.synthesizer = application.synthesizer
    if "recognizer" in verb.reset:
        defaults.recognizer = application.recognizer
    if verb.synthesizer is not None:
        defaults.synthesizer = merged(verb.synthesizer, defaults.synthesizer)
    if verb.recognizer is not None:
        defaults.recognizer = merged(verb.recognizer, defaults.recognizer)
    if "noiseIsolation" in verb.reset:
        call.noise.apply(NoiseIsolation(enable=False))
    if verb.noise_isolation is not None:
        call.noise.apply(verb.noise_isolation)
    if verb.notify_events is not None:
        defaults.notify_events = verb.notify_events
