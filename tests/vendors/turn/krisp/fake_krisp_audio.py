"""A stand-in for the SDK's documented Python interface: enums, sessions, scripted probabilities."""

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


class TtSessionConfig:
    inputSampleRate = 0  # noqa: N815
    inputFrameDuration = 0  # noqa: N815
    modelInfo: Any = None  # noqa: N815


started: list[tuple[Any, ...]] = []
sessions: list[Any] = []


def globalInit(*arguments: Any) -> None:
    if arguments[1] == "wrong":
        raise RuntimeError("licence")
    if arguments[1] == "old" or (len(arguments) == 5 and arguments[1] == ""):
        raise TypeError("no key argument")
    started.append(arguments)


class TtFloat:
    def __init__(self, config: TtSessionConfig) -> None:
        self.config = config
        self.script: list[float] = []
        self.frames: list[tuple[int, bool]] = []

    @classmethod
    def create(cls, config: TtSessionConfig) -> TtFloat:
        sessions.append(cls(config))
        return sessions[-1]

    def process(self, frame: Any, voice: bool, reserved: bool) -> float:
        assert frame.dtype == "float32"
        assert frame.flags.writeable
        self.frames.append((len(frame), voice))
        return self.script.pop(0) if self.script else 0.0


class IpSessionConfig(TtSessionConfig): ...


class IpFloat:
    def __init__(self, config: IpSessionConfig) -> None:
        self.config = config
        self.script: list[float] = []
        self.voices: list[bool] = []

    @classmethod
    def create(cls, config: IpSessionConfig) -> IpFloat:
        sessions.append(cls(config))
        return sessions[-1]

    def process(self, frame: Any, voice: bool) -> float:
        assert frame.dtype == "float32"
        self.voices.append(voice)
        return self.script.pop(0) if self.script else 0.0
