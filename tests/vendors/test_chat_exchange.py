"""Answers whose bytes are unusual at the edges, from a server that sends exactly what a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from pydantic import SecretStr

from moonwire.core.dialog.messages import UserMessage
from moonwire.errors import ContextTooLongError, VendorError, VendorTimeoutError, VendorUnavailableError
from moonwire.observe.clock import SystemClock
from moonwire.ports.directory import VendorCredential
from moonwire.ports.llm import ChatRequest
from moonwire.sandbox.contracts.llm import collect, failure
from moonwire.vendors.chat_completions import ChatCompletions
from moonwire.vendors.chat_vendor import ConnectOptions
from moonwire.vendors.connections import VendorConnections
from moonwire.vendors.llm import open_llm

ASK = ChatRequest("kimi-k2.6", (UserMessage("Hello"),))
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nTransfer-Encoding: chunked\r\nMsh-Request-Id: r1\r\n\r\n"
TEXT = 'data: {"choices":[{"delta":{"content":"Yes."}}]}\n\n'
FINISH = 'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
DONE = "data: [DONE]\n\n"

Play = Callable[[asyncio.StreamWriter], Awaitable[None]]


def chunk(text: str) -> bytes:
    data = text.encode()
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


class RawServer:
    """Plays one function per request; counts connections and sees them close."""

    def __init__(self) -> None:
        self.plays: list[Play] = []
        self.connections = 0
        self.closed = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
                await reader.readexactly(int(length.split(b":")[1]))
                await self.plays.pop(0)(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.closed.set()
            writer.close()


@pytest.fixture
async def server() -> AsyncIterator[RawServer]:
    raw = RawServer()
    listener = await asyncio.start_server(raw.serve, "127.0.0.1", 0)
    raw.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1"  # type: ignore[attr-defined]
    yield raw
    listener.close()


@pytest.fixture
async def model(server: RawServer) -> AsyncIterator[ChatCompletions]:
    connections = VendorConnections(SystemClock())
    credential = VendorCredential(
        "moonshot",
        secrets={"api_key": SecretStr("sk-1")},
        fields={"base_url": server.url},  # type: ignore[attr-defined]
    )
    yield open_llm(credential, connections, ConnectOptions(max_retries=0))
    await connections.close()


def play(*parts: str, kind: str = "text/event-stream", end: bool = True, cut: bool = False) -> Play:
    async def played(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD.format(kind).encode() + b"".join(chunk(part) for part in parts))
        if end:
            writer.write(b"0\r\n\r\n")
        await writer.drain()
        if cut:
            writer.transport.abort()

    return played


@pytest.mark.parametrize(
    "played",
    [
        play(TEXT, FINISH, DONE),
        play(TEXT, FINISH),
        play(TEXT, FINISH, "data: [DONE]"),
        play(TEXT, FINISH, 'data: {"choices":[],"usa'),
        play(TEXT, FINISH, end=False, cut=True),
        play(TEXT, FINISH, end=False),
        play(TEXT, DONE),
        play(TEXT + FINISH.rstrip("\n")),
        play('{"choices":[{"message":{"content":"Yes."},"finish_reason":"stop"}]}', kind="application/json"),
    ],
)
async def test_complete_answers(server: RawServer, model: ChatCompletions, played: Play) -> None:
    server.plays = [played]
    async with asyncio.timeout(1.0):
        answer = await collect(model, ASK)
    assert answer.text == "Yes."
    assert answer.last.finish_reason == "stop"
    assert answer.last.request_id == "r1"


@pytest.mark.parametrize(
    ("played", "error"),
    [
        (play(), VendorUnavailableError),
        (play(TEXT), VendorUnavailableError),
        (play(TEXT, end=False, cut=True), VendorUnavailableError),
        (play("data: {}\n\n"), VendorUnavailableError),
        (play('data: {"error":{"message":"Input token length too long"}}'), VendorUnavailableError),
        (play('data: {"error":{"message":"x","type":"server_error"}}'), VendorUnavailableError),
        (play("{}", kind="application/json"), VendorUnavailableError),
        (play("nonsense", kind="application/json"), VendorUnavailableError),
        (play("<html></html>", kind="text/html"), VendorUnavailableError),
        (play("data: " + "x" * 300_000), VendorUnavailableError),
    ],
)
async def test_incomplete_answers(
    server: RawServer, model: ChatCompletions, played: Play, error: type[VendorError]
) -> None:
    server.plays = [played]
    async with asyncio.timeout(1.0):
        assert isinstance(await failure(model, ASK), error)


async def test_the_connection_serves_again_when_the_body_ends_a_little_later(
    server: RawServer, model: ChatCompletions
) -> None:
    late = asyncio.Event()

    async def ends_late(writer: asyncio.StreamWriter) -> None:
        await play(TEXT, FINISH, DONE, end=False)(writer)
        await late.wait()
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    server.plays = [ends_late, play(TEXT, FINISH, DONE)]
    assert (await collect(model, ASK)).text == "Yes."
    late.set()
    async with asyncio.timeout(1.0):
        while server.connections == 1 and server.plays:
            await asyncio.sleep(0)
            if late.is_set():
                await collect(model, ASK)
    assert not server.plays


async def test_a_body_that_never_ends_is_dropped(server: RawServer, model: ChatCompletions) -> None:
    server.plays = [play(TEXT, FINISH, DONE, end=False)]
    await collect(model, ASK)
    async with asyncio.timeout(2.0):
        assert await server.closed.wait()


async def test_an_error_body_that_stalls_is_not_waited_for(server: RawServer, model: ChatCompletions) -> None:
    async def stalls(writer: asyncio.StreamWriter) -> None:
        writer.write(b'HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{"error":')
        await writer.drain()

    server.plays = [stalls]
    async with asyncio.timeout(3.0):
        assert (await failure(model, ASK)).status == 400
        await server.closed.wait()


async def test_a_connection_that_died_idle_costs_no_turn(server: RawServer) -> None:
    connections = VendorConnections(SystemClock())
    credential = VendorCredential(
        "moonshot",
        secrets={"api_key": SecretStr("sk-1")},
        fields={"base_url": server.url},  # type: ignore[attr-defined]
    )
    model = open_llm(credential, connections)

    async def dies(writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    server.plays = [play(TEXT, FINISH, DONE), dies, play(TEXT, FINISH, DONE)]
    await collect(model, ASK)
    assert (await collect(model, ASK)).text == "Yes."
    assert server.connections == 2
    await connections.close()


async def test_oversized_context_is_a_class_of_its_own(server: RawServer, model: ChatCompletions) -> None:
    async def too_long(writer: asyncio.StreamWriter) -> None:
        body = b'{"error":{"message":"Input token length too long","type":"invalid_request_error"}}'
        writer.write(b"HTTP/1.1 400 Bad\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()

    server.plays = [too_long]
    assert isinstance(await failure(model, ASK), ContextTooLongError)
    assert not server.plays, "not asked again: only the call can shorten what it keeps"


async def test_a_silent_server_is_given_up(server: RawServer) -> None:
    async def silent(writer: asyncio.StreamWriter) -> None:
        await server.closed.wait()

    connections = VendorConnections(SystemClock())
    server.plays = [silent]
    credential = VendorCredential("moonshot", fields={"base_url": server.url})  # type: ignore[attr-defined]
    model = open_llm(credential, connections, ConnectOptions(timeout_s=0.05, max_retries=0))
    assert isinstance(await failure(model, ASK), VendorTimeoutError)
    server.closed.set()
    await connections.close()


async def test_more_than_the_reader_can_hold_arrives_whole(server: RawServer, model: ChatCompletions) -> None:
    many = 20_000
    server.plays = [play(*[TEXT] * many, FINISH, DONE), play(TEXT, FINISH, DONE)]
    one = await collect(model, ASK)
    again = await collect(model, ASK)
    assert one.text == again.text * many, "reading was paused and went on"
    assert server.connections == 1
