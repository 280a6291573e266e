"""Keeps the newest seconds of a call's audio and decides what a new connection must hear again."""

from __future__ import annotations

from collections import deque

from moonwire.core.audio.frames import FRAME_S, SAMPLE_RATE_HZ

_KEPT_S = 3.0
"""Deepgram works off at most 1.25 times real time: replaying more would delay the live words too long."""
_LEAD_FRAMES = 15
"""Quiet frames replayed before the first loud one."""
_CHUNK_FRAMES = 10

# A mu-law code holds the inverted magnitude in its low seven bits: small values are loud. 0x30 is about -26 dBFS.
_LOUD_CODES = bytes(code for code in range(256) if code & 0x7F < 0x30)
_LOUD_SHARE = 10


def is_loud(frame: bytes) -> bool:
    """Tell whether a tenth of the samples or more peak above about -26 dBFS: cheap evidence of speech."""
    return (len(frame) - len(frame.translate(None, _LOUD_CODES))) * _LOUD_SHARE >= len(frame) > 0


class AudioMemory:
    """The last 3 s of one call's audio with their place since the call's first frame."""

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque(maxlen=int(_KEPT_S / FRAME_S))
        self._end_samples = 0

    @property
    def end_s(self) -> float:
        """Seconds of audio taken so far."""
        return self._end_samples / SAMPLE_RATE_HZ

    def add(self, frame: bytes) -> None:
        """Take one frame."""
        self._frames.append(frame)
        self._end_samples += len(frame)

    def since(self, from_s: float) -> tuple[float, list[bytes]]:
        """Return where the replay begins and its audio in chunks of about 200 ms.

        Args:
            from_s: nothing before this place is wanted; quiet audio before the first loud frame is left out as well,
                but for a short lead.
        """
        frames = list(self._frames)
        start_samples = self._end_samples - sum(map(len, frames))
        while frames and start_samples / SAMPLE_RATE_HZ < from_s:
            start_samples += len(frames.pop(0))
        loud_at = next((index for index, frame in enumerate(frames) if is_loud(frame)), len(frames))
        for frame in frames[: max(0, loud_at - _LEAD_FRAMES)]:
            start_samples += len(frame)
        frames = frames[max(0, loud_at - _LEAD_FRAMES) :]
        chunks = [b"".join(frames[i : i + _CHUNK_FRAMES]) for i in range(0, len(frames), _CHUNK_FRAMES)]
        return start_samples / SAMPLE_RATE_HZ, chunks
