"""Decides which hosts a REST or portal user may name in a URL: public ones, and private ones the operator has allowed.

Names are judged by how they look, addresses by their range; whoever connects resolves the name, asks again for each
address and connects to the address that was judged (a name may point anywhere by then).

Source: RFC 6890, RFC 6761 sections 6.3 and 6.4, RFC 6762 section 3, RFC 9637.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

_PRIVATE_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home.arpa", "localdomain")
_NAT64 = ip_network("64:ff9b::/96")
LOOPBACK_HOSTS = ("localhost", "127.0.0.0/8", "::1")


class PrivateHosts:
    """The operator's list: names, addresses and networks in private ranges that users may name."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._names: set[str] = set()
        self._networks: list[IPv4Network | IPv6Network] = []
        for entry in allowed:
            try:
                self._networks.append(ip_network(entry.strip("[]"), strict=False))
            except ValueError:
                self._names.add(_plain(entry))

    def refuses_url(self, url: str) -> str | None:
        """Return the host of a URL when users may not name it, else None."""
        try:
            host = urlsplit(url).hostname or ""
        except ValueError:
            return url
        return host if self.refuses_host(host) else None

    def refuses_host(self, host: str) -> bool:
        """Say whether users may not name this host, as far as its text tells."""
        host = _plain(host)
        if host in self._names:
            return False
        address = _literal(host)
        if address is not None:
            return self.refuses_address(str(address))
        return "." not in host or any(host == name or host.endswith(f".{name}") for name in _PRIVATE_NAMES)

    def refuses_address(self, address: str) -> bool:
        """Say whether a connection to this address is refused (for a host that is not allowed by name)."""
        found = _literal(address)
        if found is None:
            return True
        if isinstance(found, IPv6Address) and (inner := _embedded(found)) is not None:
            found = inner
        return not found.is_global and not any(found in network for network in self._networks)

    def allows_name(self, host: str) -> bool:
        """Say whether the operator has allowed this name, wherever it points."""
        return _plain(host) in self._names


def _plain(host: str) -> str:
    return host.strip().strip("[]").rstrip(".").lower()


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    """Read an address, also in the odd spellings that resolvers accept (`127.1`, `2130706433`, `0x7f.1`)."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        pass
    parts = host.split(".")
    try:
        numbers = [int(part, _radix(part)) for part in parts if part]
    except ValueError:
        return None
    if not 1 <= len(numbers) <= 4 or len(numbers) != len(parts):
        return None
    *heads, tail = numbers
    value = sum(head << (8 * (3 - index)) for index, head in enumerate(heads)) + tail
    return IPv4Address(value) if 0 <= value < 2**32 else None


def _radix(digits: str) -> int:
    return 16 if digits.startswith("0x") else 8 if digits.startswith("0") else 10


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address inside a mapped, 6to4 or NAT64 one."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
