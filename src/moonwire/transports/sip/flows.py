"""Where SIP bytes come from and go to: one flow is one UDP peer or one TCP connection."""

from __future__ import annotations

import socket
from typing import Literal, Protocol

from moonwire.core.sip.grammar import ip_literal, valid_port

Address = tuple[str, int]


class Flow(Protocol):
    """A way to one peer; sending never raises and never blocks."""

    @property
    def protocol(self) -> Literal["udp", "tcp"]:
        """The transport."""
        ...

    @property
    def remote(self) -> Address:
        """The peer's IP address and port."""
        ...

    @property
    def alive(self) -> bool:
        """Whether sending still makes sense (UDP: always)."""
        ...

    def send(self, data: bytes) -> None:
        """Send one message, or count it as dropped."""
        ...


def sendable(address: Address) -> bool:
    """Tell whether a datagram may be sent there: an IP literal and a real port."""
    host, port = address
    return ip_literal(host) is not None and valid_port(port)


def local_address_towards(remote: str) -> str:
    """Return the address of ours that packets to a peer leave from; asks the routing table, sends nothing."""
    family = socket.AF_INET6 if ":" in remote else socket.AF_INET
    loopback = "::1" if ":" in remote else "127.0.0.1"
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((remote, 9))
            return str(probe.getsockname()[0])
        except OSError:
            return loopback
