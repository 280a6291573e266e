"""What the Cartesia stand-in has seen, for assertions: handshakes, messages, open contexts."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from moonwire.sandbox.cartesia.faults import CartesiaFaults

_KEPT = 2000


@dataclass(frozen=True, slots=True)
class Handshake:
    """One connection attempt."""

    path: str
    version: str
    key: str
    status: int


@dataclass(frozen=True, slots=True)
class Received:
    """One message of a client."""

    at_s: float
    """On the loop's clock."""
    session_id: str
    message: dict[str, Any]


@dataclass(slots=True)
class CartesiaRecords:
    """Everything that happened, in order."""

    handshakes: list[Handshake] = field(default_factory=list[Handshake])
    received: list[Received] = field(default_factory=list[Received])
    open_sessions: list[str] = field(default_factory=list[str])
    closed_sessions: int = 0
    open_contexts: Counter[str] = field(default_factory=Counter[str])
    """Per key."""
    faults: CartesiaFaults = field(default_factory=CartesiaFaults)
    """The switches in force."""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def transcripts(self) -> list[str]:
        """All texts that were sent to be spoken."""
        return [text for item in self.received if (text := item.message.get("transcript"))]

    def keep(self, item: Received | Handshake) -> None:
        """Add to what was seen; the oldest is forgotten, so that a sandbox may run for weeks."""
        if isinstance(item, Received):
            self.received.append(item)
            del self.received[:-_KEPT]
        else:
            self.handshakes.append(item)
            del self.handshakes[:-_KEPT]
        self.note()

    def note(self) -> None:
        """Wake whoever waits for a condition."""
        self._changed.set()

    async def wait_until(self, condition: Callable[[], bool], limit_s: float = 5.0) -> None:
        """Wait until something was received, connected or disconnected that makes a condition true.

        Raises:
            TimeoutError: it has not within the limit.
        """
        async with asyncio.timeout(limit_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()
