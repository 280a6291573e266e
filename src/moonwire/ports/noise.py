"""What a call asks of noise suppression: frames in by plain calls, the same frames out without the noise, in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class NoiseWish:
    """What an application asks for."""

    engine: str
    """`krisp`, `rnnoise`, `webrtc`, or a name that this server does not know."""
    level: float = 100.0
    """0 to 100: how much of the noise goes."""


class NoiseListener(Protocol):
    """Takes a stream's results, on the event loop."""

    def on_clean(self, frame: bytes) -> None:
        """Take the next frame without its noise: one for each frame pushed, in order, perhaps within `push`."""
        ...

    def on_noise_failed(self, reason: str) -> None:
        """Hear that the engine has given up: what was pushed and is not back will not come."""
        ...


class NoiseStream(Protocol):
    """One direction of one call."""

    @property
    def engine(self) -> str:
        """Who does the work, as shown in events."""
        ...

    @property
    def substituted(self) -> str:
        """Why it is not the engine that was asked for; empty when it is."""
        ...

    @property
    def frames(self) -> int:
        """Frames cleaned so far."""
        ...

    @property
    def cpu_s(self) -> float:
        """CPU time that took."""
        ...

    def push(self, frame: bytes) -> None:
        """Take 20 ms of mu-law; never blocks."""
        ...

    def close(self) -> None:
        """Let go; nothing comes back any more."""
        ...


class NoiseSuppression(Protocol):
    """The process's engines."""

    def open(self, wish: NoiseWish, listener: NoiseListener, *, at_once: bool = False) -> NoiseStream | None:
        """Begin to clean a stream, with the engine asked for or the nearest there is; None without any.

        Args:
            wish: what is asked for.
            listener: takes the results.
            at_once: each frame must be back before `push` returns.
        """
        ...
