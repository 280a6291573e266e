"""Counts tokens roughly but steadily, and finds the part of a prompt that an earlier one had in common."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

_encode = msgspec.json.Encoder().encode
_BYTES_PER_TOKEN = 4
_CACHE_BYTES = 256 * _BYTES_PER_TOKEN
_REMEMBERED = 5000
_PIECES = re.compile(r"\s*(?:[A-Za-z0-9'’_-]+|[^\sA-Za-z0-9])")


def estimate_tokens(messages: Sequence[Mapping[str, object]], tools: Sequence[Mapping[str, object]] = ()) -> int:
    """Estimate a prompt's tokens: four bytes of its JSON each."""
    return max(1, (len(_encode(list(messages))) + len(_encode(list(tools)))) // _BYTES_PER_TOKEN)


def pieces(text: str) -> list[str]:
    """Cut an answer into token-like pieces whose concatenation is the answer (but for trailing blanks)."""
    return _PIECES.findall(text)


class PrefixCache:
    """Remembers the beginnings of each organisation's latest prompts and counts what a new one shares with them.

    Source: Moonshot's automatic prefix caching; hit sizes seen were multiples of 256.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[str, int], None] = {}

    def cached_tokens(
        self, owner: str, messages: Sequence[Mapping[str, object]], tools: Sequence[Mapping[str, object]]
    ) -> int:
        """Return the shared tokens and remember this prompt."""
        prompt = _encode(list(tools)) + _encode(list(messages))
        shared = 0
        for end in range(_CACHE_BYTES, len(prompt) + 1, _CACHE_BYTES):
            beginning = (owner, hash(prompt[:end]))
            if beginning in self._seen:
                shared = end
            else:
                self._seen[beginning] = None
        while len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return shared // _BYTES_PER_TOKEN
