"""What REST asks of the calls that are up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from moonwire.spec.commands import Command


@dataclass(frozen=True, slots=True)
class LiveCall:
    """One call at this moment; `payload` is its base payload (jambonz contract section 3.1)."""

    call_sid: str
    account_sid: str
    payload: Mapping[str, Any]


class LiveCalls(Protocol):
    """All calls of the process that have an application."""

    def all(self) -> Sequence[LiveCall]:
        """Return them, oldest first."""
        ...

    def get(self, call_sid: str) -> LiveCall | None:
        """Return one."""
        ...

    def execute(self, call_sid: str, command: Command) -> None:
        """Carry out a command.

        Raises:
            CallError: the call is over, or in no state for this command.
        """
        ...
