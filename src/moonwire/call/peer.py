"""A second leg of a call, one that we called: its ear, its mouth, and the connection with the caller."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from moonwire.call.egress import Egress
from moonwire.ports.legs import CallLeg, LegEnd

_MOST_WAITING = 10
"""Frames of one side that may wait for the other: 0.2 s; the two clocks never agree exactly."""


class FrameQueue:
    """Carries one side's voice to the other."""

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque(maxlen=_MOST_WAITING)

    def push(self, frame: bytes) -> None:
        """Add 20 ms; the oldest is dropped when the other side is too slow."""
        self._frames.append(frame)

    def next_frame(self) -> bytes | None:
        """Return 20 ms, None when nothing has come."""
        return self._frames.popleft() if self._frames else None

    def on_played_out(self) -> None:
        """Nothing waits for that."""


class Peer:
    """Implements ports.legs.LegListener and ports.media.AudioSource for the leg we called."""

    def __init__(self) -> None:
        self.ended: asyncio.Future[LegEnd] = asyncio.get_running_loop().create_future()
        self.digits: asyncio.Queue[str] = asyncio.Queue()
        self.on_voice: Callable[[bytes], None] | None = None
        """Takes each frame of what the person says."""
        self.leg: CallLeg | None = None
        self.egress: Egress | None = None

    def connect(self, leg: CallLeg) -> Egress:
        """Take the answered leg; returns its mouth."""
        self.leg = leg
        self.egress = Egress(leg)
        return self.egress

    async def hang_up(self) -> None:
        """End the leg, if it is up."""
        if self.leg is not None and not self.ended.done():
            await self.leg.hang_up()

    def on_frame(self, frame: bytes) -> None:
        """Pass on what the person says."""
        if self.on_voice is not None:
            self.on_voice(frame)

    def on_digit(self, digit: str, duration_ms: int) -> None:
        """Take a key."""
        del duration_ms
        self.digits.put_nowait(digit)

    def on_ended(self, end: LegEnd) -> None:
        """Note the end."""
        if not self.ended.done():
            self.ended.set_result(end)

    def next_frame(self) -> bytes | None:
        """Give what the person shall hear."""
        return self.egress.next_frame() if self.egress is not None else None

    def on_played_out(self) -> None:
        """Take the transport's word that all has been heard."""
        if self.egress is not None:
            self.egress.on_played_out()
