"""Is a call leg on one Twilio media stream: caller's audio in as it comes, agent's audio out slightly ahead of time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog

from moonwire.core.audio.frames import FRAME_BYTES, FRAME_S, SILENCE_FRAME
from moonwire.errors import CallError
from moonwire.ports.clock import Clock
from moonwire.ports.legs import LegEnd, LegInfo, LegListener
from moonwire.ports.media import AudioSource
from moonwire.transports.pacing import Pacer
from moonwire.transports.websocket.frames import CloseCode
from moonwire.transports.websocket.playout import PlayoutClock
from moonwire.transports.websocket.server import MediaSocket
from moonwire.transports.websocket.twilio_messages import (
    StreamDigit,
    StreamMark,
    StreamMessage,
    StreamStop,
    StreamWriter,
)

DIGIT_MS = 100
"""Twilio does not say how long a key was held."""
_GAP_TICKS = 5
"""After 100 ms without audio the caller is heard as silent, so that detectors do not wait for ever."""
_PING_TICKS = round(30 / FRAME_S)
_DEAD_TICKS = round(40 / FRAME_S)

_log = structlog.get_logger()


class TwilioLeg:
    """One call on one media socket (ports/legs.py, CallLeg)."""

    def __init__(self, info: LegInfo, socket: MediaSocket, writer: StreamWriter, pacer: Pacer, clock: Clock) -> None:
        self._info = info
        self._socket = socket
        self._writer = writer
        self._clock = clock
        self._listener: LegListener | None = None
        self._source: AudioSource | None = None
        self._end: LegEnd | None = None
        self._playout = PlayoutClock()
        self._rest = b""
        self._gap_ticks = 0
        self._idle_ticks = 0
        self._received = 0
        self._ticket = pacer.add(self._tick, self._fail)

    @property
    def info(self) -> LegInfo:
        """Who calls whom."""
        return self._info

    def attach(self, sink: LegListener, source: AudioSource) -> None:
        """Connect to a call; a leg that has ended meanwhile says so in the next turn of the loop."""
        self._listener = sink
        self._source = source
        if self._end is not None:
            asyncio.get_running_loop().call_soon(self._report_end)

    # The caller's audio

    def take(self, message: StreamMessage) -> None:
        """Take one message of the stream."""
        if isinstance(message, bytes):
            self._take_audio(message)
        elif isinstance(message, StreamMark):
            self._playout.mark_returned(message.name)
            self._check_played_out(self._clock.monotonic_s())
        elif isinstance(message, StreamDigit):
            if self._listener is not None:
                self._listener.on_digit(message.digit, DIGIT_MS)
        elif isinstance(message, StreamStop):
            self.finish(LegEnd("caller", "closed"))

    def _take_audio(self, audio: bytes) -> None:
        self._gap_ticks = 0
        listener = self._listener
        if listener is None:
            return
        if len(audio) == FRAME_BYTES and not self._rest:
            listener.on_frame(audio)
            return
        audio = self._rest + audio
        whole = len(audio) - len(audio) % FRAME_BYTES
        self._rest = audio[whole:]
        for start in range(0, whole, FRAME_BYTES):
            listener.on_frame(audio[start : start + FRAME_BYTES])

    # The agent's audio

    def wake(self) -> None:
        """Send what the source has, at once, up to 100 ms ahead."""
        self._fill(self._clock.monotonic_s())

    def unheard_frames(self) -> int:
        """Count frames sent ahead."""
        return self._playout.unheard_frames(self._clock.monotonic_s())

    def clear(self) -> int:
        """Make the far end drop what it has not played."""
        if not self._playout.playing:
            return 0
        self._socket.write(self._writer.clear())
        return self._playout.clear(self._clock.monotonic_s())

    def send_digits(self, digits: str, duration_ms: int) -> None:
        """Do nothing: a media stream carries no digits towards the caller."""

    def _fill(self, now_s: float) -> None:
        source = self._source
        if source is None or self._end is not None or self._socket.congested:
            return
        frames: list[bytes] = []
        for _ in range(self._playout.room(now_s)):
            frame = source.next_frame()
            if frame is None:
                break
            frames.append(self._writer.media(frame))
        if frames:
            self._playout.sent(len(frames), now_s)
            self._socket.write(frames[0] if len(frames) == 1 else b"".join(frames))

    def _check_played_out(self, now_s: float) -> None:
        if self._playout.played_out(now_s) and self._source is not None:
            self._source.on_played_out()

    def _tick(self) -> None:
        now_s = self._clock.monotonic_s()
        self._fill(now_s)
        if self._playout.playing:
            mark = self._playout.mark_due(now_s)
            if mark is not None:
                self._socket.write(self._writer.mark(mark))
            self._check_played_out(now_s)
        self._gap_ticks += 1
        if self._gap_ticks > _GAP_TICKS and self._listener is not None:
            self._listener.on_frame(SILENCE_FRAME)
        self._watch_peer()

    def _watch_peer(self) -> None:
        if self._socket.received != self._received:
            self._received = self._socket.received
            self._idle_ticks = 0
            return
        self._idle_ticks += 1
        if self._idle_ticks == _PING_TICKS:
            self._socket.ping()
        elif self._idle_ticks == _DEAD_TICKS:
            self.finish(LegEnd("caller", "no-media"), 1001)

    def _fail(self, error: Exception) -> None:
        _log.error("media stream failed", call_id=self._info.call_id, exc_info=error)
        self.finish(LegEnd("moonwire", "media-failed", 500), 1011)

    # Signalling

    async def ring(self) -> None:
        """Do nothing: whoever opened the stream hears the carrier's ringing."""

    async def answer(self) -> None:
        """Do nothing, a media stream is answered when it opens.

        Raises:
            CallError: the caller has gone in the meantime.
        """
        if self._end is not None:
            raise CallError("the media stream is closed", reason=self._end.reason)

    async def reject(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        """Close the stream, with the SIP status and reason as close reason."""
        self.finish(LegEnd("moonwire", "rejected", status), 1008, f"{status} {reason}")

    async def hang_up(self, headers: Mapping[str, str] | None = None) -> None:
        """Close the stream."""
        self.finish(LegEnd("moonwire", "hangup"), 1000)

    def finish(self, end: LegEnd, code: CloseCode = 1000, reason: str = "") -> None:
        """End the leg; only the first end counts, and it is reported once."""
        if self._end is not None:
            return
        self._end = end
        self._ticket.cancel()
        self._socket.close(code, reason)
        self._report_end()

    def _report_end(self) -> None:
        listener, self._listener, self._source = self._listener, None, None
        if listener is not None and self._end is not None:
            listener.on_ended(self._end)
