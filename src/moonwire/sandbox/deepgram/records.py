"""Holds what one simulated connection received and sent, and the simulator's times."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class ConnectionRecord:
    """What one connection received."""

    request_id: str
    path: str
    query: list[tuple[str, str]]
    key: str
    opened_at_s: float
    messages: list[tuple[float, dict[str, Any]]] = field(default_factory=list[tuple[float, dict[str, Any]]])
    """Control messages with the loop's time; text that is no JSON object as `{"unreadable": text}`."""
    audio_messages: int = 0
    audio_bytes: int = 0
    audio: bytearray = field(default_factory=bytearray)
    """Filled only when the simulator records audio."""
    sent: list[tuple[float, dict[str, Any]]] = field(default_factory=list[tuple[float, dict[str, Any]]])
    """What was sent, the newest 1000 messages."""
    close_code: int | None = None

    def types(self) -> list[str]:
        """Return the types of the control messages, in order."""
        return [str(message.get("type")) for _, message in self.messages]


@dataclass(frozen=True, slots=True)
class Pace:
    """The simulator's times, in seconds."""

    latency_s: float = 0.0
    """Added to every message."""
    interim_s: float = 0.5
    """Audio between two interims."""
    settle_s: float = 4.0
    """Speech after which a final piece comes in mid-utterance."""
    idle_close_s: float = 10.0
    """The 10 s rule of NET-0001."""
