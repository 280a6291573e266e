"""Voices of the sandbox: synthesised text and the recorded lines of the scripted caller."""

from moonwire.sandbox.voices.engine import Speaker, VoiceKind, available_voice, synthesise, synthesise_in_background
from moonwire.sandbox.voices.phrasebook import Phrasebook, load_phrasebook

__all__ = [
    "Phrasebook",
    "Speaker",
    "VoiceKind",
    "available_voice",
    "load_phrasebook",
    "synthesise",
    "synthesise_in_background",
]
