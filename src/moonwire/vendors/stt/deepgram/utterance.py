"""Decides what Deepgram's results mean for the conversation: settled pieces, interim words, ends of utterances.

Deepgram settles an utterance in pieces (`is_final`), closes it with `speech_final` or, when noise keeps its voice
detector open, with `UtteranceEnd`; both can come for one utterance, a piece can be empty, come twice, come late, or
never. The rules here, in the vendor's words:

- the text is the concatenation of all non-empty final pieces since the last boundary;
- a boundary counts once, and only when there is text; an `UtteranceEnd` older than the newest interim words is stale;
- a span of audio is settled once: whatever comes again for it is dropped;
- when a wait for a final piece has run out, the newest interim words are taken as settled; what the late final piece
  has beyond them is still given, the rest is not repeated.

Pure: time is handed in. Times on the audio axis are seconds since the call's first frame: the connection's own times
plus the position at which the connection began.

Source: developers.deepgram.com, "Understand Endpointing and Interim Results", "Utterance End", "Finalize", read
2026-11-22.
"""

from __future__ import annotations

from dataclasses import dataclass

from moonwire.vendors.stt.deepgram.messages import Results, UtteranceEnd

_SAME_S = 0.02
"""Two times on the audio axis closer than one frame are the same."""
_COVERED_S = 0.1
"""A final piece that reaches this close to the place of the Finalize has answered it."""
_REPEAT_S = 1.0
"""Without usable times, the same piece again within this time is a repetition."""
_LATE_S = 3.0
"""Without usable times, a final piece this long after its interim words were taken is a new one."""
_FRESH_S = 0.7
"""Interim words younger than this are not closed by an UtteranceEnd that does not say what it refers to."""


@dataclass(frozen=True, slots=True)
class Interim:
    """The words of the utterance so far."""

    text: str


@dataclass(frozen=True, slots=True)
class Final:
    """A settled, non-empty piece."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class EndOfTurn:
    """The utterance is complete."""


Fact = Interim | Final | EndOfTurn


@dataclass(slots=True)
class _Tail:
    """Words that are not settled yet: their text and place, and when they last changed."""

    text: str
    start_s: float
    end_s: float
    confidence: float
    changed_at_s: float


class UtteranceAssembler:
    """One call's utterances, over all its connections.

    Args:
        short_utterances: each settled piece ends the utterance.
        min_confidence: pieces below are taken as not understood.
    """

    def __init__(self, *, short_utterances: bool = False, min_confidence: float = 0.0) -> None:
        self._short_utterances = short_utterances
        self._min_confidence = min_confidence
        self._pieces: list[str] = []
        self._tail: _Tail | None = None
        self._base_s = 0.0
        self._settled_s = 0.0
        self._newest_start_s: float | None = None
        self._times_usable = False
        self._last_piece: tuple[float, float, str] | None = None
        self._last_piece_at_s = 0.0
        self._changed_at_s = 0.0
        self._taken: _Tail | None = None
        self._finalize_at_s: float | None = None

    @property
    def settled_s(self) -> float | None:
        """Place up to which nothing need be heard again; None when the vendor's times are unusable."""
        if not self._times_usable:
            return None
        return max(self._settled_s, self._taken.end_s) if self._taken else self._settled_s

    @property
    def awaits_finalize(self) -> bool:
        """Whether a Finalize has not been answered yet."""
        return self._finalize_at_s is not None

    def pending_since_s(self) -> float | None:
        """Return when the open utterance last changed, or None when there is none."""
        return self._changed_at_s if self._pieces or self._tail else None

    def connection_opened(self, base_s: float) -> None:
        """Note where on the audio axis a new connection's time begins."""
        self._base_s = base_s
        self._newest_start_s = None

    def finalize_requested(self, at_s: float) -> None:
        """Note that everything up to `at_s` on the audio axis was asked for."""
        self._finalize_at_s = at_s

    def results(self, message: Results, now_s: float) -> list[Fact]:
        """Take words for a span of audio."""
        raw_start_s = message.start or 0.0
        if self._newest_start_s is not None and raw_start_s > self._newest_start_s:
            self._times_usable = True
        self._newest_start_s = max(raw_start_s, self._newest_start_s or 0.0)
        start_s = self._base_s + raw_start_s
        end_s = start_s + (message.duration or 0.0)
        settled_already = self._times_usable and end_s > start_s and end_s <= self._settled_s + _SAME_S
        if not message.is_final:
            return [] if settled_already else self._interim(message, start_s, end_s, now_s)
        return self._final(message, start_s, end_s, now_s, settled_already)

    def utterance_end(self, message: UtteranceEnd, now_s: float) -> list[Fact]:
        """Take the vendor's word-gap boundary; without an open utterance it has no meaning."""
        if (tail := self._tail) is not None:
            last_word_end = message.last_word_end
            if last_word_end is None or last_word_end < 0:
                stale = now_s - tail.changed_at_s < _FRESH_S
            else:
                stale = tail.end_s > self._base_s + last_word_end + _SAME_S
            if stale:
                return []
        return self._take_tail(now_s) + self._boundary()

    def give_up_waiting(self, now_s: float) -> list[Fact]:
        """Close the open utterance with what is there: the wait for its final pieces has run out."""
        return self._take_tail(now_s) + self._boundary()

    def _interim(self, message: Results, start_s: float, end_s: float, now_s: float) -> list[Fact]:
        text = self._beyond_taken(message.text, start_s, now_s, settles=False)
        if not text:
            self._tail = None
            return []
        if self._tail is not None and self._tail.text == text:
            return []
        word_end_s = message.last_word_end
        last_word_s = end_s if word_end_s is None else self._base_s + word_end_s
        self._tail = _Tail(text, start_s, last_word_s, message.best.confidence or 0.0, now_s)
        self._changed_at_s = now_s
        return [Interim(" ".join((*self._pieces, text)))]

    def _final(self, message: Results, start_s: float, end_s: float, now_s: float, settled_already: bool) -> list[Fact]:
        confidence = message.best.confidence or 0.0
        text = message.text if confidence >= self._min_confidence else ""
        piece = (start_s, end_s, text)
        repeated = not self._times_usable and piece == self._last_piece and now_s - self._last_piece_at_s < _REPEAT_S
        facts: list[Fact] = []
        if not (settled_already or repeated):
            if not text and message.from_finalize:
                facts = self._take_tail(now_s)
            else:
                facts = self._settle(text, confidence, start_s, now_s)
            self._settled_s = max(self._settled_s, end_s)
            self._last_piece, self._last_piece_at_s = piece, now_s
        closes = message.speech_final or (self._short_utterances and bool(facts))
        return facts + (self._boundary() if closes or self._answers_finalize(message, end_s, text) else [])

    def _settle(self, text: str, confidence: float, start_s: float, now_s: float) -> list[Fact]:
        text = self._beyond_taken(text, start_s, now_s, settles=True)
        self._tail = None
        if not text:
            return []
        self._pieces.append(text)
        self._changed_at_s = now_s
        return [Final(text, confidence)]

    def _answers_finalize(self, message: Results, end_s: float, text: str) -> bool:
        if self._finalize_at_s is None:
            return False
        if message.from_finalize:
            return True
        return end_s >= self._finalize_at_s - _COVERED_S if self._times_usable else bool(text)

    def _beyond_taken(self, text: str, start_s: float, now_s: float, *, settles: bool) -> str:
        """Return the words that were not already taken from interim results of the same span."""
        taken = self._taken
        if taken is None:
            return text
        if start_s > taken.start_s + _SAME_S or (not self._times_usable and now_s - taken.changed_at_s > _LATE_S):
            self._taken = None
            return text
        if settles:
            self._taken = None
        return " ".join(text.split()[len(taken.text.split()) :])

    def _take_tail(self, now_s: float) -> list[Fact]:
        """Treat the interim words as settled."""
        tail, self._tail = self._tail, None
        if tail is None:
            return []
        before = self._taken.text.split() if self._taken else []
        words = [*before, *tail.text.split()]
        self._taken = _Tail(" ".join(words), tail.start_s, tail.end_s, tail.confidence, now_s)
        self._pieces.append(tail.text)
        return [Final(tail.text, tail.confidence)]

    def _boundary(self) -> list[Fact]:
        self._finalize_at_s = None
        if not self._pieces:
            return []
        self._pieces.clear()
        return [EndOfTurn()]
