"""SIP over TCP: accepted and opened connections, framed by Content-Length; a stream without frame is aborted."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Literal, cast

import structlog

from moonwire.core.sip.framer import StreamFramer
from moonwire.errors import RemoteProtocolError
from moonwire.transports.sip.flows import Address

log = structlog.get_logger()

MAX_CONNECTIONS = 2000
MAX_PER_ADDRESS = 500
"""So that one stranger cannot take all connections."""
MAX_UNSENT_BYTES = 256 * 1024
MAX_WAITING = 16
PARTIAL_MESSAGE_S = 10.0
CONNECT_S = 5.0

OnMessage = Callable[[bytes, "TcpConnection"], None]


class TcpConnection(asyncio.Protocol):
    """One connection; it is the flow of everything that came over it."""

    def __init__(self, layer: TcpLayer) -> None:
        self._layer = layer
        self._framer = StreamFramer()
        self._transport: asyncio.Transport | None = None
        self._partial: asyncio.TimerHandle | None = None
        self._remote: Address = ("", 0)

    @property
    def protocol(self) -> Literal["tcp"]:
        """The transport."""
        return "tcp"

    @property
    def remote(self) -> Address:
        """The peer's address and port."""
        return self._remote

    @property
    def alive(self) -> bool:
        """Whether the connection is up."""
        return self._transport is not None and not self._transport.is_closing()

    def send(self, data: bytes) -> None:
        """Send one message; a peer that does not read loses its connection."""
        if self._transport is None or self._transport.is_closing():
            self._layer.dropped += 1
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self.abort()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport (asyncio)."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of asyncio's
        peer = transport.get_extra_info("peername")
        if peer:
            self._remote = (str(peer[0]), int(peer[1]))
        if not peer or not self._layer.admit(self):
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection (asyncio)."""
        if self._partial is not None:
            self._partial.cancel()
        self._transport = None
        self._layer.forget(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes (asyncio)."""
        try:
            messages = self._framer.feed(data)
        except RemoteProtocolError as error:
            log.debug("sip connection dropped", peer=self._remote[0], cause=str(error))
            self.abort()
            return
        if self._framer.keepalives and self.alive:
            self.send(b"\r\n" * self._framer.keepalives)
            self._framer.keepalives = 0
        for message in messages:
            self._layer.deliver(message, self)
        self._watch_partial(progress=bool(messages))

    def _watch_partial(self, *, progress: bool) -> None:
        waiting = self._framer.pending_bytes > 0
        if self._partial is not None and (progress or not waiting):
            self._partial.cancel()
            self._partial = None
        if waiting and self._partial is None and self.alive:
            self._partial = asyncio.get_running_loop().call_later(PARTIAL_MESSAGE_S, self.abort)


class TcpFlow:
    """A way to a peer that is connected when needed; what is sent meanwhile waits, bounded."""

    def __init__(self, layer: TcpLayer, remote: Address) -> None:
        self._layer = layer
        self._remote = remote
        self._connection: TcpConnection | None = None
        self._waiting: deque[bytes] = deque()
        self._connecting = False

    @property
    def protocol(self) -> Literal["tcp"]:
        """The transport."""
        return "tcp"

    @property
    def remote(self) -> Address:
        """The peer's address and port."""
        return self._remote

    @property
    def alive(self) -> bool:
        """It connects again when it must."""
        return True

    def send(self, data: bytes) -> None:
        """Send one message, connecting first when necessary."""
        if self._connection is not None and self._connection.alive:
            self._connection.send(data)
            return
        if len(self._waiting) >= MAX_WAITING:
            self._layer.dropped += 1
            return
        self._waiting.append(data)
        if not self._connecting:
            self._connecting = True
            self._layer.own(self._connect())

    async def _connect(self) -> None:
        try:
            self._connection = await self._layer.connect(self._remote)
            while self._waiting:
                self._connection.send(self._waiting.popleft())
        except (OSError, TimeoutError):
            # The transaction's own timer tells the user agent.
            self._layer.dropped += len(self._waiting)
            self._waiting.clear()
        finally:
            self._connecting = False


class TcpLayer:
    """The listening socket and all connections."""

    def __init__(self, on_message: OnMessage) -> None:
        self._on_message = on_message
        self._server: asyncio.Server | None = None
        self._connections: set[TcpConnection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.dropped = 0
        """Messages not sent because their connection was gone."""

    @property
    def connections(self) -> int:
        """Connections that are up."""
        return len(self._connections)

    async def open(self, host: str, port: int) -> None:
        """Listen.

        Raises:
            OSError: the address cannot be bound.
        """
        self._server = await asyncio.get_running_loop().create_server(lambda: TcpConnection(self), host, port)

    async def close(self) -> None:
        """Close everything."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.abort()
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None

    def flow_to(self, address: Address) -> TcpFlow:
        """Return the way to a peer; nothing is connected yet."""
        return TcpFlow(self, address)

    async def connect(self, address: Address) -> TcpConnection:
        """Open a connection.

        Raises:
            OSError, TimeoutError: it cannot be opened.
        """
        async with asyncio.timeout(CONNECT_S):
            _, connection = await asyncio.get_running_loop().create_connection(lambda: TcpConnection(self), *address)
        return connection

    def own(self, work: Coroutine[None, None, None]) -> None:
        """Run a connection attempt; it is bounded, and cancelled by close."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def admit(self, connection: TcpConnection) -> bool:
        """Take a new connection; False when there are too many, in all or from its address."""
        address = connection.remote[0]
        if len(self._connections) >= MAX_CONNECTIONS:
            return False
        if sum(other.remote[0] == address for other in self._connections) >= MAX_PER_ADDRESS:
            return False
        self._connections.add(connection)
        return True

    def forget(self, connection: TcpConnection) -> None:
        """Drop a closed connection."""
        self._connections.discard(connection)

    def deliver(self, data: bytes, connection: TcpConnection) -> None:
        """Pass a message on."""
        self._on_message(data, connection)
