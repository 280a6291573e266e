"""SIP's UDP socket: raw and non-blocking, so that no datagram and no destination can take it down.

asyncio's datagram transport closes itself when `sendto` raises anything but OSError, for example on a Via port
above 65535; here such a destination is counted and dropped.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Literal

from moonwire.core.sip.message import MAX_MESSAGE_BYTES
from moonwire.transports.sip.flows import Address, sendable

_PER_WAKE = 64
_BUFFER_BYTES = 4 * 1024 * 1024


class UdpSocket:
    """One bound socket; datagrams go to `on_datagram` together with the flow back to their sender."""

    def __init__(self, on_datagram: Callable[[bytes, UdpFlow], None]) -> None:
        self._on_datagram = on_datagram
        self._socket: socket.socket | None = None
        self.dropped = 0
        """Datagrams not sent: impossible destination, full buffer, or an error of the network."""

    @property
    def local_port(self) -> int:
        """The bound port, 0 before open."""
        return int(self._socket.getsockname()[1]) if self._socket else 0

    def open(self, host: str, port: int) -> None:
        """Bind and begin to read.

        Raises:
            OSError: the address cannot be bound.
        """
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        bound = socket.socket(family, socket.SOCK_DGRAM)
        try:
            bound.setblocking(False)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
            bound.bind((host, port))
        except OSError:
            bound.close()
            raise
        self._socket = bound
        asyncio.get_running_loop().add_reader(bound.fileno(), self._readable)

    def close(self) -> None:
        """Stop reading and close."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def flow_to(self, address: Address) -> UdpFlow:
        """Return the way to a peer."""
        return UdpFlow(self, address)

    def send(self, data: bytes, address: Address) -> None:
        """Send one datagram; never raises."""
        if self._socket is None or not sendable(address):
            self.dropped += 1
            return
        try:
            self._socket.sendto(data, address)
        except (OSError, ValueError, OverflowError, TypeError):
            self.dropped += 1

    def _readable(self) -> None:
        for _ in range(_PER_WAKE):
            if self._socket is None:
                return
            try:
                data, address = self._socket.recvfrom(MAX_MESSAGE_BYTES + 1)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                continue  # a peer's ICMP error: the socket itself is fine
            self._on_datagram(data, UdpFlow(self, (str(address[0]), int(address[1]))))


class UdpFlow:
    """One UDP peer."""

    __slots__ = ("_remote", "_socket")

    def __init__(self, udp: UdpSocket, remote: Address) -> None:
        self._socket = udp
        self._remote = remote

    @property
    def protocol(self) -> Literal["udp"]:
        """The transport."""
        return "udp"

    @property
    def remote(self) -> Address:
        """The peer's address and port."""
        return self._remote

    @property
    def alive(self) -> bool:
        """UDP has no connection to lose."""
        return True

    def send(self, data: bytes) -> None:
        """Send one datagram."""
        self._socket.send(data, self._remote)

    def to_port(self, port: int) -> UdpFlow:
        """Return the way to another port of the same peer."""
        return UdpFlow(self._socket, (self._remote[0], port))
