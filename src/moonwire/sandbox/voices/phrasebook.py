"""The lines a sandbox caller can say, recorded once and shipped; the sandbox recogniser knows exactly these.

Recorded with flite 2.2, voice `slt` (BSD-style licence, CMU Arctic), 8 kHz mu-law.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources

import msgspec

PHRASES_FOLDER = "phrases"
INDEX_FILE = "index.json"


class Phrasebook(Mapping[str, bytes]):
    """Text -> mu-law 8 kHz audio, in the order of the book; look-ups ignore case and punctuation."""

    def __init__(self, phrases: Mapping[str, bytes]) -> None:
        self._phrases = dict(phrases)
        self._spellings = {plain(text): text for text in self._phrases}

    def __getitem__(self, text: str) -> bytes:
        return self._phrases[self._spellings[plain(text)]]

    def __contains__(self, text: object) -> bool:
        return isinstance(text, str) and plain(text) in self._spellings

    def __iter__(self) -> Iterator[str]:
        return iter(self._phrases)

    def __len__(self) -> int:
        return len(self._phrases)

    def closest(self, text: str) -> str | None:
        """Return the book's own spelling of a phrase, or None when it is not in the book."""
        return self._spellings.get(plain(text))


def plain(text: str) -> str:
    """Return a phrase without case, punctuation and superfluous blanks."""
    return " ".join("".join(char if char.isalnum() else " " for char in text.lower().replace("'", "")).split())


@cache
def load_phrasebook() -> Phrasebook:
    """Return the shipped phrases."""
    folder = resources.files("moonwire.sandbox.voices") / PHRASES_FOLDER
    index = msgspec.json.decode((folder / INDEX_FILE).read_bytes(), type=dict[str, str])
    return Phrasebook({text: (folder / name).read_bytes() for text, name in index.items()})
