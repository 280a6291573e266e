"""What a scripted caller does, step by step; every wait is bounded and counted in frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from moonwire.sandbox.voices import VoiceKind, load_phrasebook, synthesise_in_background

WAIT_LIMIT_S = 20.0
QUIET_S = 0.9
"""How long the agent must be silent to count as having finished; longer than its pauses between sentences."""


@dataclass(frozen=True, slots=True)
class Say:
    """Speak a text: the phrasebook's recording when it holds one, synthesised otherwise."""

    text: str
    audio: bytes = b""
    """Mu-law 8 kHz; filled in by `prepare`."""


@dataclass(frozen=True, slots=True)
class PlayAudio:
    """Play recorded audio (mu-law 8 kHz)."""

    label: str
    audio: bytes


@dataclass(frozen=True, slots=True)
class SendDigits:
    """Press keys."""

    digits: str
    duration_ms: int = 160


@dataclass(frozen=True, slots=True)
class WaitForSpeech:
    """Wait until the agent speaks."""

    limit_s: float = WAIT_LIMIT_S


@dataclass(frozen=True, slots=True)
class WaitForSilence:
    """Wait until the agent has spoken and is silent again."""

    quiet_s: float = QUIET_S
    limit_s: float = WAIT_LIMIT_S


@dataclass(frozen=True, slots=True)
class Pause:
    """Say nothing for a while."""

    duration_s: float


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Wait until the agent speaks, let it speak on for a moment, then talk over it."""

    text: str
    after_s: float = 1.5
    audio: bytes = b""
    """Mu-law 8 kHz; filled in by `prepare`."""
    limit_s: float = WAIT_LIMIT_S


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call."""


Step = Say | PlayAudio | SendDigits | WaitForSpeech | WaitForSilence | Pause | Interrupt | HangUp


def conversation(*turns: Say | PlayAudio | SendDigits | Interrupt, greeting: bool = True) -> tuple[Step, ...]:
    """Return a whole call: each turn begins when the agent has finished, the last answer is heard to its end."""
    steps: list[Step] = [WaitForSilence()] if greeting else []
    for turn in turns:
        if isinstance(turn, Interrupt) and isinstance(steps[-1] if steps else None, WaitForSilence):
            steps.pop()
        steps += [turn, WaitForSilence()]
    return (*steps, HangUp())


async def prepare(steps: Sequence[Step], voice: VoiceKind = "auto") -> tuple[Step, ...]:
    """Return the steps with all their audio, so that nothing has to be made while the call runs."""
    prepared: list[Step] = []
    for step in steps:
        if isinstance(step, Say | Interrupt) and not step.audio:
            prepared.append(replace(step, audio=await _audio(step.text, voice)))
        else:
            prepared.append(step)
    return tuple(prepared)


async def _audio(text: str, voice: VoiceKind) -> bytes:
    return load_phrasebook().get(text) or await synthesise_in_background(text, voice)
