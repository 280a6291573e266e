"""What the agent asks of an engine that tells, by sound, whether a caller who speaks over it means to interrupt."""

from __future__ import annotations

from typing import Protocol


class InterruptionListener(Protocol):
    """Takes an engine's word, on the event loop."""

    def on_interruption(self, probability: float, engine: str) -> None:
        """Hear, at most once while a voice goes on, that it is meant to interrupt."""
        ...


class InterruptionStream(Protocol):
    """One call's prediction."""

    def push(self, frame: bytes) -> None:
        """Take 20 ms of the caller (mu-law); never blocks."""
        ...

    def voice_changed(self, *, on: bool) -> None:
        """Hear that the caller's voice began or stopped."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


class InterruptionPredictor(Protocol):
    """The process's engine; all calls share one model."""

    @property
    def name(self) -> str:
        """As shown in events: `krisp`."""
        ...

    def open(self, listener: InterruptionListener, threshold: float) -> InterruptionStream:
        """Begin to listen to a call; an interruption has at least this probability."""
        ...
