"""Decides about every outgoing connection by the address it really goes to, whatever name led there.

A name is judged where it is taken in (core/hosts.py); here its addresses are, at the moment of connecting, so that a
name that resolves to a private address, today or a second later, opens no door.
"""

from __future__ import annotations

import ipaddress
import socket
from collections import OrderedDict
from collections.abc import Sequence

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from moonwire.core.hosts import HostPolicy

_IDLE_CONNECTION_S = 60.0
_DNS_S = 300
_VOUCHED = 1000


class PrivateAddressError(OSError):
    """The connection would lead to an address that this server does not open to its users."""

    def __init__(self) -> None:
        super().__init__("the address is private")


class AddressGuard:
    """Makes connectors for addresses that users chose; what the operator wrote goes elsewhere, unguarded."""

    def __init__(self, hosts: HostPolicy) -> None:
        """Take what users may name."""
        self._hosts = hosts
        self._vouched: OrderedDict[str, None] = OrderedDict()
        """Addresses of names that the operator's list holds; they may be private."""

    def allows_url(self, url: str) -> bool:
        """Whether a URL may be dialled, as far as its text tells."""
        return self._hosts.allows_url(url)

    def connector(self) -> aiohttp.BaseConnector:
        """Return a connection pool that looks at each address before it connects."""
        return aiohttp.TCPConnector(
            limit=0,
            ttl_dns_cache=_DNS_S,
            keepalive_timeout=_IDLE_CONNECTION_S,
            resolver=_GuardedResolver(self),
            socket_factory=self._socket,
        )

    def permitted(self, host: str, addresses: Sequence[str]) -> list[str]:
        """Return those of a name's addresses that may be connected to; names of the list may lead anywhere."""
        if not self._hosts.names(host):
            return [address for address in addresses if self._allows(address)]
        for address in addresses:
            self._vouched[address] = None
            self._vouched.move_to_end(address)
        while len(self._vouched) > _VOUCHED:
            self._vouched.popitem(last=False)
        return list(addresses)

    def _socket(self, addr_info: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
        """Open the socket for a resolved address or an address literal; the last look before connecting.

        Raises:
            PrivateAddressError: it may not be connected to.
        """
        address = str(addr_info[4][0])
        if address not in self._vouched and not self._allows(address):
            raise PrivateAddressError
        return socket.socket(addr_info[0], addr_info[1], addr_info[2])

    def _allows(self, address: str) -> bool:
        try:
            return self._hosts.allows_address(ipaddress.ip_address(address.split("%")[0]))
        except ValueError:
            return False


class _GuardedResolver(AbstractResolver):
    """The system's resolver, without the addresses that may not be connected to."""

    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard
        self._resolver = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolve a name.

        Raises:
            PrivateAddressError: it has no other addresses than private ones.
        """
        found = await self._resolver.resolve(host, port, family)
        permitted = set(self._guard.permitted(host, [entry["host"] for entry in found]))
        if found and not permitted:
            raise PrivateAddressError
        return [entry for entry in found if entry["host"] in permitted]

    async def close(self) -> None:
        """Let go of the resolver."""
        await self._resolver.close()
