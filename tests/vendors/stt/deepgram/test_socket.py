from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from moonwire.errors import CredentialError, RequestRejectedError, VendorTimeoutError, VendorUnavailableError
from moonwire.vendors.deepgram_socket import connect


class SlowReader:
    """Accepts, then reads only when it may."""

    def __init__(self) -> None:
        self.may_read = asyncio.Event()
        self.bytes_read = 0
        self.texts: list[str] = []
        self.url = ""

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        websocket = web.WebSocketResponse()
        await websocket.prepare(request)
        await self.may_read.wait()
        async for message in websocket:
            if message.type is aiohttp.WSMsgType.BINARY:
                self.bytes_read += len(message.data)
            else:
                self.texts.append(message.data)
                await websocket.send_str("seen")
        return websocket


@pytest.fixture
async def reader() -> AsyncIterator[SlowReader]:
    made = SlowReader()
    app = web.Application()
    app.router.add_get("/", made.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"ws://127.0.0.1:{runner.addresses[0][1]}/"
    yield made
    await runner.cleanup()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_a_vendor_that_does_not_read_never_blocks_us(reader: SlowReader, http: aiohttp.ClientSession) -> None:
    socket = await connect(http, reader.url, "k", 3.0)
    chunk = bytes(8000)
    sent = 0
    while not socket.dropped_bytes:
        assert sent < 64 << 20, "nothing pushes back"
        socket.send_audio(chunk)
        sent += len(chunk)
    assert not socket.dead
    reader.may_read.set()
    async with asyncio.timeout(5):
        while not reader.texts:
            socket.send_text("still here?")
            await asyncio.sleep(0)
    assert await socket.receive() == "seen"
    assert reader.bytes_read == sent - socket.dropped_bytes
    await socket.close()


async def test_a_reader_that_goes_while_it_pushes_back(reader: SlowReader, http: aiohttp.ClientSession) -> None:
    socket = await connect(http, reader.url, "k", 3.0)
    while not socket.dropped_bytes:
        socket.send_audio(bytes(8000))
    await socket.close()
    socket.send_audio(bytes(160))
    socket.send_text("x")
    assert socket.dead
    assert await socket.receive() is None


async def test_an_empty_message_is_never_sent(reader: SlowReader, http: aiohttp.ClientSession) -> None:
    reader.may_read.set()
    socket = await connect(http, reader.url, "k", 3.0)
    socket.send_audio(b"")
    socket.send_text("end")
    assert await socket.receive() == "seen"
    assert reader.bytes_read == 0
    await socket.close()


async def test_failures_have_names(reader: SlowReader, http: aiohttp.ClientSession) -> None:
    with pytest.raises(RequestRejectedError, match="TLS"):
        await connect(http, reader.url.replace("ws://", "wss://"), "k", 3.0)
    with pytest.raises(CredentialError):
        await connect(http, reader.url, "k\r\nX-Other: 1", 3.0)
    with pytest.raises(VendorUnavailableError):
        await connect(http, "ws://127.0.0.1:1/", "k", 3.0)
    with pytest.raises(VendorTimeoutError):
        await connect(http, reader.url, "k", 0.0)
    with pytest.raises(RequestRejectedError) as refused:
        await connect(http, reader.url + "elsewhere", "k", 3.0)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__
