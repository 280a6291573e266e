"""A stand-in for the SDK's documented Python interface to noise suppression; halves every sample."""

from __future__ import annotations

from typing import Any


class LogLevel:
    Off = 0


class SamplingRate:
    Sr8000Hz = 8000


class FrameDuration:
    Fd20ms = 20


class ModelInfo:
    path = ""


class NcSessionConfig:
    inputSampleRate = 0  # noqa: N815
    outputSampleRate = 0  # noqa: N815
    inputFrameDuration = 0  # noqa: N815
    modelInfo: Any = None  # noqa: N815


sessions: list[Any] = []


def globalInit(*arguments: Any) -> None:
    assert arguments[1] == "k"


class NcInt16:
    def __init__(self, config: NcSessionConfig) -> None:
        self.config = config
        self.levels: list[float] = []

    @classmethod
    def create(cls, config: NcSessionConfig) -> NcInt16:
        sessions.append(cls(config))
        return sessions[-1]

    def process(self, frame: Any, level: float) -> Any:
        assert frame.dtype == "int16"
        assert frame.flags.writeable
        assert len(frame) == 160
        assert isinstance(level, float)
        self.levels.append(level)
        return frame // 2
