"""Finds the carrier an address belongs to: longest matching network first, in memory."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network

_CACHED_ADDRESSES = 10_000


class NetworkTable:
    """An ordered set of networks with an owner each; immutable but for its answer cache."""

    def __init__(self, owned: Iterable[tuple[Network, str]]) -> None:
        self._owned = sorted(owned, key=lambda entry: -entry[0].prefixlen)
        self._answers: dict[str, str | None] = {}

    def owner(self, address: str) -> str | None:
        """Return the owner of the most specific network that holds the address; of two equal ones the first given."""
        try:
            return self._answers[address]
        except KeyError:
            if len(self._answers) >= _CACHED_ADDRESSES:
                self._answers.clear()
            found = self._answers[address] = self._search(address)
            return found

    def _search(self, text: str) -> str | None:
        try:
            address = plain_address(text)
        except ValueError:
            return None
        return next((owner for network, owner in self._owned if address in network), None)


def plain_address(text: str) -> IPv4Address | IPv6Address:
    """Read an address; brackets and zone are dropped, an IPv4-mapped IPv6 address becomes IPv4.

    Raises:
        ValueError: no IP address.

    Source: RFC 4291 section 2.5.5.2.
    """
    address = ip_address(text.strip("[]").partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
