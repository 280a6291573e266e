"""A stand-in for ElevenLabs' multi-context text-to-speech socket that speaks its wire on a real socket."""

from moonwire.sandbox.elevenlabs.faults import ElevenLabsFaults
from moonwire.sandbox.elevenlabs.server import ElevenLabsSimulator

__all__ = ["ElevenLabsFaults", "ElevenLabsSimulator"]
