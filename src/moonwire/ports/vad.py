"""What the agent asks of a voice-activity detector."""

from __future__ import annotations

from typing import Protocol


class VadListener(Protocol):
    """Takes a detector's events, on the event loop."""

    def on_voice_started(self, ago_s: float) -> None:
        """Hear that voice began `ago_s` seconds before the newest frame pushed."""
        ...

    def on_voice_ended(self, ago_s: float) -> None:
        """Hear that voice stopped `ago_s` seconds before the newest frame pushed."""
        ...


class VadStream(Protocol):
    """One call's detection."""

    def push(self, frame: bytes) -> None:
        """Take 20 ms of mu-law; never blocks."""
        ...

    def close(self) -> None:
        """Release the call's slot; results that arrive later are dropped."""
        ...


class VoiceActivityDetector(Protocol):
    """The process's detector; all calls share one model."""

    def open(self, listener: VadListener) -> VadStream:
        """Take a slot for a call."""
        ...
