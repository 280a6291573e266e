"""Decides what the simulator "hears" in a burst of speech: a script, known phrases, or something plausible."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from moonwire.sandbox.deepgram.segments import Burst

_WORD_S: Final = 0.3
_SHORTEST_SENTENCE_S: Final = 0.3
_SETTLED_SILENCE_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class HeardWord:
    """One word's place, in seconds from the burst's start."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Utterance:
    """One scripted utterance and how the recogniser behaves on it."""

    text: str
    confidence: float = 0.98
    noisy: bool = False
    """Noise keeps the voice detector open: final pieces come, `speech_final` never; UtteranceEnd closes it."""
    unsettled: bool = False
    """Interims come, neither final pieces nor a boundary."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a burst holds so far."""

    words: Sequence[HeardWord]
    confidence: float = 0.98
    noisy: bool = False
    unsettled: bool = False


NOTHING: Final = Heard(())


class Ear(Protocol):
    """One connection's hearing."""

    def begin(self) -> None:
        """A burst begins."""
        ...

    def so_far(self, burst: Burst) -> Heard | None:
        """Return the words of an unfinished burst, quickly; None when nothing can be said yet."""
        ...

    async def whole(self, burst: Burst) -> Heard | None:
        """Return the words of a finished burst; None when this ear does not know them."""
        ...


class Hearing(Protocol):
    """Opens one ear per connection."""

    def ear(self) -> Ear:
        """Return a new connection's ear."""
        ...


class Script:
    """The n-th burst of each connection is the n-th utterance; after the last one nothing is heard, or it starts over.

    Args:
        utterances: texts, or Utterances with a behaviour.
        repeat: start over after the last one.
        shared: all connections together read the script once (a reconnect goes on where the last one was).
    """

    def __init__(self, utterances: Iterable[str | Utterance], *, repeat: bool = False, shared: bool = False) -> None:
        self.utterances = [Utterance(item) if isinstance(item, str) else item for item in utterances]
        self._repeat = repeat
        self._shared = _ScriptEar(self) if shared else None

    def ear(self) -> Ear:
        """Return a new connection's ear."""
        return self._shared or _ScriptEar(self)

    def at(self, index: int) -> Utterance | None:
        """Return the utterance of burst number `index`, counted from 0."""
        if self._repeat and self.utterances:
            index %= len(self.utterances)
        return self.utterances[index] if index < len(self.utterances) else None


class _ScriptEar:
    def __init__(self, script: Script) -> None:
        self._script = script
        self._next = 0
        self._current: Utterance | None = None

    def begin(self) -> None:
        self._current = self._script.at(self._next)
        self._next += 1

    def so_far(self, burst: Burst) -> Heard | None:
        utterance = self._current
        if utterance is None:
            return None
        words = utterance.text.split()
        silent_s = len(burst.audio) / burst.rate_hz - burst.voiced_s
        complete = silent_s >= _SETTLED_SILENCE_S
        count = len(words) if complete else min(len(words), 1 + int(burst.voiced_s / _WORD_S))
        step_s = burst.voiced_s / max(1, count)
        placed = [HeardWord(word, i * step_s, (i + 1) * step_s) for i, word in enumerate(words[:count])]
        return Heard(placed, utterance.confidence, utterance.noisy, utterance.unsettled)

    async def whole(self, burst: Burst) -> Heard | None:
        return self.so_far(burst)


class FirstThatKnows:
    """Asks several hearings in order; the first that knows the words wins."""

    def __init__(self, *hearings: Hearing) -> None:
        self._hearings = hearings

    def ear(self) -> Ear:
        """Return a new connection's ear."""
        return _FirstEar([hearing.ear() for hearing in self._hearings])


class _FirstEar:
    def __init__(self, ears: Sequence[Ear]) -> None:
        self._ears = ears

    def begin(self) -> None:
        for ear in self._ears:
            ear.begin()

    def so_far(self, burst: Burst) -> Heard | None:
        # Only the first ear guesses in mid-burst: a later one would contradict it when it finds its words.
        return self._ears[0].so_far(burst)

    async def whole(self, burst: Burst) -> Heard | None:
        for ear in self._ears:
            if (heard := await ear.whole(burst)) is not None:
                return heard
        return None


class Plausible:
    """For speech that nobody recognises: takes the next of a few sentences that keep a conversation going."""

    _SENTENCES: Final = (
        "Hello, can you hear me?",
        "Can you tell me more about that?",
        "That sounds good, please go on.",
        "And what happens then?",
        "Thank you, that is all.",
    )

    def ear(self) -> Ear:
        """Return a new connection's ear."""
        return _PlausibleEar(Script(self._SENTENCES, repeat=True))


class _PlausibleEar:
    """Counts only the bursts it is asked about."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._asked = 0
        self._current: Utterance | None = None

    def begin(self) -> None:
        self._current = None

    def so_far(self, burst: Burst) -> Heard | None:
        return None

    async def whole(self, burst: Burst) -> Heard | None:
        if burst.voiced_s < _SHORTEST_SENTENCE_S:
            return None
        if self._current is None:
            self._current = self._script.at(self._asked)
            self._asked += 1
        words = self._current.text.split() if self._current else []
        step_s = burst.voiced_s / max(1, len(words))
        return Heard([HeardWord(word, i * step_s, (i + 1) * step_s) for i, word in enumerate(words)], confidence=0.6)
