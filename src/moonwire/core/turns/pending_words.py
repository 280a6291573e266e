"""Keeps what the caller has said and nobody has answered yet: settled pieces, words that may change, keys pressed."""

from __future__ import annotations

from moonwire.core.turns.words import joined, tokens


class PendingWords:
    """The caller's turn so far; true when anything is settled."""

    def __init__(self) -> None:
        self.interim = ""
        """Words of the current utterance that may still change."""
        self.keying = False
        """The last thing was a key that was pressed."""
        self.settled_at = float("-inf")
        """When the newest piece was settled."""
        self._pieces: list[str] = []

    def __bool__(self) -> bool:
        """Tell whether anything is settled."""
        return bool(self._pieces)

    def text(self, more: str = "") -> str:
        """Return what is settled, with more behind it."""
        return joined([*self._pieces, more] if more else self._pieces)

    def foreseen(self) -> str:
        """Return what the turn will be if the interim words are right; they repeat the pieces of their utterance."""
        newest = tokens(self.interim)
        for count in range(len(self._pieces)):
            settled = tokens(joined(self._pieces[count:]))
            if newest[: len(settled)] == settled:
                return joined([*self._pieces[:count], self.interim])
        return self.text(self.interim)

    def settle(self, text: str, at: float) -> None:
        """Add a settled piece."""
        self.settled_at = at
        self._pieces.append(text.strip())
        self.interim = ""
        self.keying = False

    def press(self, digit: str) -> None:
        """Add a key; keys in a row form one piece."""
        if self.keying:
            self._pieces[-1] = f"{self._pieces[-1][:-1]}{digit})"
        else:
            self._pieces.append(f"(keypad: {digit})")
        self.keying = True

    def clear(self) -> None:
        """Begin a new turn."""
        self._pieces.clear()
        self.interim = ""
        self.keying = False
