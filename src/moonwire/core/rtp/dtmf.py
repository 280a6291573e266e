"""Translates digits to and from telephone events (RFC 4733): each key press is reported once."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from struct import Struct

from moonwire.core.audio.frames import FRAME_BYTES
from moonwire.core.rtp.packet import signed_difference

DIGITS = "0123456789*#ABCD"
"""Event codes 0 to 15 (RFC 4733 section 3.2)."""

_EVENT = Struct("!BBH")
_END = 0x80
_VOLUME = 10
_LOST_END_TICKS = 10
"""A press whose end packets are all lost counts as over 200 ms after its last packet."""
_END_PACKETS = 3
_PAUSE_TICKS = 3
"""Silence between two digits: 60 ms, above the 40 ms that receivers need (ITU-T Q.24)."""
_OLD_SAMPLES = 8000 * 5
_MAX_WAITING = 64


@dataclass(frozen=True, slots=True)
class KeyPress:
    """One digit, with how long the key was held."""

    digit: str
    duration_ms: int


class DtmfReceiver:
    """One stream's incoming events, told apart by their RTP timestamps."""

    __slots__ = ("_duration", "_event", "_quiet_ticks", "_reported", "_ssrc", "_timestamp", "pending")

    def __init__(self) -> None:
        self.pending = False
        """A key is held: `on_tick` must be called every 20 ms."""
        self._reported = False
        self._ssrc = 0
        self._timestamp = 0
        self._event = 0
        self._duration = 0
        self._quiet_ticks = 0

    def push(self, timestamp: int, ssrc: int, payload: bytes) -> list[KeyPress]:
        """Take one event packet; return the presses that are complete now: none, one, or (an end was lost) two."""
        if len(payload) < _EVENT.size:
            return []
        event, flags, duration = _EVENT.unpack_from(payload)
        if event >= len(DIGITS):
            return []
        presses: list[KeyPress] = []
        if self._is_new(timestamp, ssrc):
            if self.pending:
                presses.append(self._report())
            self._timestamp, self._ssrc, self._event, self._duration = timestamp, ssrc, event, 0
            self.pending, self._reported = True, False
        elif timestamp != self._timestamp or self._reported:
            return presses
        self._quiet_ticks = 0
        self._duration = max(self._duration, duration)
        if flags & _END:
            presses.append(self._report())
        return presses

    def _is_new(self, timestamp: int, ssrc: int) -> bool:
        if not self.pending and not self._reported:
            return True
        if ssrc != self._ssrc:
            return True
        step = signed_difference(timestamp, self._timestamp)
        return step > 0 or step < -_OLD_SAMPLES

    def on_tick(self) -> KeyPress | None:
        """Let 20 ms pass; return a press whose end was lost."""
        self._quiet_ticks += 1
        if self.pending and self._quiet_ticks >= _LOST_END_TICKS:
            return self._report()
        return None

    def _report(self) -> KeyPress:
        self.pending, self._reported = False, True
        return KeyPress(DIGITS[self._event], self._duration // 8)


@dataclass(frozen=True, slots=True)
class EventPacket:
    """One event packet to send now; its timestamp is that of the key press's begin."""

    payload: bytes
    marker: bool
    timestamp: int


class DtmfSender:
    """Digits to send, one packet per 20 ms; audio must be left out meanwhile."""

    __slots__ = ("_begin", "_ends_left", "_event", "_pause_ticks", "_samples_left", "_samples_sent", "_waiting")

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, int]] = deque(maxlen=_MAX_WAITING)
        self._event = -1
        self._begin = 0
        self._samples_left = 0
        self._samples_sent = 0
        self._ends_left = 0
        self._pause_ticks = 0

    def send(self, digits: str, duration_ms: int) -> None:
        """Queue digits (0-9 * # A-D, anything else is left out), each held for `duration_ms` of 40 to 8000 ms."""
        held_ms = min(max(duration_ms, 40), 8000)
        for digit in digits.upper():
            event = DIGITS.find(digit)
            if event >= 0:
                self._waiting.append((event, held_ms * 8))

    @property
    def busy(self) -> bool:
        """Say whether `next_packet` must be called instead of sending audio."""
        return bool(self._waiting) or self._event >= 0 or self._pause_ticks > 0

    def next_packet(self, timestamp: int) -> EventPacket | None:
        """Return the packet of this 20 ms, None in the pause between digits; `timestamp` is that of the audio."""
        if self._pause_ticks:
            self._pause_ticks -= 1
            return None
        marker = False
        if self._event < 0:
            if not self._waiting:
                return None
            self._event, self._samples_left = self._waiting.popleft()
            self._begin, self._samples_sent, self._ends_left = timestamp, 0, _END_PACKETS
            marker = True
        step = min(FRAME_BYTES, self._samples_left)
        self._samples_left -= step
        self._samples_sent += step
        flags = _VOLUME if self._samples_left else _END | _VOLUME
        packet = EventPacket(_EVENT.pack(self._event, flags, self._samples_sent), marker, self._begin)
        if not self._samples_left:
            self._ends_left -= 1
            if not self._ends_left:
                self._event = -1
                self._pause_ticks = _PAUSE_TICKS
        return packet
