"""Recognises known phrases by the shape of their spectrum over time; robust to level, start and light noise.

A phrase is compared as twelve band levels every 10 ms. A burst of speech may be a phrase, a part of one between two
pauses, or several in a row; the words are those whose place in the phrase the burst covers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from moonwire.sandbox.deepgram.hearing import Ear, Heard, HeardWord
from moonwire.sandbox.deepgram.segments import ULAW, Burst, Samples

Bands = NDArray[np.float32]

_RATE_HZ: Final = 8000
_HOP: Final = 80
_SPAN: Final = 256
_HOP_S: Final = _HOP / _RATE_HZ
_BANDS: Final = 12
_FLOOR_DB: Final = 40.0
_VOICED_DB: Final = 30.0
_SLACK: Final = 8
_SHORTEST: Final = 30
"""Hops (0.3 s) a match needs at least."""
_PAUSE_HOPS: Final = 10
_LIKENESS: Final = 0.78
_COMMA_BONUS: Final = 0.15
_FIRST_BONUS: Final = 0.05


@dataclass(frozen=True, slots=True)
class _Phrase:
    text: str
    bands: Bands
    starts: tuple[int, ...]
    """Hops at which a stretch of sound begins."""
    words: tuple[tuple[str, int, int], ...]
    """Each word's first and last hop."""
    padded: Bands
    """The bands with silence before and after, so that a match may be off by the slack in either direction."""


@dataclass(frozen=True, slots=True)
class _Match:
    likeness: float
    phrase: _Phrase
    at: int
    """Hop of the phrase at which the match begins."""
    hops: int


class KnownPhrases:
    """Hears the phrases it was given.

    Args:
        phrases: text to mu-law 8 kHz audio of it.
    """

    def __init__(self, phrases: Mapping[str, bytes]) -> None:
        heard = (_phrase(text, ULAW[np.frombuffer(audio, np.uint8)]) for text, audio in phrases.items())
        self._phrases = [phrase for phrase in heard if len(phrase.bands) >= _SHORTEST]

    def ear(self) -> Ear:
        """Return a new connection's ear."""
        return _FingerprintEar(self)

    def words(self, burst: Burst) -> list[HeardWord]:
        """Return the words of the known phrases in a burst, empty when none is known."""
        if burst.rate_hz != _RATE_HZ:
            return []
        bands, first = _trimmed(_bands(burst.audio))
        words: list[HeardWord] = []
        at = 0
        while len(bands) - at >= _SHORTEST:
            match = self._best(bands[at:])
            if match is None:
                break
            shift_s = (first + at - match.at) * _HOP_S
            end = match.at + match.hops
            words += [
                HeardWord(text, max(0.0, shift_s + start * _HOP_S), shift_s + stop * _HOP_S)
                for text, start, stop in match.phrase.words
                if match.at <= (start + stop) / 2 <= end
            ]
            at += match.hops
            rest, skipped = _trimmed(bands[at:])
            at += skipped if len(rest) else len(bands)
        return words

    def _best(self, bands: Bands) -> _Match | None:
        best: _Match | None = None
        for phrase in self._phrases:
            for start in phrase.starts:
                match = _compare(bands, phrase, start)
                if match is not None and (best is None or match.likeness > best.likeness):
                    best = match
        return best if best is not None and best.likeness >= _LIKENESS else None


class _FingerprintEar:
    def __init__(self, known: KnownPhrases) -> None:
        self._known = known

    def begin(self) -> None:
        pass

    def so_far(self, burst: Burst) -> Heard | None:
        words = self._known.words(burst)
        return Heard(words) if words else None

    async def whole(self, burst: Burst) -> Heard | None:
        return self.so_far(burst)


def _compare(bands: Bands, phrase: _Phrase, start: int) -> _Match | None:
    """Lay the beginning of a burst on a phrase around one of its stretches of sound."""
    hops = min(len(bands), len(phrase.bands) - start)
    if hops < _SHORTEST:
        return None
    shape = bands[:hops] - bands[:hops].mean(axis=0)
    around = phrase.padded[start : start + hops + 2 * _SLACK]
    places = sliding_window_view(around, hops, axis=0).transpose(0, 2, 1)
    others = places - places.mean(axis=1, keepdims=True)
    dots = np.einsum("ijk,jk->i", others, shape)
    sizes = np.sqrt(np.einsum("ijk,ijk->i", others, others) * np.einsum("jk,jk->", shape, shape)) + 1e-9
    likenesses = dots / sizes
    place = int(np.argmax(likenesses))
    # A phrase's beginning is likelier than its middle, and a long match tells more than a short one.
    bonus = _FIRST_BONUS if start == 0 else 0.0
    weight = min(1.0, 0.8 + hops / 500)
    return _Match(float(likenesses[place]) * weight + bonus, phrase, start - _SLACK + place, hops)


def _phrase(text: str, samples: Samples) -> _Phrase:
    bands, _ = _trimmed(_bands(samples))
    if not len(bands):
        return _Phrase(text, bands, (), (), bands)
    loudness = bands.max(axis=1)
    stretches = _stretches(loudness > loudness.max() - _VOICED_DB)
    silence = np.full((_SLACK, _BANDS), bands.min(), np.float32)
    padded = np.concatenate((silence, bands, silence))
    return _Phrase(text, bands, tuple(begin for begin, _ in stretches), _placed(text, stretches), padded)


def _stretches(voiced: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first and last hop of each stretch of sound; shorter pauses do not count."""
    found: list[tuple[int, int]] = []
    for hop in np.flatnonzero(voiced).tolist():
        if found and hop - found[-1][1] <= _PAUSE_HOPS:
            found[-1] = (found[-1][0], hop)
        else:
            found.append((hop, hop))
    return found


def _placed(text: str, stretches: list[tuple[int, int]]) -> tuple[tuple[str, int, int], ...]:
    """Spread the words over the stretches in proportion to their letters; pauses lie between words, at commas first."""
    words = text.split()
    letters = np.cumsum([0, *(len(word) + 1 for word in words)])
    sounds = np.cumsum([0, *(end - begin + 1 for begin, end in stretches)])
    cuts = [0]
    for share in sounds[1:-1] / sounds[-1]:
        distance = np.abs(letters / letters[-1] - share)
        distance[1:-1] -= [_COMMA_BONUS if word[-1] in ",.;:?!" else 0.0 for word in words[:-1]]
        cuts.append(max(cuts[-1], int(np.argmin(distance))))
    cuts.append(len(words))
    placed: list[tuple[str, int, int]] = []
    for (begin, end), first, last in zip(stretches, cuts, cuts[1:], strict=False):
        for index in range(first, last):
            span = (end - begin) / (letters[last] - letters[first])
            edges = begin + (letters[index : index + 2] - letters[first]) * span
            placed.append((words[index], int(edges[0]), int(edges[1])))
    return tuple(placed)


def _bands(samples: Samples) -> Bands:
    """Return (n, 12) band levels in dB, not less than 40 dB below the loudest."""
    if len(samples) < _SPAN:
        return np.zeros((0, _BANDS), np.float32)
    spans = sliding_window_view(samples, _SPAN)[::_HOP] * _WINDOW
    power = np.abs(np.fft.rfft(spans, axis=1)) ** 2
    levels = 10 * np.log10(power @ _FILTER + 1e-9)
    return np.maximum(levels, levels.max() - _FLOOR_DB).astype(np.float32)


def _trimmed(bands: Bands) -> tuple[Bands, int]:
    """Cut silence off both ends; return the rest and how many hops were cut in front."""
    if not len(bands):
        return bands, 0
    loudness = bands.max(axis=1)
    sounding = np.flatnonzero(loudness > loudness.max() - _VOICED_DB)
    return bands[sounding[0] : sounding[-1] + 1], int(sounding[0])


def _filter() -> NDArray[np.float64]:
    """Return (129, 12) weights: rectangular bands of equal width on a logarithmic axis, 150 to 3600 Hz."""
    edges = np.geomspace(150, 3600, _BANDS + 1)
    bins = np.fft.rfftfreq(_SPAN, 1 / _RATE_HZ)
    return np.array([(bins >= low) & (bins < high) for low, high in pairwise(edges)], float).T


_WINDOW: Final = np.hanning(_SPAN)
_FILTER: Final = _filter()
