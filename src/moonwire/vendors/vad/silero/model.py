"""Runs the Silero voice model on a batch of 32 ms windows; holds no call's state.

Source: silero-vad 6.2.3, `silero_vad.onnx` (MIT, model/LICENSE): inputs `input` (batch, 32+256 samples at 8 kHz),
`state` (2, batch, 128), `sr`; outputs probability (batch, 1) and the next state.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

WINDOW_SAMPLES: Final = 256
CONTEXT_SAMPLES: Final = 32
"""The last samples of the window before; without them the probabilities are plausible and wrong."""
STATE_UNITS: Final = 128

_FILE: Final = Path(__file__).with_name("model") / "silero_vad.onnx"
_RATE: Final = np.array(8000, dtype=np.int64)


class _Session(Protocol):
    """The part of onnxruntime's session that is used here; the package has no types."""

    def run(self, output_names: None, input_feed: dict[str, object]) -> list[Floats]: ...


class SileroModel:
    """One model in memory, about 5 MB; calls share it."""

    def __init__(self) -> None:
        ort: Any = import_module("onnxruntime")
        options = ort.SessionOptions()
        # More than one thread costs two to three times the CPU for the same work, because the threads spin.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session: _Session = ort.InferenceSession(str(_FILE), options, providers=["CPUExecutionProvider"])
        # The first run allocates for tens of milliseconds: not in a call.
        self.run(np.zeros((1, CONTEXT_SAMPLES + WINDOW_SAMPLES), np.float32), np.zeros((2, 1, STATE_UNITS), np.float32))

    def run(self, windows: Floats, state: Floats) -> tuple[Floats, Floats]:
        """Return each window's speech probability (n,) and the next state (2, n, 128).

        Args:
            windows: (n, 288) samples in -1..1: context, then window.
            state: (2, n, 128) from the window before, zeros at first.
        """
        probability, next_state = self._session.run(None, {"input": windows, "state": state, "sr": _RATE})
        return probability[:, 0], next_state
