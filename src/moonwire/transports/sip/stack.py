"""What every call of an endpoint shares: transactions, dialogs, our own addresses, and ways to peers."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from moonwire.core.sip.dialog import DialogKey
from moonwire.core.sip.grammar import bracketed, ip_literal, parameter, parse_uri, valid_port
from moonwire.core.sip.message import Request, encode
from moonwire.core.sip.transactions import Timing
from moonwire.errors import RemoteProtocolError
from moonwire.ports.clock import Clock
from moonwire.transports.sip.exchanges import DEFAULT_PORT, ClientExchange, ExchangeTable, OnResponse, ServerExchange
from moonwire.transports.sip.flows import Address, Flow, local_address_towards
from moonwire.transports.sip.tcp import TcpLayer
from moonwire.transports.sip.udp import UdpSocket


class DialogOwner(Protocol):
    """Whoever answers the requests of one dialog."""

    @property
    def over(self) -> bool:
        """Whether the call has ended."""
        ...

    @property
    def remote_tag(self) -> str:
        """The peer's tag."""
        ...

    def receive(self, exchange: ServerExchange) -> None:
        """Take a request inside the dialog (no ACK, no CANCEL)."""
        ...

    def receive_ack(self, ack: Request) -> None:
        """Take the ACK of a 2xx."""
        ...

    def shut_down(self) -> None:
        """End the call because the endpoint stops."""
        ...


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URI says to send to."""

    host: str
    port: int
    protocol: Literal["udp", "tcp"]
    explicit: bool
    """The URI names its transport."""


def new_token() -> str:
    """Return a fresh tag, branch or Call-ID part."""
    return secrets.token_hex(8)


class SipStack:
    """The shared parts of one endpoint; `on_message` takes what comes over both sockets."""

    def __init__(
        self,
        *,
        host: str,
        public_ip: str | None,
        clock: Clock,
        timing: Timing,
        on_message: Callable[[bytes, Flow], None],
    ) -> None:
        self.host = host
        self.clock = clock
        self.timing = timing
        self.exchanges = ExchangeTable(clock, timing)
        self.dialogs: dict[DialogKey, DialogOwner] = {}
        self._public_ip = public_ip
        self._udp = UdpSocket(on_message)
        self._tcp = TcpLayer(on_message)

    @property
    def local_port(self) -> int:
        """The bound port, UDP and TCP."""
        return self._udp.local_port

    @property
    def connections(self) -> int:
        """TCP connections that are up."""
        return self._tcp.connections

    async def open(self, port: int) -> None:
        """Bind UDP and TCP to the same port.

        Raises:
            OSError: one of them is taken; nothing stays open.
        """
        self._udp.open(self.host, port)
        try:
            await self._tcp.open(self.host, self._udp.local_port)
        except OSError:
            self._udp.close()
            raise

    async def close(self) -> None:
        """Forget all transactions and dialogs, close the sockets."""
        self.exchanges.close()
        self.dialogs.clear()
        await self._tcp.close()
        self._udp.close()

    def advertised_address(self, peer: str) -> str:
        """Return our address as this peer must see it: the public one, but never for a peer on this machine."""
        if self._public_ip and not ipaddress.ip_address(peer).is_loopback:
            return self._public_ip
        if not ipaddress.ip_address(self.host).is_unspecified:
            return self.host
        return local_address_towards(peer)

    def contact(self, flow: Flow) -> str:
        """Return our Contact for a peer."""
        address = bracketed(self.advertised_address(flow.remote[0]))
        suffix = ";transport=tcp" if flow.protocol == "tcp" else ""
        return f"<sip:moonwire@{address}:{self.local_port}{suffix}>"

    def stamp(self, request: Request, flow: Flow) -> None:
        """Put our Via on top of a request."""
        address = bracketed(self.advertised_address(flow.remote[0]))
        branch = f"z9hG4bK{new_token()}"
        via = f"SIP/2.0/{flow.protocol.upper()} {address}:{self.local_port};branch={branch};rport"
        request.headers.setlist("Via", [via])

    def send(
        self,
        request: Request,
        flow: Flow,
        *,
        on_response: OnResponse | None = None,
        on_timeout: Callable[[], None] | None = None,
    ) -> ClientExchange:
        """Send a request in a new transaction."""
        self.stamp(request, flow)
        return self.exchanges.send(request, flow, on_response=on_response, on_timeout=on_timeout)

    def send_ack(self, ack: Request, flow: Flow) -> None:
        """Send the ACK of a 2xx, which has no transaction."""
        self.stamp(ack, flow)
        flow.send(encode(ack))

    def flow_to(self, address: Address, protocol: Literal["udp", "tcp"]) -> Flow:
        """Return a way to an address."""
        return self._tcp.flow_to(address) if protocol == "tcp" else self._udp.flow_to(address)

    async def open_tcp(self, address: Address) -> Flow:
        """Connect to a peer.

        Raises:
            OSError, TimeoutError: it cannot be reached.
        """
        return await self._tcp.connect(address)

    def flow_for(self, uri: str, usual: Flow, *, symmetric: bool) -> Flow:
        """Return the way for a request inside a dialog.

        Args:
            uri: the next hop, a route or the remote target.
            usual: the way the dialog came; used for names (nothing is looked up inside a call), while a TCP
                connection is up, and behind NAT.
            symmetric: the peer is behind NAT, its own address is of no use.
        """
        if symmetric and usual.alive:
            return usual
        try:
            target = read_target(uri)
        except RemoteProtocolError:
            return usual
        address = ip_literal(target.host)
        if address is None:
            return usual
        protocol = target.protocol if target.explicit else usual.protocol
        if usual.alive and usual.protocol == protocol == "tcp":
            return usual
        return self.flow_to((address, target.port), protocol)


def read_target(uri: str) -> Target:
    """Read where a URI says to send to; maddr is not followed.

    Raises:
        RemoteProtocolError: no SIP URI, a port out of range, or a transport we do not speak.

    Source: RFC 3261 section 19.1; RFC 3263 section 4 without DNS records.
    """
    parsed = parse_uri(uri)
    named = parameter(parsed.parameters, "transport")
    transport = (named or "udp").lower()
    port = DEFAULT_PORT if parsed.port is None else parsed.port
    if parsed.scheme != "sip" or transport not in ("udp", "tcp") or not valid_port(port):
        raise RemoteProtocolError("cannot send to this URI", status=416)
    return Target(parsed.host.strip("[]"), port, "tcp" if transport == "tcp" else "udp", bool(named))
