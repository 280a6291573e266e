"""SIP over TCP as bytes: split, joined, oversized, broken, and never in the way of anybody else."""

from __future__ import annotations

import asyncio
import contextlib

import pytest


class Line:
    """A TCP connection that reads SIP messages by Content-Length."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def receive(self) -> str:
        async with asyncio.timeout(5):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            return (head + await self.reader.readexactly(length)).decode()

    async def closed(self) -> bool:
        async with asyncio.timeout(5):
            try:
                return await self.reader.read() == b""
            except ConnectionResetError:
                return True


@pytest.fixture
async def line(endpoint):
    reader, writer = await asyncio.open_connection("127.0.0.1", endpoint.local_port)
    yield Line(reader, writer)
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


def over_tcp(phone, method: str, **options) -> bytes:
    return phone.text(method, **options).replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP")


async def test_a_message_in_many_pieces_and_many_in_one(phone, line):
    data = over_tcp(phone, "OPTIONS")
    for place in range(len(data)):
        line.writer.write(data[place : place + 1])
        await line.writer.drain()
    assert (await line.receive()).startswith("SIP/2.0 200")
    line.writer.write(b"\r\n\r\n" + over_tcp(phone, "OPTIONS") + over_tcp(phone, "FOO"))
    async with asyncio.timeout(5):
        assert await line.reader.readexactly(2) == b"\r\n"
    assert (await line.receive()).startswith("SIP/2.0 200")
    assert (await line.receive()).startswith("SIP/2.0 501")


async def test_a_call_over_tcp_with_bye_on_the_same_connection(rig, phone, line):
    body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
    line.writer.write(over_tcp(phone, "INVITE", body=body))
    assert (await line.receive()).startswith("SIP/2.0 100")
    leg, listener = await rig.legs.next()
    await leg.answer()
    answer = await line.receive()
    assert ";transport=tcp>" in answer
    phone.to_tag = answer.split("To: ")[1].split("\r\n")[0].split("tag=")[1]
    line.writer.write(over_tcp(phone, "ACK", cseq=1))
    await leg.hang_up()
    assert (await line.receive()).startswith("BYE ")
    assert (await listener.end()).reason == "hangup"


@pytest.mark.parametrize(
    "data",
    [
        b"OPTIONS sip:x SIP/2.0\r\nContent-Length: 999999\r\n\r\n",
        b"OPTIONS sip:x SIP/2.0\r\nContent-Length: 40000\r\n\r\n",
        b"OPTIONS sip:x SIP/2.0\r\nContent-Length: -5\r\n\r\n",
        b"OPTIONS sip:x SIP/2.0\r\nContent-Length: 1\r\nl: 2\r\n\r\n",
        b"A" * 40000,
        b"X: y\r\n" * 8000,
    ],
)
async def test_a_stream_without_frame_is_dropped_alone(rig, endpoint, phone, line, data):
    line.writer.write(data)
    assert await line.closed()
    await rig.answered(phone)


async def test_garbage_with_a_frame_is_ignored(phone, line):
    line.writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + over_tcp(phone, "OPTIONS"))
    assert (await line.receive()).startswith("SIP/2.0 200")


async def test_a_lost_connection_does_not_end_the_call(rig, endpoint, phone, line):
    body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
    waiting = asyncio.Event()
    heard: list[bytes] = []

    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()
        waiting.set()

    server = await asyncio.start_server(on_connection, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    line.writer.write(over_tcp(phone, "INVITE", body=body, contact=f"<sip:a@127.0.0.1:{port};transport=tcp>"))
    assert (await line.receive()).startswith("SIP/2.0 100")
    leg, listener = await rig.legs.next()
    await leg.answer()
    answer = await line.receive()
    phone.to_tag = answer.split("To: ")[1].split("\r\n")[0].split("tag=")[1]
    line.writer.write(over_tcp(phone, "ACK", cseq=1))
    line.writer.close()
    await line.closed()
    await rig.reach(lambda: endpoint.connections == 0)
    assert not listener.ends
    await leg.hang_up()
    async with asyncio.timeout(5):
        await waiting.wait()
    assert heard[0].startswith(b"BYE sip:a@127.0.0.1")
    server.close()
    await server.wait_closed()


async def test_half_a_message_is_not_waited_for_for_ever(monkeypatch, line):
    monkeypatch.setattr("moonwire.transports.sip.tcp.PARTIAL_MESSAGE_S", 0.05)
    line.writer.write(b"\r\n")
    line.writer.write(b"OPTIONS sip:x SIP/2.0\r\n")
    assert await line.closed()


@pytest.mark.parametrize("limit", ["MAX_CONNECTIONS", "MAX_PER_ADDRESS"])
async def test_too_many_connections_are_refused(monkeypatch, endpoint, line, phone, limit):
    monkeypatch.setattr(f"moonwire.transports.sip.tcp.{limit}", 1)
    line.writer.write(over_tcp(phone, "OPTIONS"))
    assert (await line.receive()).startswith("SIP/2.0 200")
    reader, writer = await asyncio.open_connection("127.0.0.1", endpoint.local_port)
    assert await Line(reader, writer).closed()
    writer.close()
    assert endpoint.connections == 1


async def test_a_peer_that_never_reads_loses_its_connection(monkeypatch, phone, line):
    monkeypatch.setattr("moonwire.transports.sip.tcp.MAX_UNSENT_BYTES", 0)
    line.writer.transport.pause_reading()
    data = over_tcp(phone, "OPTIONS")
    with contextlib.suppress(ConnectionError):
        for _ in range(40000):
            line.writer.write(data)
            await line.writer.drain()
            if line.writer.is_closing():
                break
    line.writer.transport.resume_reading()
    assert await line.closed()
