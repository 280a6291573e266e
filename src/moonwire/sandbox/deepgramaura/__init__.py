"""A stand-in for Deepgram's text-to-speech socket (Aura) that speaks its wire on a real socket."""

from moonwire.sandbox.deepgramaura.session import AuraFaults
from moonwire.sandbox.deepgramaura.simulator import AuraSimulator

__all__ = ["AuraFaults", "AuraSimulator"]
