"""What REST asks of the calls that are up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from moonwire.spec.commands import Command
from moonwire.spec.transfers import Target


@dataclass(frozen=True, slots=True)
class LiveCall:
    """One call at this moment; `payload` is its base payload (jambonz contract section 3.1)."""

    call_sid: str
    account_sid: str
    payload: Mapping[str, Any]
    attempted_at: float | None = None
    """Seconds since 1970."""
    answered_at: float | None = None
    duration_s: int = 0
    """Since the answer."""


@dataclass(frozen=True, slots=True)
class NewCall:
    """A call that REST asks for."""

    account_sid: str
    target: Target
    from_: str
    application_sid: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Members of the ApplicationRecord that hold for this call only: call_hook, app_json, synthesizer ..."""
    from_host: str | None = None
    caller_name: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    timeout_s: float = 60.0
    time_limit_s: float | None = None
    """Longest call, from the answer on."""
    customer_data: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class PlacedCall:
    """A call that is under way."""

    call_sid: str
    call_id: str


class LiveCalls(Protocol):
    """All calls of the process that have an application."""

    def all(self) -> Sequence[LiveCall]:
        """Return them, oldest first."""
        ...

    def get(self, call_sid: str) -> LiveCall | None:
        """Return one."""
        ...

    async def place(self, call: NewCall) -> PlacedCall:
        """Begin a call; returns when the INVITE is out.

        Raises:
            CallError: it cannot be placed; `reason` is no-application, unsupported-target, no-route, private-address,
                unreachable or busy.
            RemoteProtocolError: the address is none.
        """
        ...

    def execute(self, call_sid: str, command: Command) -> None:
        """Carry out a command.

        Raises:
            CallError: the call is over, or in no state for this command.
        """
        ...
