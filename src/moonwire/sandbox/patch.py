"""A leg without a network: a caller and a call in one process, joined by a 20 ms beat of the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

from moonwire.core.audio.frames import FRAME_S, SILENCE_FRAME
from moonwire.ports.legs import CallAcceptor, LegEnd, LegInfo, LegListener
from moonwire.ports.media import AudioSource


class PatchedCaller(LegListener, AudioSource, Protocol):
    """Whoever plays the caller."""


class PatchLeg:
    """Implements ports.legs.CallLeg for the call; `caller_end` is the same for the caller."""

    def __init__(self, caller: PatchedCaller, info: LegInfo) -> None:
        self.info = info
        self.caller_end = CallerEnd(self)
        self.answered = asyncio.Event()
        self.refused: tuple[int, str, Mapping[str, str]] | None = None
        self.bye_headers: Mapping[str, str] | None = None
        self.rang = False
        self.caller = caller
        self._sink: LegListener | None = None
        self._source: AudioSource | None = None
        self._beat: asyncio.TimerHandle | None = None
        self._next_s = 0.0
        self._sounding = False
        self._over = False

    def attach(self, sink: LegListener, source: AudioSource) -> None:
        """Connect the call."""
        self._sink, self._source = sink, source

    def wake(self) -> None:
        """Nothing is sent ahead of the beat."""

    def unheard_frames(self) -> int:
        """What is handed over has been heard."""
        return 0

    def clear(self) -> int:
        """Nothing waits."""
        return 0

    async def ring(self) -> None:
        """Note it."""
        self.rang = True

    async def answer(self) -> None:
        """Start the beat."""
        if not self.answered.is_set() and not self._over:
            self.answered.set()
            self._next_s = asyncio.get_running_loop().time()
            self._tick()

    async def reject(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        """Refuse the caller."""
        self.refused = (status, reason, headers or {})
        self.end(LegEnd("moonwire", "rejected", status))

    async def hang_up(self, headers: Mapping[str, str] | None = None) -> None:
        """End the call from the server's side."""
        self.bye_headers = headers or {}
        self.end(LegEnd("moonwire", "hangup"))

    def send_digits(self, digits: str, duration_ms: int) -> None:
        """Give digits to the caller."""
        for digit in digits:
            self.caller.on_digit(digit, duration_ms)

    def press(self, digits: str, duration_ms: int) -> None:
        """Give the caller's digits to the call."""
        for digit in digits:
            if self._sink is not None:
                self._sink.on_digit(digit, duration_ms)

    def end(self, end: LegEnd) -> None:
        """Stop the beat and tell both sides, once."""
        if self._over:
            return
        self._over = True
        if self._beat is not None:
            self._beat.cancel()
        self.caller.on_ended(end)
        if self._sink is not None:
            self._sink.on_ended(end)

    def _tick(self) -> None:
        if self._over:
            return
        self._next_s += FRAME_S
        self._beat = asyncio.get_running_loop().call_at(self._next_s, self._tick)
        if self._source is not None:
            frame = self._source.next_frame()
            if frame is None and self._sounding:
                self._source.on_played_out()
            self._sounding = frame is not None
            self.caller.on_frame(frame or SILENCE_FRAME)
        voice = self.caller.next_frame()
        if self._sink is not None and not self._over:
            self._sink.on_frame(voice or SILENCE_FRAME)


class CallerEnd:
    """The caller's side: what a scripted caller needs of a leg."""

    def __init__(self, leg: PatchLeg) -> None:
        self._leg = leg
        self.info = leg.info

    def attach(self, sink: LegListener, source: AudioSource) -> None:
        """The caller is connected by construction."""

    def wake(self) -> None:
        """Nothing is sent ahead of the beat."""

    def unheard_frames(self) -> int:
        """What is handed over has been heard."""
        return 0

    def clear(self) -> int:
        """Nothing waits."""
        return 0

    async def ring(self) -> None:
        """A caller does not ring."""

    async def answer(self) -> None:
        """A caller does not answer."""

    async def reject(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        """A caller gives up instead."""
        del status, reason, headers
        await self.hang_up()

    async def hang_up(self, headers: Mapping[str, str] | None = None) -> None:
        """End the call from the caller's side."""
        del headers
        self._leg.end(LegEnd("caller", "bye" if self._leg.answered.is_set() else "cancel"))

    def send_digits(self, digits: str, duration_ms: int) -> None:
        """Press keys."""
        self._leg.press(digits, duration_ms)


def patch(caller: PatchedCaller, acceptor: CallAcceptor, *, to: str, from_: str = "15550001111") -> PatchLeg:
    """Offer a new call to an acceptor and return its leg."""
    info = LegInfo(
        call_id=f"patch-{id(caller):x}",
        direction="inbound",
        from_=from_,
        to=to,
        transport="sip",
        source_address="127.0.0.1",
        source_port=0,
        protocol="udp",
        carrier="loopback",
    )
    leg = PatchLeg(caller, info)
    acceptor.offer(leg)
    return leg
