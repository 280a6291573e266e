"""A caller that follows a script over any leg: `moonwire call`, the demo, tests and the benchmark use it."""

from moonwire.sandbox.caller.caller import ScriptedCaller
from moonwire.sandbox.caller.report import CallerReport, CallerTurn
from moonwire.sandbox.caller.script import (
    HangUp,
    Interrupt,
    Pause,
    PlayAudio,
    Say,
    SendDigits,
    Step,
    WaitForSilence,
    WaitForSpeech,
    conversation,
    prepare,
)

__all__ = [
    "CallerReport",
    "CallerTurn",
    "HangUp",
    "Interrupt",
    "Pause",
    "PlayAudio",
    "Say",
    "ScriptedCaller",
    "SendDigits",
    "Step",
    "WaitForSilence",
    "WaitForSpeech",
    "conversation",
    "prepare",
]
