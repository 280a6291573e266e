"""A SIP call as the engine sees it: the CallLeg port over signalling and RTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from moonwire.ports.legs import LegEnd, LegInfo, LegListener
from moonwire.ports.media import AudioSource
from moonwire.transports.sip.media import CallMedia
from moonwire.transports.sip.referral import Referral


class CallControl(Protocol):
    """The signalling of one call, inbound or outbound; nothing here waits."""

    def report_to(self, report: Callable[[LegEnd], None]) -> None:
        """Say who hears of the end."""
        ...

    def ring(self) -> None:
        """Say that it rings."""
        ...

    def begin_early_media(self) -> None:
        """Let audio flow before the answer."""
        ...

    def answer(self) -> None:
        """Take the call."""
        ...

    def reject(self, status: int, reason: str, headers: Mapping[str, str] | None) -> None:
        """Refuse the call."""
        ...

    def hang_up(self, headers: Mapping[str, str] | None) -> None:
        """End the call."""
        ...

    def refer(self, target: str, headers: Mapping[str, str]) -> Referral:
        """Ask the other side to call somebody else.

        Raises:
            CallError: the call is not up.
        """
        ...


class SipLeg:
    """One SIP dialog with its audio (ports.legs.CallLeg)."""

    def __init__(self, info: LegInfo, control: CallControl, media: CallMedia) -> None:
        self._info = info
        self._control = control
        self._media = media
        self._listener: LegListener | None = None
        self._end: LegEnd | None = None
        self._told = False
        control.report_to(self._ended)

    @property
    def info(self) -> LegInfo:
        """Who calls whom."""
        return self._info

    def attach(self, sink: LegListener, source: AudioSource) -> None:
        """Connect the leg to a call; an end that came before is reported at once."""
        self._listener = sink
        self._media.attach(sink, source)
        self._tell()

    async def ring(self) -> None:
        """Send 180."""
        self._control.ring()

    def begin_early_media(self) -> None:
        """Send 183 and let audio flow before the answer."""
        self._control.begin_early_media()

    async def answer(self) -> None:
        """Send 200 and let audio flow.

        Raises:
            CallError: the caller has gone in the meantime.
        """
        self._control.answer()

    async def reject(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        """Refuse an unanswered call."""
        self._control.reject(status, reason, headers)

    async def hang_up(self, headers: Mapping[str, str] | None = None) -> None:
        """End the call; BYE is sent at once, or as soon as the caller has acknowledged our 200."""
        self._control.hang_up(headers)

    async def refer(
        self, target: str, headers: Mapping[str, str] | None = None, on_news: Callable[[int], None] | None = None
    ) -> int:
        """Ask the other side to call somebody else; return the final SIP status of that call.

        Raises:
            CallRefusedError: the other side does not do that.
            CallError: the call is not up.
        """
        referral = self._control.refer(target, headers or {})
        referral.on_news = on_news
        return await asyncio.shield(referral.outcome)

    def send_digits(self, digits: str, duration_ms: int) -> None:
        """Send DTMF as telephone events."""
        self._media.rtp.send_digits(digits, duration_ms)

    def wake(self) -> None:
        """Say that the source has frames again."""
        self._media.rtp.wake()

    def unheard_frames(self) -> int:
        """Count frames handed over but not played; RTP is paced in real time."""
        return self._media.rtp.unheard_frames()

    def clear(self) -> int:
        """Drop frames handed over but not played."""
        return self._media.rtp.clear()

    def _ended(self, end: LegEnd) -> None:
        self._end = end
        self._tell()

    def _tell(self) -> None:
        if self._end is not None and self._listener is not None and not self._told:
            self._told = True
            self._listener.on_ended(self._end)
