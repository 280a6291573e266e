"""The simulated Moonshot: `from moonwire.sandbox.moonshot import MoonshotSimulator`."""

from moonwire.sandbox.moonshot.faults import Fault, Pacing, Wire
from moonwire.sandbox.moonshot.script import Lines, Receptionist, Script, ScriptedAnswer, ScriptedCall
from moonwire.sandbox.moonshot.server import SANDBOX_KEYS, MoonshotSimulator

__all__ = [
    "SANDBOX_KEYS",
    "Fault",
    "Lines",
    "MoonshotSimulator",
    "Pacing",
    "Receptionist",
    "Script",
    "ScriptedAnswer",
    "ScriptedCall",
    "Wire",
]
