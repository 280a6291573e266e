"""Commands that an application sends without being asked (jambonz contract 1.7, 4.8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class UnknownCommand:
    """A command outside the vocabulary; logged and ignored."""

    name: str
    data: Any


Command = UnknownCommand
