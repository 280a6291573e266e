"""A second leg of a call, one that we called: its ear, its mouth, and what others hear of it."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from moonwire.call.context import Call
from moonwire.call.egress import Egress
from moonwire.call.snapshot import snapshot
from moonwire.errors import CallRefusedError
from moonwire.ports.directory import CallRecord
from moonwire.ports.legs import CallProgress, DialledLeg, LegEnd
from moonwire.spec import payloads
from moonwire.spec.payloads import CallSnapshot, CallStatus

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


def failed_status(sip_status: int) -> CallStatus:
    """Name a refusal of a call of ours as jambonz does. Source: jambonz feature-server 0.9.8, read 2026-11-22."""
    return {486: "busy", 600: "busy", 603: "busy", 487: "no-answer"}.get(sip_status, "failed")  # pyright: ignore[reportReturnType]


class Peer:
    """Implements ports.legs.LegListener and ports.media.AudioSource for the leg we called.

    Args:
        call: the caller's.
        from_: as whom we call.
        to: whom.
        tag: this leg's customerData; the caller's when None.
    """

    def __init__(self, call: Call, from_: str, to: str, tag: Mapping[str, Any] | None = None) -> None:
        self.sid = str(uuid.uuid4())
        self.ended: asyncio.Future[LegEnd] = asyncio.get_running_loop().create_future()
        self.digits: asyncio.Queue[str] = asyncio.Queue()
        self.on_digit_pressed: Callable[[str, int], None] | None = None
        """Takes the keys instead of the queue."""
        self.on_voice: Callable[[bytes], None] | None = None
        """Takes each frame of what the person says."""
        self.on_progress: Callable[[CallStatus], None] = lambda status: None
        self.muted = False
        self.leg: DialledLeg | None = None
        self.egress: Egress | None = None
        self.status: CallStatus = "trying"
        self.sip_status = 100
        self._call = call
        self._from, self._to, self._tag = from_, to, tag
        self.attempted_s = call.services.clock.utc_s()
        self.answered_s: float | None = None
        self._ending: asyncio.Task[None] | None = None

    def begin(self, leg: DialledLeg) -> None:
        """Take the leg as soon as the call is under way."""
        self.leg = leg
        self.egress = Egress(leg)
        leg.attach(self, self)
        self._call.peers[self.sid] = self
        self._report("trying", 100, "Trying")

    def progress(self, said: CallProgress) -> None:
        """Take word that it rings, or that audio comes already."""
        status: CallStatus = "early-media" if said.early_media else "ringing"
        if status != self.status and self.answered_s is None:
            self._report(status, said.status, said.phrase)
            self.on_progress(status)

    def answered(self) -> None:
        """Note the answer."""
        self.answered_s = self._call.services.clock.utc_s()
        self._report("in-progress", 200, "OK")

    def refused(self, refusal: CallRefusedError) -> None:
        """Note that there will be no answer."""
        end = LegEnd("moonwire" if refusal.reason in ("no-answer", "cancel") else "caller", refusal.reason)
        self._close(end, failed_status(refusal.status), refusal.status, refusal.phrase)

    async def hang_up(self) -> None:
        """End the leg, if it is up."""
        if self.leg is not None and not self.ended.done():
            await self.leg.hang_up()

    def give_up(self) -> None:
        """End the leg because somebody says so, also while it rings."""
        if self._ending is None:
            self._ending = asyncio.create_task(self.hang_up())

    def on_frame(self, frame: bytes) -> None:
        """Pass on what the person says."""
        if self.on_voice is not None and not self.muted:
            self.on_voice(frame)

    def on_digit(self, digit: str, duration_ms: int) -> None:
        """Take a key."""
        if self.on_digit_pressed is not None:
            self.on_digit_pressed(digit, duration_ms)
        else:
            self.digits.put_nowait(digit)

    def on_ended(self, end: LegEnd) -> None:
        """Note the end."""
        self._close(end, "completed", 200, "OK")

    def next_frame(self) -> bytes | None:
        """Give what the person shall hear."""
        return self.egress.next_frame() if self.egress is not None else None

    def on_played_out(self) -> None:
        """Take the transport's word that all has been heard."""
        if self.egress is not None:
            self.egress.on_played_out()

    def snapshot(self, sip_reason: str = "OK", end: LegEnd | None = None) -> CallSnapshot:
        """Return the leg as applications see it now."""
        caller, info = snapshot(self._call), self.leg.info if self.leg is not None else None
        return CallSnapshot(
            call_sid=self.sid,
            account_sid=caller.account_sid,
            direction="outbound",
            from_=self._from,
            to=self._to,
            call_id=info.call_id if info is not None else "",
            call_status=self.status,
            sip_status=self.sip_status,
            sip_reason=sip_reason,
            application_sid=caller.application_sid,
            trace_id=caller.trace_id,
            sip_address=caller.sip_address,
            public_ip=caller.public_ip,
            api_base_url=caller.api_base_url,
            parent_call_sid=caller.call_sid,
            call_termination_by=None if end is None else ("caller" if end.by == "caller" else "jambonz"),
            duration_s=0 if self.answered_s is None else round(self._call.services.clock.utc_s() - self.answered_s),
            customer_data=caller.customer_data if self._tag is None else self._tag,
        )

    def _report(self, status: CallStatus, sip_status: int, sip_reason: str, end: LegEnd | None = None) -> None:
        self.status, self.sip_status = status, sip_status
        self._call.note("peer", name=status, call_sid=self.sid, sip_status=sip_status, sip_reason=sip_reason)
        self._call.session.call_status(payloads.call_status(self.snapshot(sip_reason, end)))

    def _close(self, end: LegEnd, status: CallStatus, sip_status: int, sip_reason: str) -> None:
        if self.ended.done():
            return
        self.ended.set_result(end)
        self._call.peers.pop(self.sid, None)
        self._report(status, sip_status, sip_reason, end)
        if self.leg is None:
            return
        info, call = self.leg.info, self._call
        call.services.records.add(
            CallRecord(
                call_sid=self.sid,
                account_sid=call.application.account_sid,
                application_sid=call.application.sid or None,
                call_id=info.call_id,
                from_=self._from,
                to=self._to,
                direction="outbound",
                trunk=info.carrier,
                transport=info.transport,
                attempted_at=self.attempted_s,
                answered_at=self.answered_s,
                terminated_at=call.services.clock.utc_s(),
                sip_status=sip_status,
                termination_by=end.by,
                termination_reason=end.reason,
                remote_host=info.source_address,
                trace_id=call.trace_id,
            )
        )
