"""Builds what listens to callers beside their recogniser: voice detector, turn engine, noise suppression."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import structlog

from moonwire.ports.interruption_predictor import InterruptionPredictor
from moonwire.ports.noise import NoiseSuppression
from moonwire.ports.turn_detector import TurnDetector
from moonwire.ports.vad import VoiceActivityDetector
from moonwire.settings import Settings, environment
from moonwire.vendors.noise import open_noise_engines
from moonwire.vendors.noise.rnnoise.file import RNNOISE
from moonwire.vendors.turn.krisp.interruptions import open_krisp_interruptions
from moonwire.vendors.turn.krisp.sdk import open_krisp
from moonwire.vendors.turn.smart_turn.detector import SmartTurn
from moonwire.vendors.turn.smart_turn.file import find_model
from moonwire.vendors.turn.smart_turn.model import SmartTurnModel
from moonwire.vendors.vad.silero.detector import SileroVad

log = structlog.get_logger()

Watch = Callable[[str, str, Callable[[], float]], None]
"""Publishes a number under a name with a description; it is read when somebody asks."""


@dataclass(frozen=True, slots=True)
class Ears:
    """The process's listeners; all calls share them."""

    voice: VoiceActivityDetector
    turns: TurnDetector | None
    noise: NoiseSuppression
    interruptions: InterruptionPredictor | None


def open_ears(
    settings: Settings, watch: Watch, stack: AsyncExitStack, on_turn_answer: Callable[[float], None] = lambda _: None
) -> Ears:
    """Build them; they stop with the stack.

    Args:
        settings: where models lie.
        watch: publishes what the engines count.
        stack: ends them.
        on_turn_answer: hears how many seconds each answer of the turn model took.

    Raises:
        ConfigError: the operator named a file that is not there.
    """
    return Ears(
        _voice_detector(stack),
        _turn_detector(settings, watch, stack, on_turn_answer),
        _noise(settings, watch, stack),
        open_krisp_interruptions(environment()),
    )


def _voice_detector(stack: AsyncExitStack) -> VoiceActivityDetector:
    detector = SileroVad()
    detector.start()
    stack.callback(detector.stop)
    return detector


def _turn_detector(
    settings: Settings, watch: Watch, stack: AsyncExitStack, on_answer: Callable[[float], None]
) -> TurnDetector | None:
    """Choose who ends turns by sound: the licensed SDK, the open model, or nobody (then a silence timer does)."""
    krisp = open_krisp(environment())
    if krisp is not None:
        log.info("turn detection ready", engine=krisp.name)
        return krisp
    path = find_model(settings.data_dir, settings.turn_model)
    if path is None:
        log.info("turn detection by silence", remedy="fetch the open model: moonwire models fetch")
        return None
    workers = 1 if (os.cpu_count() or 1) < 4 else 2
    detector = SmartTurn(SmartTurnModel(path).score, workers=workers, on_answer=on_answer)
    stack.callback(detector.close)
    detector.warm_up()
    watch("turn_answers", "Answers of the acoustic turn model.", lambda: float(detector.stats.answers))
    watch("turn_answers_late", "Answers that silence replaced.", lambda: float(detector.stats.late))
    log.info("turn detection ready", engine=detector.name, model=str(path))
    return detector


def _noise(settings: Settings, watch: Watch, stack: AsyncExitStack) -> NoiseSuppression:
    engines = open_noise_engines(RNNOISE.find(settings.data_dir, settings.rnnoise_library), environment())
    stack.callback(engines.close)
    engines.warm_up()
    stats = engines.stats
    watch("noise_streams", "Directions of calls that are cleaned.", lambda: float(stats.streams))
    watch("noise_frames", "Frames of 20 ms cleaned so far.", lambda: float(stats.frames))
    watch("noise_cpu_seconds", "CPU time of noise suppression so far.", lambda: stats.cpu_s)
    watch("noise_failures", "Engines that gave up in a call.", lambda: float(stats.failures))
    return engines
