"""Decides for many calls at once when voice begins and ends; holds every call's state in a few arrays.

The arrays have one row per call (slot). A batch holds at most one window per slot; the model runs for those windows
that the energy gate lets through:

- after 10 windows in a row below -50 dBFS the model is not run and the probability is 0; its state stays frozen, and
  the samples that precede the waking window are kept as its context. (A state zeroed at the wake would delay the
  onset by 40 ms and more.)
- under overload the gate closes after 2 windows below -40 dBFS, for calls in which no voice is going on.

Voice begins with two windows in a row at 0.5 or more, at the first one's first sample; it ends with 192 ms below 0.35,
at the first sample of that silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from moonwire.core.audio.g711 import ULAW_TO_PCM
from moonwire.vendors.vad.silero.model import CONTEXT_SAMPLES, STATE_UNITS, WINDOW_SAMPLES, Floats, SileroModel

ENTER: Final = 0.5
LEAVE: Final = 0.35
ENTER_WINDOWS: Final = 2
LEAVE_WINDOWS: Final = 6
MAX_BATCH: Final = 64
"""More brings no throughput, only latency."""

_GATE_WINDOWS: Final = 10
_GATE_POWER: Final = 10 ** (-50 / 10)
_OVERLOAD_GATE_WINDOWS: Final = 2
_OVERLOAD_GATE_POWER: Final = 10 ** (-40 / 10)

_DECODE: Final[Floats] = (ULAW_TO_PCM / 32768).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Change:
    """Voice began or ended in a slot; `back_samples` before the end of the slot's newest window in the batch."""

    index: int
    """Place in the batch."""
    voice: bool
    back_samples: int


class Arena:
    """State of all calls; not safe for use by two threads at once.

    Args:
        model: shared by all calls.
        slots: rows to begin with; grows when needed.
    """

    def __init__(self, model: SileroModel, slots: int = 16) -> None:
        self._model = model
        self._context: Floats = np.zeros((slots, CONTEXT_SAMPLES), np.float32)
        self._state: Floats = np.zeros((2, slots, STATE_UNITS), np.float32)
        self._quiet: NDArray[np.int32] = np.zeros(slots, np.int32)
        self._voiced: NDArray[np.int32] = np.zeros(slots, np.int32)
        self._silent: NDArray[np.int32] = np.zeros(slots, np.int32)
        self._voice: NDArray[np.bool_] = np.zeros(slots, np.bool_)
        self.probability: Floats = np.zeros(slots, np.float32)
        """Newest probability by slot."""

    def clear(self, slot: int) -> None:
        """Give a slot to a new call."""
        while slot >= len(self._quiet):
            self._grow()
        self._context[slot] = 0
        self._state[:, slot] = 0
        for column in (self._quiet, self._voiced, self._silent, self._voice, self.probability):
            column[slot] = 0

    def run(
        self, slots: Sequence[int], windows: Sequence[bytes], *, overload: bool = False
    ) -> tuple[list[Change], int]:
        """Judge one window for each of some slots.

        Args:
            slots: each at most once.
            windows: 256 mu-law samples each.
            overload: close the gate sooner.

        Returns:
            What changed, and for how many windows the model was run.
        """
        rows = np.array(slots, np.intp)
        samples = _DECODE[np.frombuffer(b"".join(windows), np.uint8)].reshape(-1, WINDOW_SAMPLES)
        awake = np.flatnonzero(self._awake(rows, samples, overload))
        probability = np.zeros(len(rows), np.float32)
        for start in range(0, len(awake), MAX_BATCH):
            chosen = awake[start : start + MAX_BATCH]
            chosen_rows = rows[chosen]
            inputs = np.concatenate((self._context[chosen_rows], samples[chosen]), axis=1)
            probability[chosen], self._state[:, chosen_rows] = self._model.run(inputs, self._state[:, chosen_rows])
        self._context[rows] = samples[:, -CONTEXT_SAMPLES:]
        self.probability[rows] = probability
        return self._judge(rows, probability), len(awake)

    def _awake(self, rows: NDArray[np.intp], samples: Floats, overload: bool) -> NDArray[np.bool_]:
        power = np.einsum("ij,ij->i", samples, samples) / WINDOW_SAMPLES
        limit = _OVERLOAD_GATE_POWER if overload else _GATE_POWER
        quiet = np.where(power < limit, self._quiet[rows] + 1, 0)
        self._quiet[rows] = quiet
        if not overload:
            return quiet <= _GATE_WINDOWS
        return (quiet <= _OVERLOAD_GATE_WINDOWS) | (self._voice[rows] & (quiet <= _GATE_WINDOWS))

    def _judge(self, rows: NDArray[np.intp], probability: Floats) -> list[Change]:
        voice = self._voice[rows]
        voiced = np.where(probability >= ENTER, self._voiced[rows] + 1, 0)
        silent = np.where(probability < LEAVE, self._silent[rows] + 1, 0)
        begins = ~voice & (voiced >= ENTER_WINDOWS)
        ends = voice & (silent >= LEAVE_WINDOWS)
        self._voiced[rows] = voiced
        self._silent[rows] = silent
        if not (begins.any() or ends.any()):
            return []
        self._voice[rows] = (voice | begins) & ~ends
        return [Change(int(i), True, ENTER_WINDOWS * WINDOW_SAMPLES) for i in np.flatnonzero(begins)] + [
            Change(int(i), False, LEAVE_WINDOWS * WINDOW_SAMPLES) for i in np.flatnonzero(ends)
        ]

    def _grow(self) -> None:
        self._context = np.concatenate((self._context, np.zeros_like(self._context)))
        self._state = np.concatenate((self._state, np.zeros_like(self._state)), axis=1)
        self._quiet = np.concatenate((self._quiet, np.zeros_like(self._quiet)))
        self._voiced = np.concatenate((self._voiced, np.zeros_like(self._voiced)))
        self._silent = np.concatenate((self._silent, np.zeros_like(self._silent)))
        self._voice = np.concatenate((self._voice, np.zeros_like(self._voice)))
        self.probability = np.concatenate((self.probability, np.zeros_like(self.probability)))
