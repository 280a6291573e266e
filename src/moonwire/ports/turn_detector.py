"""What the agent asks of an engine that ends turns by the sound of the caller's voice.

Time is counted in the caller's audio: frames pushed, never a wall clock.
"""

from __future__ import annotations

from typing import Literal, Protocol

from moonwire.core.turns.agreement import AgreementSettings

TurnVerdict = Literal["ended", "probably", "resumed"]
"""ended: the caller has finished. probably: an early sign of it, in a pause that is watched on. resumed: the early sign
was wrong."""


class TurnListener(Protocol):
    """Takes an engine's verdicts, on the event loop."""

    def on_turn_verdict(self, verdict: TurnVerdict, probability: float, engine: str) -> None:
        """Hear a verdict; `engine` is who gave it (`silence` when the model was too late and time decided)."""
        ...


class TurnStream(Protocol):
    """One call's detection."""

    def push(self, frame: bytes) -> None:
        """Take 20 ms of the caller (mu-law); never blocks."""
        ...

    def voice_began(self, ago_s: float) -> None:
        """Hear that the caller's voice began `ago_s` seconds before the newest frame."""
        ...

    def voice_ended(self, ago_s: float) -> None:
        """Hear that the caller's voice stopped `ago_s` seconds before the newest frame."""
        ...

    def reset(self) -> None:
        """Forget what was heard: a new turn begins (after a committed one, and when the agent begins to speak)."""
        ...

    def close(self) -> None:
        """Let go; results that arrive later are dropped."""
        ...


class TurnDetector(Protocol):
    """The process's engine; all calls share one model."""

    @property
    def name(self) -> str:
        """As shown in events: `krisp`, `smart-turn`."""
        ...

    def open(self, listener: TurnListener, settings: AgreementSettings) -> TurnStream:
        """Begin to listen to a call."""
        ...
