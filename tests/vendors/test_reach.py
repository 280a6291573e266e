"""The way to a vendor, step by step: certificates, proxies and closed doors have their own words."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from moonwire.vendors.proxies import proxy_for
from moonwire.vendors.reach import ProxyRefusedError, reach, trouble_of


def self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vendor.test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


Answer = Callable[[bytes], bytes]


@asynccontextmanager
async def listening(answer: Answer = lambda _: b"", context: ssl.SSLContext | None = None) -> AsyncGenerator[int]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(answer(await reader.read(4096)))
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_each_step_is_timed() -> None:
    async with listening() as port:
        literal = await reach(f"http://127.0.0.1:{port}/v1")
        assert (literal.dns_ms, literal.tls_ms, literal.proxy) == (None, None, "")
        named = await reach(f"ws://localhost:{port}/v1")
        assert named.dns_ms is not None
        assert named.total_ms >= named.tcp_ms > 0


async def test_an_untrusted_certificate(tmp_path: Path) -> None:
    async with listening(context=self_signed(tmp_path)) as port:
        with pytest.raises(OSError, match="certificate") as caught:
            await reach(f"https://127.0.0.1:{port}/v1")
        assert trouble_of(caught.value, "127.0.0.1").code == "certificate"
        # Calls say the same with their own client.
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectorCertificateError) as refused:
                await session.get(f"https://127.0.0.1:{port}/v1/models")
        assert trouble_of(refused.value, "127.0.0.1").code == "certificate"


async def test_no_tls_there() -> None:
    async with listening(lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        with pytest.raises(OSError) as caught:  # noqa: PT011 - ssl's text differs between versions
            await reach(f"https://127.0.0.1:{port}/v1")
    assert trouble_of(caught.value, "x").code in {"tls", "broken-off"}


async def test_an_unknown_name() -> None:
    with pytest.raises(OSError) as caught:  # noqa: PT011 - the resolver's text differs between systems
        await reach("https://no-such-host.invalid/v1")
    assert trouble_of(caught.value, "no-such-host.invalid").code == "dns"


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def through(port: int) -> None:
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        for name in ("https_proxy", "http_proxy"):
            monkeypatch.setenv(name, f"http://proxy-user:p%40ss@127.0.0.1:{port}")

    return through


@pytest.mark.parametrize(
    ("status", "code"), [(b"407 Proxy Authentication Required", "proxy-auth"), (b"403 Forbidden", "proxy")]
)
async def test_a_proxy_that_refuses(proxied: Callable[[int], None], status: bytes, code: str) -> None:
    heads: list[bytes] = []

    def refuse(head: bytes) -> bytes:
        heads.append(head)
        return b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n"

    async with listening(refuse) as port:
        proxied(port)
        with pytest.raises(ProxyRefusedError) as caught:
            await reach("https://api.vendor.example/v1")
        assert trouble_of(caught.value, "api.vendor.example").code == code
        assert heads[0].startswith(b"CONNECT api.vendor.example:443 HTTP/1.1\r\n")
        assert b"Proxy-Authorization: Basic cHJveHktdXNlcjpwQHNz" in heads[0]
        async with aiohttp.ClientSession(proxy=proxy_for("https://api.vendor.example/v1")) as session:
            with pytest.raises(aiohttp.ClientHttpProxyError) as refused:
                await session.get("https://api.vendor.example/v1/models")
        assert trouble_of(refused.value, "api.vendor.example").code == code


async def test_a_proxy_that_lets_through(proxied: Callable[[int], None]) -> None:
    async with listening() as port:
        proxied(port)
        reached = await reach("http://api.vendor.example/v1")
        assert (reached.proxy, reached.tls_ms) == ("127.0.0.1", None)


def test_who_goes_through_the_proxy(proxied: Callable[[int], None], monkeypatch: pytest.MonkeyPatch) -> None:
    proxied(3128)
    monkeypatch.setenv("no_proxy", "internal.example")
    assert proxy_for("https://api.vendor.example/v1")
    for direct in ("http://127.0.0.1:9/", "http://localhost:9/", "http://[::1]:9/", "https://internal.example/v1"):
        assert proxy_for(direct) is None
    monkeypatch.setenv("http_proxy", "proxy.example:8080")
    assert proxy_for("http://api.vendor.example/v1") == "http://proxy.example:8080"
