"""Decides which 20 ms of received audio come next: puts packets in order by their timestamps, says where a gap is.

The reader is a recogniser, not a loudspeaker, so the buffer starts without any prefill, and delay that has piled up
is worked off by handing out an extra frame, never by throwing words away. Time is counted in pops, one per 20 ms.

Positions are sample counts on one unbounded line; RTP timestamps (32 bits, any origin) are mapped onto it, and a new
SSRC or a jump of the timestamps only moves the mapping: audio already queued is still heard, the new stream follows.

An empty buffer and a gap are different things. When nothing is there at all, a pop inserts time: what comes late is
still played, just later, so one slow packet does not make all its successors late. When later audio is there already,
a missing packet is lost and its time passes.
"""

from __future__ import annotations

from collections import deque

from moonwire.core.audio.frames import FRAME_BYTES, SILENCE_BYTE
from moonwire.core.rtp.packet import signed_difference

MAX_QUEUED_FRAMES = 50
"""Audio beyond one second is dropped, oldest first."""
_MAX_QUEUED_SAMPLES = MAX_QUEUED_FRAMES * FRAME_BYTES
_MAX_QUEUED_PACKETS = 2 * MAX_QUEUED_FRAMES
_MAX_STEP_BACK = 8000
_MAX_STEP_AHEAD = 8000 * 60
_MAX_GAP = 10 * FRAME_BYTES
"""A longer gap with audio behind it is a jump of the sender's clock, not a loss; nobody waits for it."""
_WINDOW_POPS = 50
_SPARE_FRAMES = 1
"""Frames that may stay queued after each pop, as cover against jitter."""
_BACKLOG_FRAMES = 12
"""From here on the backlog is worked off at double speed."""
_MAX_OWED_WAITS = 3


class JitterBuffer:
    """One stream's received audio, in mu-law (one byte is one sample is one timestamp unit)."""

    __slots__ = (
        "_lowest",
        "_next",
        "_owed_waits",
        "_pops",
        "_queue",
        "_reference_position",
        "_reference_timestamp",
        "_ssrc",
        "_starved",
        "late",
    )

    def __init__(self) -> None:
        self._queue: deque[tuple[int, bytes]] = deque()
        self._next = 0
        self._ssrc: int | None = None
        self._reference_timestamp = 0
        self._reference_position = 0
        self._starved = True
        self._owed_waits = 0
        self._pops = 0
        self._lowest = MAX_QUEUED_FRAMES
        self.late = 0
        """Packets that came after their time."""

    def push(self, timestamp: int, ssrc: int, payload: bytes) -> None:
        """Take one packet's samples; duplicates and packets that come too late are dropped."""
        queue = self._queue
        position = self._position_of(timestamp, ssrc)
        if position + len(payload) <= self._next:
            self.late += 1
            self._owed_waits = min(self._owed_waits + 1, _MAX_OWED_WAITS)
            return
        if self._starved:
            self._starved = False
            if not queue and not self._owed_waits:
                # The time that was inserted was this gap's time.
                self._next = max(self._next, position)
        if not queue or position > queue[-1][0]:
            queue.append((position, payload))
        else:
            self._insert(position, payload)
        while queue[-1][0] - queue[0][0] > _MAX_QUEUED_SAMPLES or len(queue) > _MAX_QUEUED_PACKETS:
            queue.popleft()
            self._next = max(self._next, queue[0][0])

    def _position_of(self, timestamp: int, ssrc: int) -> int:
        step = signed_difference(timestamp, self._reference_timestamp)
        if ssrc != self._ssrc or not -_MAX_STEP_BACK <= step <= _MAX_STEP_AHEAD:
            self._ssrc = ssrc
            position = self._end()
        else:
            position = self._reference_position + step
        self._reference_timestamp = timestamp
        self._reference_position = position
        return position

    def _end(self) -> int:
        if not self._queue:
            return self._next
        position, payload = self._queue[-1]
        return max(self._next, position + len(payload))

    def _insert(self, position: int, payload: bytes) -> None:
        queue = self._queue
        index = len(queue)
        while index and queue[index - 1][0] > position:
            index -= 1
        if not index or queue[index - 1][0] != position:
            queue.insert(index, (position, payload))

    def pop(self) -> bytes | None:
        """Return the next 160 bytes, or None when they are missing and must be concealed."""
        queue = self._queue
        if not queue:
            self._starved = True
            self._lowest = 0
            return None
        position, payload = queue[0]
        if position == self._next and len(payload) == FRAME_BYTES:
            queue.popleft()
            self._next = position + FRAME_BYTES
            return payload
        return self._assemble()

    def surplus(self) -> bool:
        """Say, once after each pop, whether one more frame should be popped now to shorten the delay."""
        depth = (self._end() - self._next) // FRAME_BYTES
        self._lowest = min(self._lowest, depth)
        self._pops += 1
        if self._pops < _WINDOW_POPS:
            return depth > _BACKLOG_FRAMES
        excess = self._lowest > _SPARE_FRAMES
        self._pops = 0
        self._lowest = MAX_QUEUED_FRAMES
        return excess or depth > _BACKLOG_FRAMES

    def _assemble(self) -> bytes | None:
        """Build a frame from packets of any length; leave a last, incomplete piece until its successor is there."""
        queue = self._queue
        gap = queue[0][0] - self._next
        if gap > _MAX_GAP:
            self._next += gap
            gap = 0
        if gap > 0 and self._owed_waits:
            # Packets have come out of order before: give the missing one another 20 ms, and keep that delay.
            self._owed_waits -= 1
            return None
        if self._end() - self._next < FRAME_BYTES:
            self._starved = True
            self._lowest = 0
            return None
        if gap >= FRAME_BYTES:
            self._next += FRAME_BYTES
            return None
        frame = bytearray()
        end = self._next + FRAME_BYTES
        while len(frame) < FRAME_BYTES:
            position, payload = queue[0]
            offset = self._next - position
            if offset < 0:
                piece = bytes([SILENCE_BYTE]) * min(-offset, end - self._next)
            else:
                piece = payload[offset : offset + end - self._next]
            frame += piece
            self._next += len(piece)
            if offset + len(piece) >= len(payload):
                queue.popleft()
        return bytes(frame)
