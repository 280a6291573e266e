"""Lists the voice-activity detectors and builds one by name."""

from __future__ import annotations

from importlib import import_module
from typing import Final, Protocol

from moonwire.errors import ConfigError
from moonwire.ports.vad import VoiceActivityDetector

_DETECTORS: Final = {"silero": ("moonwire.vendors.vad.silero.detector", "SileroVad")}
"""Name: module and class; loaded on first use, the runtime takes a third of a second to import."""


class RunningDetector(VoiceActivityDetector, Protocol):
    """A detector with a life of its own; the composition owns it."""

    def start(self) -> None:
        """Start; call on the event loop that shall hear the events."""
        ...

    def stop(self) -> None:
        """Stop, at once."""
        ...


def create_vad(name: str = "silero", *, threaded: bool = True) -> RunningDetector:
    """Return a detector, not yet started.

    Args:
        name: which one.
        threaded: False judges in every push and needs no start (virtual time, replays).

    Raises:
        ConfigError: the name is unknown.
    """
    try:
        module, detector = _DETECTORS[name]
    except KeyError:
        raise ConfigError(f"Voice detector {name!r} is unknown; use one of: {', '.join(_DETECTORS)}") from None
    return getattr(import_module(module), detector)(threaded=threaded)
