"""Finds speech in audio by its energy and says, on the audio's own clock, when a recogniser would speak up; pure.

Each connection has one. All times are seconds of audio received on the connection, never wall clock, so that a script
gives the same results however fast its audio arrives.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from moonwire.core.audio.g711 import ALAW_TO_ULAW, ULAW_TO_PCM
from moonwire.sandbox.deepgram.handshake import ListenOptions

Samples = NDArray[np.float32]

STEP_S: Final = 0.02
_VOICED_DBFS: Final = -42.0
_ONSET_STEPS: Final = 2
_PREROLL_STEPS: Final = 3


@dataclass(frozen=True, slots=True)
class Onset:
    """A burst of speech began."""

    at_s: float


@dataclass(frozen=True, slots=True)
class Progress:
    """Interim words are due."""

    at_s: float


@dataclass(frozen=True, slots=True)
class Settle:
    """The burst is long: the words so far are due as a final piece."""

    at_s: float


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The silence after the burst has lasted `endpointing`."""

    at_s: float


@dataclass(frozen=True, slots=True)
class WordGap:
    """No speech for `utterance_end_ms`."""

    at_s: float


@dataclass(frozen=True, slots=True)
class Quiet:
    """A stretch without speech is over; a recogniser reports an empty final piece for it."""

    at_s: float


Mark = Onset | Progress | Settle | Endpoint | WordGap | Quiet


@dataclass(slots=True)
class Burst:
    """One stretch of speech up to the endpoint, pauses included."""

    start_s: float
    voiced_until_s: float
    audio: Samples
    """From `start_s` on, at the connection's rate."""
    rate_hz: int

    @property
    def voiced_s(self) -> float:
        """Seconds from the burst's first to its last sound so far."""
        return self.voiced_until_s - self.start_s


class Segmenter:
    """One connection's speech detector.

    Args:
        options: endpointing and UtteranceEnd times, encoding and rate.
        interim_s: audio between two interims.
        settle_s: a burst longer than this is settled in pieces of this length.
        quiet_s: silence between two empty final pieces.
    """

    def __init__(self, options: ListenOptions, *, interim_s: float, settle_s: float, quiet_s: float = 5.0) -> None:
        self._rate_hz = options.sample_rate_hz
        self._encoding = options.encoding
        self._endpoint_s = None if options.endpointing_ms is None else max(options.endpointing_ms / 1000, STEP_S)
        self._gap_s = None if options.utterance_end_ms is None else options.utterance_end_ms / 1000
        self._interim_s, self._settle_s, self._quiet_s = interim_s, settle_s, quiet_s
        self._step_samples = round(self._rate_hz * STEP_S)
        self._left = b""
        self._steps = 0
        self._voiced_run = 0
        self._recent: list[Samples] = []
        self._pieces: list[Samples] = []
        self._burst: tuple[float, float] | None = None
        self._last_voice_s: float | None = None
        self._next_interim_s = self._next_settle_s = 0.0
        self._next_quiet_s = quiet_s

    @property
    def now_s(self) -> float:
        """Seconds of audio judged so far."""
        return self._steps * STEP_S

    @property
    def burst(self) -> Burst | None:
        """The burst that is open now."""
        if self._burst is None:
            return None
        return Burst(self._burst[0], self._burst[1], np.concatenate(self._pieces), self._rate_hz)

    @property
    def voiced(self) -> bool:
        """Whether the newest audio is speech."""
        return self._voiced_run > 0

    def take(self, audio: bytes) -> Iterator[Mark]:
        """Take audio of any length in the connection's encoding and yield marks at their place in it.

        The taker of an Endpoint must call `close_burst` before it goes on.
        """
        samples = self._decode(self._left + audio)
        for index in range(0, len(samples), self._step_samples):
            yield from self._step(samples[index : index + self._step_samples])

    def close_burst(self) -> None:
        """Forget the burst that an Endpoint ended."""
        self._burst = None
        self._pieces = []

    def _decode(self, audio: bytes) -> Samples:
        width = 2 if self._encoding == "linear16" else 1
        used = len(audio) - len(audio) % (width * self._step_samples)
        self._left = audio[used:]
        if width == 2:
            return (np.frombuffer(audio[:used], dtype="<i2") / 32768).astype(np.float32)
        return (ULAW if self._encoding == "mulaw" else ALAW)[np.frombuffer(audio[:used], dtype=np.uint8)]

    def _step(self, samples: Samples) -> Iterator[Mark]:
        self._steps += 1
        voiced = level_dbfs(samples) > _VOICED_DBFS
        self._voiced_run = self._voiced_run + 1 if voiced else 0
        if self._burst is None:
            yield from self._before_burst(samples)
        else:
            self._pieces.append(samples)
            yield from self._in_burst(self._burst[0], voiced)
        gap_s = self._gap_s
        if gap_s is not None and self._last_voice_s is not None and self.now_s - self._last_voice_s >= gap_s - 1e-9:
            self._last_voice_s = None
            yield WordGap(self.now_s)

    def _before_burst(self, samples: Samples) -> Iterator[Mark]:
        self._recent = [*self._recent[-_PREROLL_STEPS:], samples]
        if self._voiced_run >= _ONSET_STEPS:
            self._pieces, self._recent = self._recent, []
            self._burst = (self.now_s - len(self._pieces) * STEP_S, self.now_s)
            self._last_voice_s = self.now_s
            self._next_interim_s = self.now_s + self._interim_s
            self._next_settle_s = self.now_s + self._settle_s
            yield Onset(self.now_s)
        elif self.now_s >= self._next_quiet_s:
            self._next_quiet_s = self.now_s + self._quiet_s
            yield Quiet(self.now_s)

    def _in_burst(self, start_s: float, voiced: bool) -> Iterator[Mark]:
        now_s = self.now_s
        if voiced:
            self._last_voice_s = now_s
            self._burst = (start_s, now_s)
        silent_s = now_s - (self._burst[1] if self._burst else now_s)
        if self._endpoint_s is not None and silent_s >= self._endpoint_s - 1e-9:
            self._next_quiet_s = now_s + self._quiet_s
            yield Endpoint(now_s)
        elif now_s >= self._next_settle_s:
            self._next_settle_s = now_s + self._settle_s
            self._next_interim_s = now_s + self._interim_s
            yield Settle(now_s)
        elif now_s >= self._next_interim_s:
            self._next_interim_s = now_s + self._interim_s
            yield Progress(now_s)


def level_dbfs(samples: Samples) -> float:
    """Return the level of samples in -1..1, a full-scale square wave being 0 dBFS."""
    return float(10 * np.log10(np.mean(np.square(samples)) + 1e-12))


ULAW: Final[Samples] = (ULAW_TO_PCM / 32768).astype(np.float32)
ALAW: Final[Samples] = ULAW[np.frombuffer(ALAW_TO_ULAW, np.uint8)]
"""Codes to samples in -1..1."""
