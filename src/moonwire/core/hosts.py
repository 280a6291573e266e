"""Decides which hosts an application or a portal user may name: public ones, and private ones the operator lists.

Only what is written is judged here (IP literals and names); who resolves a name must ask again with the address.
Names without a dot and those of private zones are private.

Source: RFC 4291 section 2.5.5, RFC 6052 section 2.1, RFC 6761 section 6.3, RFC 6762 section 3, RFC 8375.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

_SCHEMES = frozenset({"http", "https", "ws", "wss"})
_LOCAL_SUFFIXES = (".localhost", ".local", ".localdomain", ".internal", ".intranet", ".lan", ".home.arpa")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")
LOOPBACK = ("127.0.0.0/8", "::1/128", "localhost")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class HostPolicy:
    """The operator's list of private hosts and networks."""

    def __init__(self, permitted: Iterable[str] = ()) -> None:
        """Read the list.

        Args:
            permitted: host names, IP addresses or networks ("10.0.0.0/8", "vllm.internal").
        """
        self._names: set[str] = set()
        self._networks: list[Network] = []
        for entry in permitted:
            try:
                self._networks.append(ipaddress.ip_network(entry, strict=False))
            except ValueError:
                self._names.add(entry.lower().rstrip("."))

    def allows_url(self, url: str) -> bool:
        """Whether the URL may be named; anything but http, https, ws and wss may not."""
        try:
            parts = urlsplit(url)
            host = parts.hostname
        except ValueError:
            return False
        return parts.scheme.lower() in _SCHEMES and host is not None and self.allows_host(host)

    def allows_host(self, host: str) -> bool:
        """Whether a host name or IP literal may be named."""
        name = host.lower().rstrip(".")
        if self.names(name):
            return True
        try:
            return self.allows_address(ipaddress.ip_address(name.strip("[]").split("%")[0]))
        except ValueError:
            pass
        if _is_numeric(name):
            return False  # 2130706433 and 0x7f.1 are spellings of addresses that only some resolvers accept
        return "." in name and not name.endswith(_LOCAL_SUFFIXES)

    def names(self, host: str) -> bool:
        """Whether the operator's list holds this very name, wherever it leads."""
        return host.lower().rstrip(".") in self._names

    def allows_address(self, address: Address) -> bool:
        """Whether a resolved address may be connected to."""
        if isinstance(address, ipaddress.IPv6Address):
            address = _inner_address(address) or address
        if any(address.version == network.version and address in network for network in self._networks):
            return True
        return address.is_global and not address.is_multicast


def _inner_address(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that a mapped, compatible, 6to4 or NAT64 address leads to."""
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):  # ::1 is loopback itself
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _is_numeric(name: str) -> bool:
    return all(part.isdigit() or part.startswith("0x") for part in name.split(".")) if name else True
