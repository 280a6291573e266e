"""Serves media sockets inside uvicorn without ASGI: bytes from the transport go straight to the call.

uvicorn hands every WebSocket upgrade to the protocol class of `websocket_protocol`; paths that are no media door go on
to uvicorn's own implementation and so to the FastAPI application. An ASGI receive costs a queue, a task switch and
several dictionaries per message; a call has a hundred messages a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

import structlog
from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from moonwire.transports.websocket.frames import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    CloseCode,
    FrameError,
    MessageReader,
    build_close,
    build_frame,
)
from moonwire.transports.websocket.upgrade import UpgradeRequest, handshake_answer, parse_upgrade, refusal

MAX_MESSAGE_BYTES = 64 * 1024
_CLOSE_WAIT_S = 2.0
_log = structlog.get_logger()


class SocketListener(Protocol):
    """Takes one media socket's traffic, on the event loop."""

    def on_text(self, payload: bytes) -> None:
        """Take one text message, undecoded."""
        ...

    def on_binary(self, payload: bytes) -> None:
        """Take one binary message."""
        ...

    def on_closed(self, code: CloseCode) -> None:
        """Hear, exactly once, that nothing more comes: 1000 when the peer left, else what we closed with."""
        ...


class MediaDoor(Protocol):
    """Decides who gets a media socket on one path."""

    def admit(self, request: UpgradeRequest) -> Callable[[MediaSocket], SocketListener] | None:
        """Return what to open the socket with, or None to refuse with 403."""
        ...


class MediaSocket:
    """One open WebSocket; the sending side of a call's media."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.received = 0
        """How many pieces of data have come: a sign of life."""
        self.congested = False
        """The peer does not read; sending more would only pile up."""
        self._transport = transport
        self._reader = MessageReader(MAX_MESSAGE_BYTES)
        self._listener: SocketListener | None = None
        self._closing = False
        self._close_timer: asyncio.TimerHandle | None = None

    def write(self, frames: bytes) -> None:
        """Send one or more whole frames, made with `build_frame` or `frame_head`; no effect after `close`."""
        if not self._closing:
            self._transport.write(frames)

    def send_text(self, payload: bytes) -> None:
        """Send one text message."""
        self.write(build_frame(TEXT, payload))

    def ping(self) -> None:
        """Ask for a sign of life."""
        self.write(build_frame(PING, b""))

    def close(self, code: CloseCode = 1000, reason: str = "") -> None:
        """Close; what comes in after this is ignored. May be repeated."""
        if self._closing:
            return
        self.write(build_close(code, reason))
        self._closing = True
        self._close_timer = asyncio.get_running_loop().call_later(_CLOSE_WAIT_S, self._transport.abort)
        self._report_closed(code)

    def start(self, listener: SocketListener) -> None:
        """Connect the receiving side."""
        self._listener = listener

    def data_received(self, data: bytes) -> None:
        """Take bytes from the transport."""
        self.received += 1
        try:
            messages = self._reader.feed(data)
        except FrameError as error:
            self.close(error.close_code, str(error))
            self._transport.close()
            return
        for opcode, payload in messages:
            listener = self._listener
            if opcode == TEXT:
                if listener is not None:
                    listener.on_text(payload)
            elif opcode == BINARY:
                if listener is not None:
                    listener.on_binary(payload)
            else:
                self._control(opcode, payload)

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self.write(build_frame(PONG, payload))
        elif opcode == CLOSE:
            self.close(1000)
            self._transport.close()

    def connection_lost(self) -> None:
        """Hear from the transport that the connection is gone."""
        self._closing = True
        if self._close_timer is not None:
            self._close_timer.cancel()
        self._report_closed(1000)

    def _report_closed(self, code: CloseCode) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.on_closed(code)


class WebSocketSwitch(asyncio.Protocol):
    """uvicorn's WebSocket protocol class: media doors here, everything else to uvicorn's own."""

    def __init__(
        self, doors: Mapping[str, MediaDoor], config: Config, server_state: ServerState, app_state: dict[str, Any]
    ) -> None:
        self._doors = doors
        self._state = server_state
        self._make_ordinary = lambda: WebSocketsSansIOProtocol(
            config=config, server_state=server_state, app_state=app_state
        )
        self._ordinary: WebSocketsSansIOProtocol | None = None
        self._transport: asyncio.Transport | None = None
        self._media: MediaSocket | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the transport; the first data is the request."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Route by the request's path, then pass the bytes on."""
        if self._media is not None:
            self._media.data_received(data)
        elif self._ordinary is not None:
            self._ordinary.data_received(data)
        elif self._transport is not None:
            self._decide(data, self._transport)

    def _decide(self, head: bytes, transport: asyncio.Transport) -> None:
        peer = transport.get_extra_info("peername") or ("", 0)
        secure = transport.get_extra_info("sslcontext") is not None
        # On a dual-stack socket an IPv4 peer looks like ::ffff:192.0.2.1; carriers are configured by the plain form.
        source = (str(peer[0]).removeprefix("::ffff:"), int(peer[1]))
        request = parse_upgrade(head, source, secure=secure)
        door = self._doors.get(request.path) if request is not None else None
        if request is None or door is None:
            self._ordinary = self._make_ordinary()
            self._ordinary.connection_made(transport)
            self._ordinary.data_received(head)
            return
        self._media = MediaSocket(transport)
        answer = handshake_answer(request)
        opening = door.admit(request) if answer is not None else None
        if answer is None:
            transport.write(refusal(426, "Upgrade Required"))
            transport.close()
        elif opening is None:
            _log.warning("media socket refused", path=request.path, source_address=request.source_address)
            transport.write(refusal(403, "Forbidden"))
            transport.close()
        else:
            self._state.connections.add(cast(Any, self))
            transport.write(answer)
            self._media.start(opening(self._media))

    def shutdown(self) -> None:
        """Close because the server stops; called by uvicorn."""
        if self._media is not None and self._transport is not None:
            self._media.close(1001, "server stops")
            self._transport.close()

    def eof_received(self) -> None:
        """Let the transport close."""

    def pause_writing(self) -> None:
        """Hear that the peer reads too slowly."""
        if self._media is not None:
            self._media.congested = True
        elif self._ordinary is not None:
            self._ordinary.pause_writing()

    def resume_writing(self) -> None:
        """Hear that the peer reads again."""
        if self._media is not None:
            self._media.congested = False
        elif self._ordinary is not None:
            self._ordinary.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever serves the connection."""
        self._state.connections.discard(cast(Any, self))
        if self._media is not None:
            self._media.connection_lost()
        elif self._ordinary is not None:
            self._ordinary.connection_lost(exc)


def websocket_protocol(doors: Mapping[str, MediaDoor]) -> type[asyncio.Protocol]:
    """Return the class to give to `uvicorn.Config(ws=...)`; doors are keyed by path, as `/media/twilio`."""

    class Switch(WebSocketSwitch):
        def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any]) -> None:
            super().__init__(doors, config, server_state, app_state)

    return Switch
