"""Deepgram Flux (listen v2) as a local server."""

from moonwire.sandbox.deepgramflux.faults import FluxFaults
from moonwire.sandbox.deepgramflux.session import FluxSession
from moonwire.sandbox.deepgramflux.simulator import FluxSimulator

__all__ = ["FluxFaults", "FluxSession", "FluxSimulator"]
