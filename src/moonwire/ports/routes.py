"""What a call asks when it wants to reach a telephone number: which gateway takes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class OutboundRoute:
    """One carrier's gateway."""

    carrier: str
    host: str
    port: int = 5060
    protocol: str = "udp"
    auth: tuple[str, str] | None = field(default=None, repr=False)
    """User and password for digest, where the carrier wants them."""

    def uri(self, number: str) -> str:
        """Return the SIP URI of a number behind this gateway."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        transport = ";transport=tcp" if self.protocol == "tcp" else ""
        return f"sip:{number}@{host}:{self.port}{transport}"


class OutboundRoutes(Protocol):
    """Answers from memory."""

    def route(self, account_sid: str, trunk: str | None) -> OutboundRoute | None:
        """Return the route of an account's calls, over a named carrier or any."""
        ...
