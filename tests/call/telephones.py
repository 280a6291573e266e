"""Telephones that a call under test calls: no network, each address is answered, refused, or rings for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from moonwire.errors import CallRefusedError
from moonwire.ports.legs import CallLeg, CallOrder, CallProgress, DialledLeg, LegEnd, LegInfo
from moonwire.sandbox.patch import PatchLeg
from moonwire.sandbox.virtual_time import elapse


class Person:
    """Somebody who answers a telephone: says a tone, counts what is heard, may press a key."""

    def __init__(self, *, keys: str = "", stays_s: float = 6.0, early_media: bool = False) -> None:
        self.heard = 0
        self.keys = keys
        self.stays_s = stays_s
        self.early_media = early_media
        self.digits = ""
        self.ended: LegEnd | None = None

    def on_frame(self, frame: bytes) -> None:
        self.heard += frame != bytes([0xFF]) * 160

    def on_digit(self, digit: str, duration_ms: int) -> None:
        self.digits += digit

    def on_ended(self, end: LegEnd) -> None:
        self.ended = end

    def next_frame(self) -> bytes | None:
        return bytes([0x20]) * 160

    def on_played_out(self) -> None: ...


class Exchange:
    """Places calls without a network: each URI is answered, refused, or rings for ever."""

    def __init__(self, people: Mapping[str, Person | int | None]) -> None:
        self.people = people
        self.called: list[str] = []
        self.orders: list[CallOrder] = []
        self.given_up: list[str] = []
        self.hung_up: list[str] = []

    async def invite(self, order: CallOrder, on_progress: Callable[[CallProgress], None]) -> DialledLeg:
        self.called.append(order.uri)
        self.orders.append(order)
        return DialledPatch(self, order, self.people[order.uri], on_progress)

    async def place(self, uri: str, **options: Any) -> CallLeg:
        raise AssertionError("calls begin with invite")


class DialledPatch(PatchLeg):
    """One of the exchange's calls."""

    def __init__(
        self,
        exchange: Exchange,
        order: CallOrder,
        person: Person | int | None,
        on_progress: Callable[[CallProgress], None],
    ) -> None:
        info = LegInfo("b", "outbound", order.from_user, order.called, "sip", "127.0.0.1", 5060, "udp", order.carrier)
        super().__init__(person if isinstance(person, Person) else Person(), info)
        self.exchange, self.order, self.person, self.on_progress = exchange, order, person, on_progress

    async def hang_up(self, headers: Mapping[str, str] | None = None) -> None:
        await super().hang_up(headers)
        self.exchange.hung_up.append(self.order.uri)

    async def taken(self) -> None:
        person = self.person
        if isinstance(person, int):
            raise CallRefusedError(person, "No")
        self.on_progress(CallProgress(180, "Ringing", early_media=False))
        if isinstance(person, Person) and person.early_media:
            self.on_progress(CallProgress(183, "Session Progress", early_media=True))
            await self.answer()  # its voice comes already
        try:
            await elapse(2 if person is not None else self.order.timeout_s)
        except asyncio.CancelledError:
            self.exchange.given_up.append(self.order.uri)
            raise
        if person is None:
            raise CallRefusedError(487, "Request Terminated", reason="no-answer")
        await self.answer()
        loop = asyncio.get_running_loop()
        for index, key in enumerate(person.keys):
            loop.call_later(4 + index, self.press, key, 100)
        loop.call_later(person.stays_s, self.end, LegEnd("caller", "bye"))
