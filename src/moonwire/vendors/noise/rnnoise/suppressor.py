"""Suppresses noise with RNNoise: a millisecond of CPU per frame, so only worker threads call it; removes nearly all.

Works at 48 kHz in pieces of 10 ms and adds 22 ms. `level` mixes the cleaned voice with the untouched one.
Source: RNNoise 0.2 (BSD-3-Clause), include/rnnoise.h, read 2026-11-22.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any, Final

import numpy as np

from moonwire.core.audio.g711 import ULAW_TO_PCM, encode_ulaw
from moonwire.core.audio.resample import Resampler
from moonwire.errors import ConfigError

NAME: Final = "rnnoise"
_PIECE: Final = 480
_DELAY: Final = 960
"""Samples at 48 kHz that the network holds back; the untouched voice waits as long before it is mixed in."""


class RnnoiseLibrary:
    """The shared library; its calls release the interpreter while they run.

    Args:
        path: of librnnoise.

    Raises:
        ConfigError: the file is no such library, or one with another frame size.
    """

    def __init__(self, path: Path) -> None:
        try:
            library: Any = ctypes.CDLL(str(path))
            library.rnnoise_create.argtypes = [ctypes.c_void_p]
            library.rnnoise_create.restype = ctypes.c_void_p
            library.rnnoise_destroy.argtypes = [ctypes.c_void_p]
            library.rnnoise_destroy.restype = None
            library.rnnoise_process_frame.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
            library.rnnoise_process_frame.restype = ctypes.c_float
            size = int(library.rnnoise_get_frame_size())
        except (OSError, AttributeError) as error:
            raise ConfigError(f"{path} is not a library of RNNoise for this machine: {error}") from error
        if size != _PIECE:
            raise ConfigError(f"{path} works on {size} samples at a time, expected {_PIECE}")
        self.functions = library


class RnnoiseSuppressor:
    """One stream's state, 33 kB outside Python; the first one in a process takes 10 ms to set up."""

    def __init__(self, library: RnnoiseLibrary, level: float) -> None:
        self._functions = library.functions
        self._state: int | None = self._functions.rnnoise_create(None)
        self._wet = np.float32(level / 100.0)
        self._up, self._down = Resampler(8000, 48000), Resampler(48000, 8000)
        self._line = np.zeros(_DELAY, np.float32)

    def clean(self, frame: bytes) -> bytes:
        """Return 20 ms of mu-law without its noise, 22 ms late."""
        if self._state is None:
            return frame
        wide = self._up.process(ULAW_TO_PCM[np.frombuffer(frame, np.uint8)]).astype(np.float32)
        dry, self._line = self._line, wide.copy()
        for start in range(0, len(wide), _PIECE):
            place = wide[start:].ctypes.data
            self._functions.rnnoise_process_frame(self._state, place, place)
        mixed = dry + (wide - dry) * self._wet
        spoken = np.clip(np.rint(mixed), -32768, 32767).astype(np.int16)
        return encode_ulaw(self._down.process(spoken).astype("<i2").tobytes())

    def close(self) -> None:
        """Free the state."""
        state, self._state = self._state, None
        if state is not None:
            self._functions.rnnoise_destroy(state)
