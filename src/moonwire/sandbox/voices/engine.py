"""Speaks text for the sandbox: espeak-ng or flite as a child process when installed, tones otherwise.

The programs stay processes of their own; espeak-ng's licence (GPL) does not touch ours that way.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import tempfile
import wave
from functools import lru_cache, partial
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from moonwire.core.audio.frames import SAMPLE_RATE_HZ
from moonwire.sandbox.voices.clip import pcm_to_ulaw, to_call_audio

VoiceKind = Literal["auto", "espeak", "flite", "tone"]

_LONGEST_TEXT = 4000
_PROGRAM_LIMIT_S = 20.0
_CACHED_CLIPS = 256
TONE_S_PER_CHAR = 0.06
"""Length of the tone voice: 60 ms for every character, blanks included."""
_TONE_GAP_S = 0.04

_TAGS = re.compile(r"<[^<>]*>")


def available_voice(wanted: VoiceKind = "auto") -> VoiceKind:
    """Return the voice that will really speak: the wanted one when its program is here, else the best there is."""
    if wanted not in get_args(VoiceKind):
        raise ValueError(f"no sandbox voice '{wanted}'")
    if wanted in {"auto", "espeak"} and shutil.which("espeak-ng"):
        return "espeak"
    if wanted in {"auto", "espeak", "flite"} and shutil.which("flite"):
        return "flite"
    return "tone"


def synthesise(text: str, voice: VoiceKind = "auto", *, language: str = "en") -> bytes:
    """Return the text as mu-law 8 kHz, from a cache when it was spoken before; blocks while a program speaks.

    Text without anything to pronounce gives no audio; inline tags are not spoken.
    """
    return _speak(_TAGS.sub(" ", text)[:_LONGEST_TEXT], available_voice(voice), language)


async def synthesise_in_background(text: str, voice: VoiceKind = "auto", *, language: str = "en") -> bytes:
    """Return the same without blocking the loop; tones are made in place, so virtual time never waits for them."""
    return await Speaker(voice).speak(text, language)


class Speaker:
    """A voice for many calls at once: the same text, asked for again while it is being made, is made once."""

    def __init__(self, voice: VoiceKind = "auto") -> None:
        """Choose the voice.

        Raises:
            ValueError: there is no such voice.
        """
        self._voice: VoiceKind = available_voice(voice)
        self._making: dict[tuple[str, str], asyncio.Future[bytes]] = {}

    async def speak(self, text: str, language: str = "en") -> bytes:
        """Return the text as mu-law 8 kHz without blocking the loop."""
        if self._voice == "tone":
            return synthesise(text, "tone")
        key = (text, language)
        made = self._making.get(key)
        if made is None:
            work = partial(synthesise, text, self._voice, language=language)
            made = self._making[key] = asyncio.get_running_loop().run_in_executor(None, work)
            made.add_done_callback(lambda _: self._making.pop(key, None))
        return await asyncio.shield(made)


@lru_cache(_CACHED_CLIPS)
def _speak(text: str, voice: VoiceKind, language: str) -> bytes:
    if not any(char.isalnum() for char in text):
        return b""
    match voice:
        case "espeak":
            spoken = _run(["espeak-ng", "-v", _espeak_language(language), "--stdin"], "-w", text)
        case "flite":
            spoken = _run(["flite", "-voice", "slt", "/dev/stdin"], "-o", text)
        case _:
            spoken = None
    if spoken is None:
        return tones(text)
    pcm, rate_hz = spoken
    return to_call_audio(pcm, rate_hz) or tones(text)


def _espeak_language(language: str) -> str:
    primary = re.sub(r"[^a-z]", "", language.lower()[:3]) or "en"
    return {"zh": "cmn", "en": "en-us"}.get(primary, primary)


def _run(command: list[str], into: str, text: str) -> tuple[NDArray[np.int16], int] | None:
    """Let a program speak its standard input into a WAV file (flite must seek in it); None when it cannot."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        arguments = [*command, into, file.name]
        try:
            subprocess.run(  # noqa: S603 - fixed programs, the text travels on standard input
                arguments, input=text.encode(), capture_output=True, timeout=_PROGRAM_LIMIT_S, check=True
            )
            with wave.open(file.name) as clip:
                samples = np.frombuffer(clip.readframes(clip.getnframes()), dtype="<i2")
                return samples.astype(np.int16), clip.getframerate()
        except (OSError, EOFError, subprocess.SubprocessError, wave.Error, ValueError):
            return None


def tones(text: str) -> bytes:
    """Return one tone per word, its pitch from the word, 60 ms per character: audible, exact in length, instant."""
    pieces: list[NDArray[np.float64]] = []
    for word in re.findall(r"\S+\s*", text.strip()):
        count = int(len(word) * TONE_S_PER_CHAR * SAMPLE_RATE_HZ)
        times = np.arange(count) / SAMPLE_RATE_HZ
        pitch_hz = 300 + sum(map(ord, word.strip())) % 12 * 50
        tone = 8000.0 * np.sin(2 * np.pi * pitch_hz * times)
        tone[max(0, count - int(_TONE_GAP_S * SAMPLE_RATE_HZ)) :] = 0.0
        pieces.append(tone)
    return pcm_to_ulaw(np.concatenate(pieces)) if pieces else b""
