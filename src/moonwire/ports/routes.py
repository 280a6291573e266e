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
    leading_plus: bool | None = None
    """Whether the carrier wants numbers with their plus; None leaves them as they are."""
    prefix: str = ""
    """Goes before every number."""
    proxy: str | None = None
    """SIP URI of the next hop, when it is not the gateway itself."""
    guarded: bool = False
    """A user wrote its addresses: they must not be private, except those that the operator permits."""

    def uri(self, number: str) -> str:
        """Return the SIP URI of a number behind this gateway."""
        if self.leading_plus is not None and number.lstrip("+").isdigit():
            number = ("+" if self.leading_plus else "") + number.lstrip("+")
        number = f"{self.prefix}{number}".replace("#", "%23")  # RFC 3261 section 25.1: not allowed in a user part
        host = f"[{self.host}]" if ":" in self.host else self.host
        transport = ";transport=tcp" if self.protocol == "tcp" else ""
        return f"sip:{number}@{host}:{self.port}{transport}"


class OutboundRoutes(Protocol):
    """Answers from memory."""

    def route(self, account_sid: str, trunk: str | None) -> OutboundRoute | None:
        """Return the route of an account's calls, over a named carrier or any."""
        ...
