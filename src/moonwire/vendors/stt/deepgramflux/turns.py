"""Decides what Flux's turn messages mean for the conversation; pure.

The vendor's states are idle, open and awaiting the end; every message carries the whole turn's words. The rules here:

- a turn ends once; whatever comes later for its index is dropped; an end without a start seen before counts;
- the words of a turn are given once as settled, with its end; a turn without words ends unnoticed;
- a turn that had to be closed by us (no answer, connection lost) has given its words: only what goes beyond them is
  given later.

Source: developers.deepgram.com, "Flux state machine", read 2026-11-22.
"""

from __future__ import annotations

from dataclasses import dataclass

from moonwire.vendors.stt.deepgramflux.messages import TurnInfo


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller began to speak."""


@dataclass(frozen=True, slots=True)
class Interim:
    """The words of the turn so far."""

    text: str


@dataclass(frozen=True, slots=True)
class EarlyEnd:
    """The turn has probably ended with these words."""

    text: str


@dataclass(frozen=True, slots=True)
class Resumed:
    """It had not."""


@dataclass(frozen=True, slots=True)
class Final:
    """The turn's settled words."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class EndOfTurn:
    """The turn is complete."""


@dataclass(frozen=True, slots=True)
class Language:
    """What the turn is spoken in."""

    code: str


Fact = SpeechStarted | Language | Interim | EarlyEnd | Resumed | Final | EndOfTurn


class FluxTurns:
    """One call's turns, over all its connections.

    Args:
        min_confidence: turns below are taken as not understood.
    """

    def __init__(self, min_confidence: float = 0.0) -> None:
        self._min_confidence = min_confidence
        self._open = False
        self._early = False
        self._text = ""
        self._said_language: str | None = None
        """The open turn's language, as told already."""
        self._ended_index = -1
        self._taken_words = 0
        """Words of the open turn that have already been given as settled."""
        self._owes_end = False
        """Words were given whose turn has not been closed."""

    @property
    def is_open(self) -> bool:
        """Whether a turn is going on at the vendor."""
        return self._open

    @property
    def has_words(self) -> bool:
        """Whether the open turn has words that are not settled."""
        return bool(self._text)

    @property
    def owes_end(self) -> bool:
        """Whether words of a lost turn wait for their end."""
        return self._owes_end

    def connection_opened(self) -> None:
        """Hear that the vendor counts turns anew."""
        self._ended_index = -1
        self._taken_words = 0

    def take(self, info: TurnInfo) -> list[Fact]:
        """Take a message."""
        index = self._ended_index + 1 if info.turn_index is None else info.turn_index
        if index <= self._ended_index:
            return []
        match info.event:
            case "StartOfTurn" | "Update":
                return self._words(info, starts=info.event == "StartOfTurn")
            case "EagerEndOfTurn":
                facts = [*self._words(info, starts=True), *self._language(info)]
                if not self._early and self._text:
                    self._early = True
                    facts.append(EarlyEnd(self._text))
                return facts
            case "TurnResumed":
                return [*self._withdraw(), *self._words(info, starts=True)]
            case "EndOfTurn":
                self._ended_index = index
                language = self._language(info)
                self._said_language = None
                return [*language, *self._end(info.text, info.confidence)]
            case _:
                return []

    def settle(self) -> list[Fact]:
        """Close the open turn with the words that are there: the vendor does not answer."""
        if not self._text:
            return []
        taken = self._taken_words + len(self._text.split())
        facts = self._end(self._text, 1.0, already_cut=True)
        self._taken_words = taken
        return facts

    def lost(self) -> list[Fact]:
        """Give the words of a turn that was cut by a lost connection; its end is owed."""
        facts = self._withdraw()
        text, self._text, self._open = self._text, "", False
        if text:
            self._owes_end = True
            facts.append(Final(text, 1.0))
        return facts

    def forget(self) -> list[Fact]:
        """Drop the open turn: the vendor is going to hear all of it again."""
        facts = self._withdraw()
        self._text, self._open = "", False
        return facts

    def pay(self) -> list[Fact]:
        """Close the turn whose end is owed."""
        if not self._owes_end:
            return []
        self._owes_end = False
        return [EndOfTurn()]

    def _words(self, info: TurnInfo, *, starts: bool) -> list[Fact]:
        text = self._beyond_taken(info.text)
        facts: list[Fact] = []
        if not self._open and (starts or text):
            self._open = True
            facts.append(SpeechStarted())
        if text and text != self._text:
            self._text = text
            facts.append(Interim(text))
        return facts

    def _end(self, text: str, confidence: float, *, already_cut: bool = False) -> list[Fact]:
        text = text if already_cut else self._beyond_taken(text)
        if confidence < self._min_confidence:
            text = ""
        self._taken_words = 0
        facts: list[Fact] = [] if self._open or not text else [SpeechStarted()]
        if not text:
            facts += self._withdraw()
        self._open, self._early, self._text = False, False, ""
        if text:
            facts.append(Final(text, confidence))
            self._owes_end = True
        return [*facts, *self.pay()]

    def _language(self, info: TurnInfo) -> list[Fact]:
        language = info.languages[0] if info.languages and info.text else None
        if not language or language == self._said_language:
            return []
        self._said_language = language
        return [Language(language)]

    def _withdraw(self) -> list[Fact]:
        early, self._early = self._early, False
        return [Resumed()] if early else []

    def _beyond_taken(self, text: str) -> str:
        return " ".join(text.split()[self._taken_words :]) if self._taken_words else text
