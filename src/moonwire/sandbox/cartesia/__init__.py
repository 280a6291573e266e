"""A stand-in for Cartesia's text-to-speech socket that speaks its wire on a real socket."""

from moonwire.sandbox.cartesia.faults import CartesiaFaults, ErrorEvent
from moonwire.sandbox.cartesia.server import CartesiaSimulator

__all__ = ["CartesiaFaults", "CartesiaSimulator", "ErrorEvent"]
