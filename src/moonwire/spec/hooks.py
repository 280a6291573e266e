"""Hooks: where an application wants to hear of something; a string, or an object with method and credentials."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook; `url` is the application's own string, echoed exactly (fragment included)."""

    url: str
    method: Literal["GET", "POST", "WS"] = "POST"
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def is_relative(self) -> bool:
        """Whether the hook lives on the application's own connection or base URL."""
        return "://" not in self.url
