"""Changes the sample rate of speech with a short polyphase filter: about 1 ms of delay, good enough for telephony.

For prompts, browser audio and acoustic models. The telephone path itself is never resampled (docs/adr/0002).
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

_HALF_WIDTH = 8
"""Filter half-length in samples of the lower rate: 1 ms at 8 kHz."""
_CUTOFF = 0.86
"""Share of the lower rate's band that passes; the rest is the slope down to silence."""
_KAISER_BETA = 5.0
_MAX_PHASES = 4096
_BLOCK_SAMPLES = 16384
"""A long recording is worked on in pieces: each output needs a window of its own in memory."""


def _prototype(up: int, down: int) -> NDArray[np.float32]:
    """Return the low-pass filter at the common rate, gain `up`, odd length."""
    slower = max(up, down)
    half = _HALF_WIDTH * slower
    at = np.arange(-half, half + 1, dtype=np.float64)
    taps = np.sinc(at * _CUTOFF / slower) * np.kaiser(2 * half + 1, _KAISER_BETA)
    return (taps * (up / taps.sum())).astype(np.float32)


@lru_cache(maxsize=32)
def _phases(up: int, down: int) -> NDArray[np.float32]:
    """Return the filter by phase: row p holds every up-th tap from p on, turned round to lie on samples in order."""
    taps = _prototype(up, down)
    width = -(-len(taps) // up)
    padded = np.zeros(width * up, dtype=np.float32)
    padded[: len(taps)] = taps
    return np.ascontiguousarray(padded.reshape(width, up).T[:, ::-1])


class Resampler:
    """One direction of one stream, block by block."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        """Prepare the filter.

        Raises:
            ValueError: the rates are not positive, or have no small common ratio.
        """
        if from_hz <= 0 or to_hz <= 0:
            raise ValueError(f"cannot resample from {from_hz} to {to_hz} Hz")
        common = math.gcd(from_hz, to_hz)
        self._up, self._down = to_hz // common, from_hz // common
        if max(self._up, self._down) > _MAX_PHASES:
            raise ValueError(f"cannot resample from {from_hz} to {to_hz} Hz")
        self._phases = _phases(self._up, self._down)
        self._width = self._phases.shape[1]
        self._history = np.zeros(self._width - 1, dtype=np.float32)
        self._ahead = 0
        self.delay_samples = _HALF_WIDTH * max(self._up, self._down) / self._down
        """Delay in samples of the output."""

    def process(self, samples: Samples) -> Samples:
        """Take any number of samples; return those that are complete now."""
        if self._up == self._down:
            return samples
        line = np.concatenate((self._history, samples.astype(np.float32)))
        # Outputs lie `down` steps apart, a step being 1/up of an input sample; `ahead` is where the next one lies.
        steps = np.arange(self._ahead, len(samples) * self._up, self._down)
        self._ahead += len(steps) * self._down - len(samples) * self._up
        self._history = line[len(line) - (self._width - 1) :]
        if not len(steps):
            return np.zeros(0, dtype=np.int16)
        if self._down == 1:
            mixed = (_windows(line, len(samples), self._width, 1) @ self._phases.T).ravel()
        elif self._up == 1:
            mixed = _windows(line[steps[0] :], len(steps), self._width, self._down) @ self._phases[0]
        else:
            windows = _windows(line, len(samples), self._width, 1)
            mixed = np.einsum("nk,nk->n", windows[steps // self._up], self._phases[steps % self._up])
        return np.clip(np.rint(mixed), -32768, 32767).astype(np.int16)


def _windows(line: NDArray[np.float32], count: int, width: int, step: int) -> NDArray[np.float32]:
    """Return `count` overlapping pieces of a line, `step` samples apart, without copying them."""
    size = line.itemsize
    return np.lib.stride_tricks.as_strided(line, (count, width), (step * size, size), writeable=False)


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """Change a whole recording's rate, without delay.

    Raises:
        ValueError: as `Resampler`.
    """
    if from_hz == to_hz:
        return samples
    resampler = Resampler(from_hz, to_hz)
    wanted = len(samples) * to_hz // from_hz
    skip = round(resampler.delay_samples)
    tail = np.zeros((skip + 2) * max(1, -(-from_hz // to_hz)), dtype=np.int16)
    padded = np.concatenate((samples, tail))
    blocks = [resampler.process(padded[at : at + _BLOCK_SAMPLES]) for at in range(0, len(padded), _BLOCK_SAMPLES)]
    return np.concatenate(blocks)[skip : skip + wanted]
