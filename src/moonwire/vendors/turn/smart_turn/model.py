"""Runs the Smart Turn model on one turn's audio; blocks for about 0.1 s, so only worker threads call it.

Source: Smart Turn v3.2 (BSD-2-Clause): input `input_features` (1, 80, 800); the output named `logits` already is the
probability that the turn is over.
"""

from __future__ import annotations

import math
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol

from moonwire.errors import ConfigError
from moonwire.vendors.turn.smart_turn.features import Floats, log_mel, samples_of

CERTAIN: Final = 0.91
"""What the model says when an even chance is left: it is built to say yes. Asked twice about a person's telephone
prompts (bench/turns.py, tuning half), it says 0.5 or more in 84 % of finished utterances and in 69 % of the pauses
inside one, but 0.91 in 59 % and 40 %. Asking more often at 0.5 gains less."""
_LOGIT_OF_CERTAIN: Final = math.log(CERTAIN / (1.0 - CERTAIN))


class _Session(Protocol):
    """The part of onnxruntime's session that is used here; the package has no types."""

    def run(self, output_names: None, input_feed: dict[str, object]) -> list[Floats]: ...


class SmartTurnModel:
    """One model in memory, about 30 MB; loaded with the first answer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._session: _Session | None = None

    def score(self, audio: bytes) -> float:
        """Return the probability that a turn is over, calibrated: 0.5 is an even chance.

        Args:
            audio: mu-law 8 kHz, the whole turn with the silence after it; the last 8 s count.

        Raises:
            ConfigError: the file is no model that onnxruntime can run.
        """
        if self._session is None:
            self._session = self._load()
        picture = log_mel(samples_of(audio))[None]
        return calibrated(float(self._session.run(None, {"input_features": picture})[0].reshape(-1)[0]))

    def _load(self) -> _Session:
        ort: Any = import_module("onnxruntime")
        options = ort.SessionOptions()
        # Two threads would answer sooner for half as much CPU again; many calls are better served one by one.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            return ort.InferenceSession(str(self._path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's errors share no base class
            raise ConfigError(
                f"{self._path} is not a turn-detection model; run `moonwire models fetch` again"
            ) from error


def calibrated(raw: float) -> float:
    """Return the chance that a turn is over when the model gives it `raw`; in order, 0 and 1 stay what they are."""
    sure = min(max(raw, 1e-9), 1.0 - 1e-9)
    return 1.0 / (1.0 + math.exp(_LOGIT_OF_CERTAIN - math.log(sure / (1.0 - sure))))
