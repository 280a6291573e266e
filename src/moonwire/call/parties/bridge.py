"""Connects the caller with a person we called: both voices, keys, whispers, and the end of one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from moonwire.call.announce import announce
from moonwire.call.context import Call
from moonwire.call.egress import Egress
from moonwire.call.parties.peer import FrameQueue, Peer
from moonwire.spec.verbs import Verb


@dataclass(frozen=True, slots=True)
class KeyPatterns:
    """Sequences of keys that the application wants to hear of, by the side that presses them."""

    caller: Sequence[str] = ()
    person: Sequence[str] = ()
    on_match: Callable[[str], None] = lambda pattern: None


class Bridge:
    """One connection; `run` returns when it is over."""

    def __init__(self, call: Call, peer: Peer, patterns: KeyPatterns | None = None) -> None:
        self.peer = peer
        self._call = call
        self._patterns = patterns or KeyPatterns()
        self._to_person, self._to_caller = FrameQueue(), FrameQueue()
        self._pressed = {"caller": "", "person": ""}
        self._group: asyncio.TaskGroup | None = None
        self._whispering = asyncio.Lock()
        """One whisper after the other: each gives the side its voice back."""

    async def run(self, limit_s: float | None = None) -> None:
        """Let caller and person talk until one of them hangs up, or the time is over; the person is let go then."""
        call, peer = self._call, self.peer
        if peer.leg is None or peer.egress is None:
            return
        call.consumers.append(self._from_caller)
        peer.on_voice, peer.on_digit_pressed = self._from_person, self._on_person_key
        call.egress.patched, peer.egress.patched = self._to_caller, self._to_person
        call.bridge = self
        try:
            async with asyncio.TaskGroup() as self._group:
                await asyncio.wait({call.gone, peer.ended}, return_when=asyncio.FIRST_COMPLETED, timeout=limit_s)
                raise _OverError
        except* _OverError:
            pass
        finally:
            call.bridge = self._group = None
            call.egress.patched = peer.on_voice = peer.on_digit_pressed = None
            call.consumers.remove(self._from_caller)
            await peer.hang_up()

    def on_caller_key(self, digit: str, duration_ms: int) -> None:
        """Pass a key on to the person."""
        if self.peer.leg is not None:
            self.peer.leg.send_digits(digit, duration_ms)
        self._match("caller", digit, self._patterns.caller)

    def whisper(self, verbs: Sequence[Verb], *, to_person: bool) -> None:
        """Say or play something that only one side hears, in place of the other side's voice."""
        egress = self.peer.egress if to_person else self._call.egress
        if self._group is not None and egress is not None:
            self._group.create_task(self._whisper(egress, verbs))

    async def _whisper(self, egress: Egress, verbs: Sequence[Verb]) -> None:
        async with self._whispering:
            voice, egress.patched = egress.patched, None
            try:
                await announce(self._call, egress, verbs)
            finally:
                egress.patched = voice

    def _from_caller(self, frame: bytes) -> None:
        self._to_person.push(frame)
        if self.peer.leg is not None:
            self.peer.leg.wake()

    def _from_person(self, frame: bytes) -> None:
        self._to_caller.push(frame)
        self._call.leg.wake()

    def _on_person_key(self, digit: str, duration_ms: int) -> None:
        self._call.note("dtmf", pii_digit=digit, duration_ms=duration_ms, call_sid=self.peer.sid)
        self._call.leg.send_digits(digit, duration_ms)
        self._match("person", digit, self._patterns.person)

    def _match(self, side: str, digit: str, patterns: Sequence[str]) -> None:
        self._pressed[side] = (self._pressed[side] + digit)[-32:]
        for pattern in patterns:
            if self._pressed[side].endswith(pattern):
                self._pressed[side] = ""
                self._patterns.on_match(pattern)
                return


class _OverError(Exception):
    """The connection is over; ends what still whispers."""
