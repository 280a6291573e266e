"""Tries the way to a vendor step by step (name, connection, proxy, TLS), times each step and names what fails.

The Test shows these words, and calls use the same ones when a connection cannot be made.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import aiohttp

from moonwire.vendors.address_guard import AddressGuard, PrivateAddressError
from moonwire.vendors.proxies import proxy_for

_CONNECT_S = 2.0
_HEAD_BYTES = 16 * 1024
_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_OK = 200
_PROXY_AUTH = 407


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no connection: a stable word, a sentence, and what to do."""

    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Reached:
    """How long each step took, in milliseconds; None for steps that this address does not need."""

    dns_ms: float | None
    tcp_ms: float
    tls_ms: float | None
    proxy: str = ""
    """Host of the proxy in between."""

    @property
    def total_ms(self) -> float:
        """All steps together."""
        return (self.dns_ms or 0.0) + self.tcp_ms + (self.tls_ms or 0.0)


class ProxyRefusedError(OSError):
    """The proxy does not connect us further."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the proxy answered {status}")
        self.status = status


async def reach(base_url: str, guard: AddressGuard | None = None, *, proxied: bool = True) -> Reached:
    """Open a connection as calls do, and close it again.

    Args:
        base_url: http(s) or ws(s).
        guard: judges the addresses; None = all may be connected to.
        proxied: whether calls go through the environment's proxy.

    Raises:
        OSError: of the step that failed; `trouble_of` says it in words. TimeoutError is one of them.
    """
    parts = urlsplit(base_url)
    secure = parts.scheme in {"https", "wss"}
    host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 443)
    proxy = proxy_for(base_url) if proxied else None
    near = urlsplit(proxy) if proxy else None
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    async with asyncio.timeout(_CONNECT_S):
        near_host, near_port = (near.hostname or "", near.port or _PORTS["http"]) if near else (host, port)
        addresses = await _resolve(near_host, near_port, None if near else guard)
    resolved_s = loop.time()
    reader, writer = await _connect(addresses, near_port)
    connected_s = loop.time()
    try:
        async with asyncio.timeout(_CONNECT_S):
            if near is not None and secure:
                await _pass_proxy(reader, writer, f"{host}:{port}", near.username, near.password)
            if secure:
                await writer.start_tls(ssl.create_default_context(), server_hostname=host)
    finally:
        writer.transport.abort()
    return Reached(
        dns_ms=None if _is_literal(near_host) else (resolved_s - began_s) * 1000,
        tcp_ms=(connected_s - resolved_s) * 1000,
        tls_ms=(loop.time() - connected_s) * 1000 if secure else None,
        proxy=near_host if near else "",
    )


async def _resolve(host: str, port: int, guard: AddressGuard | None) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    permitted = guard.permitted(host, addresses) if guard is not None else addresses
    if not permitted:
        raise PrivateAddressError
    return permitted


async def _connect(addresses: list[str], port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the first address that answers."""
    failure: OSError = OSError("no address")
    async with asyncio.timeout(_CONNECT_S):
        for address in addresses:
            try:
                return await asyncio.open_connection(address, port, limit=_HEAD_BYTES)
            except OSError as error:
                failure = error
    raise failure


async def _pass_proxy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: str, user: str | None, password: str | None
) -> None:
    """Ask the proxy for a tunnel (RFC 9110 section 9.3.6)."""
    head = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n"
    if user:
        pair = f"{unquote(user)}:{unquote(password or '')}".encode()
        head += f"Proxy-Authorization: Basic {base64.b64encode(pair).decode()}\r\n"
    writer.write(head.encode() + b"\r\n")
    try:
        answer = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        raise ProxyRefusedError(0) from None
    status = 0
    with contextlib.suppress(ValueError, IndexError):
        status = int(answer.split(b" ", 2)[1])
    if status != _OK:
        raise ProxyRefusedError(status)


def _is_literal(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


_PRIVATE = Trouble(
    "private-address",
    "The host leads to a private address.",
    "Only the operator opens private networks: with MOONWIRE_PRIVATE_HOSTS, or by writing the address into the "
    "configuration file.",
)
_BROKEN_OFF = Trouble("broken-off", "The connection broke off.", "Try again; if it stays, check what lies in between.")
_CERTIFICATE_HINT = "Use the name that the certificate was made for, or install its authority on this server."


def trouble_of(error: BaseException, host: str) -> Trouble:
    """Put a failed connection into words; nothing of addresses' queries or headers is told."""
    cause = getattr(error, "os_error", None) or getattr(error, "certificate_error", None) or error
    match cause:
        case PrivateAddressError():
            return _PRIVATE
        case ProxyRefusedError(status=status) | aiohttp.ClientHttpProxyError(status=status):
            return _proxy_trouble(status)
        case socket.gaierror() | aiohttp.ClientConnectorDNSError():
            return Trouble("dns", f"The name {host} is unknown.", "Check its spelling, and this server's DNS.")
        case ssl.SSLCertVerificationError():
            why = cause.verify_message or "verification failed"
            return Trouble("certificate", f"The certificate of {host} is not trusted: {why}.", _CERTIFICATE_HINT)
        case ssl.SSLError() | aiohttp.ClientSSLError():
            return Trouble("tls", f"{host} does not speak TLS there.", "Check scheme and port of the Base URL.")
        case TimeoutError():
            return Trouble("timeout", f"{host} does not answer.", "Check firewalls between this server and the vendor.")
        case ConnectionRefusedError():
            return Trouble("refused", f"{host} refuses the connection.", "Check host and port of the Base URL.")
        case ConnectionResetError() | BrokenPipeError() | aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError():
            return _BROKEN_OFF
        case OSError():
            return Trouble("network", f"{host} cannot be reached.", "Check this server's network and routes.")
        case _:
            return _BROKEN_OFF


def _proxy_trouble(status: int) -> Trouble:
    if status == _PROXY_AUTH:
        return Trouble(
            "proxy-auth",
            "The proxy wants a user name and password (407).",
            "Put them into HTTPS_PROXY (http://user:password@proxy:port), or except the vendor's host in NO_PROXY.",
        )
    return Trouble(
        "proxy",
        f"The proxy does not connect to the vendor ({status or 'no answer'}).",
        "Allow the vendor's host in the proxy, or except it in NO_PROXY.",
    )
