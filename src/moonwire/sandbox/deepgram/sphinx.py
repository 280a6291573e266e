"""Recognises a closed list of phrases in any voice, with PocketSphinx when it is installed; a demo, no transcription.

Whatever is said is forced onto the list, so a phrase that is much too long or short for the sound is not believed.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Iterable
from importlib.util import find_spec

import msgspec
import numpy as np

from moonwire.core.audio.resample import Samples, resample
from moonwire.sandbox.deepgram.hearing import Ear, Heard, HeardWord
from moonwire.sandbox.deepgram.segments import Burst

_ANSWER_S = 5.0
_NOISE = 30
_LEAD_SAMPLES, _TAIL_SAMPLES = 2400, 4800
_SECONDS_PER_LETTER = (0.03, 0.16)
"""Range of plausible speaking rates, pauses included."""


class _Answer(msgspec.Struct):
    text: str
    probability: float


class PhraseRecognizer:
    """Hears phrases of a list; its child process starts with the first burst and ends with `stop`.

    Args:
        phrases: English texts, heard whole or clause by clause; what has words that the recogniser's dictionary
            lacks is left out.
    """

    def __init__(self, phrases: Iterable[str]) -> None:
        texts = list(phrases)
        clauses = [clause.strip() for text in texts for clause in re.findall(r"[^,.;:?!]+[,.;:?!]*", text)]
        self._texts = {_words(text): text for text in (*clauses, *texts) if _words(text)}
        self._child: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    @staticmethod
    def available() -> bool:
        """Tell whether PocketSphinx is installed."""
        return find_spec("pocketsphinx") is not None

    def ear(self) -> Ear:
        """Return a new connection's ear."""
        return _SphinxEar(self)

    async def recognise(self, burst: Burst) -> str | None:
        """Return the phrase of the list that a burst sounds most like, or None."""
        if burst.rate_hz not in {8000, 16000}:
            return None
        pcm = (np.clip(burst.audio, -1, 1) * 32767).astype(np.int16)
        pcm = _with_room_noise(resample(pcm, burst.rate_hz, 16000))
        async with self._turn:
            try:
                async with asyncio.timeout(_ANSWER_S):
                    answer = await self._ask(pcm.astype("<i2").tobytes())
            except (TimeoutError, OSError, EOFError, msgspec.DecodeError):
                await self.stop()
                return None
        text = self._texts.get(answer.text)
        low, high = _SECONDS_PER_LETTER
        return text if text is not None and low * len(text) <= burst.voiced_s <= high * len(text) + 0.5 else None

    async def stop(self) -> None:
        """End the child process."""
        child, self._child = self._child, None
        if child is not None:
            if child.returncode is None:
                child.kill()
            await child.communicate()

    async def _ask(self, pcm: bytes) -> _Answer:
        child = self._child
        if child is None:
            child = self._child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "moonwire.sandbox.deepgram.sphinx_child",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            await self._exchange(child, msgspec.json.encode(list(self._texts)))
        return await self._exchange(child, pcm)

    async def _exchange(self, child: asyncio.subprocess.Process, block: bytes) -> _Answer:
        if child.stdin is None or child.stdout is None:
            raise EOFError
        child.stdin.write(len(block).to_bytes(4, "little") + block)
        await child.stdin.drain()
        line = await child.stdout.readline()
        return msgspec.json.decode(line, type=_Answer)


class _SphinxEar:
    def __init__(self, recognizer: PhraseRecognizer) -> None:
        self._recognizer = recognizer

    def begin(self) -> None:
        pass

    def so_far(self, burst: Burst) -> Heard | None:
        return None

    async def whole(self, burst: Burst) -> Heard | None:
        text = await self._recognizer.recognise(burst)
        if text is None:
            return None
        words = text.split()
        step_s = burst.voiced_s / len(words)
        return Heard([HeardWord(word, i * step_s, (i + 1) * step_s) for i, word in enumerate(words)], confidence=0.8)


def _with_room_noise(pcm: Samples) -> Samples:
    """Add faint noise, before and after as well: digital silence ruins the recogniser's features."""
    noise = np.random.default_rng(0).normal(0, _NOISE, len(pcm) + _LEAD_SAMPLES + _TAIL_SAMPLES)
    noise[_LEAD_SAMPLES : _LEAD_SAMPLES + len(pcm)] += pcm
    return np.clip(noise, -32768, 32767).astype(np.int16)


def _words(text: str) -> str:
    """Spell a phrase as the dictionary does: lower case, apostrophes, no other punctuation."""
    return " ".join("".join(char if char.isalnum() or char == "'" else " " for char in text.lower()).split())
