"""Maps an application's tool names to names a vendor accepts, and back."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ACCEPTED = re.compile(r"[A-Za-z][A-Za-z0-9_-]{2,63}")
_REFUSED = re.compile(r"[^A-Za-z0-9_-]")
_MAX_CHARACTERS = 64


class ToolNames:
    """One agent's names: a letter first, then letters, digits, `_`, `-`; 3 to 64 characters; unique.

    Source: Moonshot's chat API reference (function name pattern) and its live error text, read 2026-11-22.
    """

    __slots__ = ("_to_application", "_to_vendor")

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._to_vendor: dict[str, str] = {}
        self._to_application: dict[str, str] = {}
        wanted = list(dict.fromkeys(names))
        # Names that are fine as they are keep themselves; only then do the others take what is free.
        for name in sorted(wanted, key=lambda name: _ACCEPTED.fullmatch(name) is None):
            self._add(name)

    def _add(self, name: str) -> str:
        sent = name if _ACCEPTED.fullmatch(name) else _repaired(name)
        stem, count = sent, 2
        while sent in self._to_application:
            suffix = f"_{count}"
            sent, count = stem[: _MAX_CHARACTERS - len(suffix)] + suffix, count + 1
        self._to_vendor[name] = sent
        self._to_application[sent] = name
        return sent

    def to_vendor(self, name: str) -> str:
        """Return the vendor's spelling; a name that is no longer offered (old history) is repaired on the spot."""
        known = self._to_vendor.get(name)
        return known if known is not None else _repaired(name)

    def in_choice(self, choice: object) -> object:
        """Return a `tool_choice` with the vendor's spelling of the function it names."""
        match choice:
            case {"type": "function", "function": {"name": str(name)}}:
                return {"type": "function", "function": {"name": self.to_vendor(name)}}
            case _:
                return choice

    def to_application(self, name: str) -> str:
        """Return the application's spelling; a name the model made up stays as it is."""
        return self._to_application.get(name, name)


def _repaired(name: str) -> str:
    if _ACCEPTED.fullmatch(name):
        return name
    plain = _REFUSED.sub("_", name)
    if not plain[:1].isalpha():
        plain = f"tool_{plain}"
    return plain[:_MAX_CHARACTERS].ljust(3, "_")
