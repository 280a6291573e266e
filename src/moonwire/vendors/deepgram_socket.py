"""Owns one connection to Deepgram: opens it, writes to it without ever waiting, closes it in bounded time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import aiohttp
import yarl

from moonwire.dialects.network_words import plain_cause
from moonwire.errors import (
    CredentialError,
    RequestRejectedError,
    VendorError,
    VendorTimeoutError,
    VendorUnavailableError,
)
from moonwire.vendors.deepgram_refusal import refusal

_MAX_MESSAGE_BYTES = 1 << 20
_PING_S = 20.0
_CLOSE_S = 0.3


class DeepgramSocket:
    """One open connection; writes go straight to the transport."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        self._websocket = websocket
        self._blocked: Coroutine[Any, Any, None] | None = None
        self.dead = False
        """A write has failed; the reader will notice the loss."""
        self.dropped_bytes = 0
        """Audio given up because the network did not take it."""

    def send_audio(self, audio: bytes) -> None:
        """Write audio; what the network does not take is dropped and counted."""
        if self.dead or self._blocked is not None:
            self.dropped_bytes += len(audio)
        elif audio:
            self._drive(self._websocket.send_bytes(audio))

    def send_text(self, text: str) -> None:
        """Write a control message."""
        if not self.dead and self._blocked is None:
            self._drive(self._websocket.send_str(text))

    async def receive(self) -> str | None:
        """Return the next text message, or None when the connection is gone."""
        while True:
            message = await self._websocket.receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                return message.data
            if message.type is not aiohttp.WSMsgType.BINARY:
                return None

    @property
    def close_code(self) -> int | None:
        """The peer's close code, 1006 when it left without one."""
        code = self._websocket.close_code
        return None if code is None else int(code)

    async def close(self) -> None:
        """Close, waiting for the peer a fraction of a second at most."""
        self.dead = True
        await self._websocket.close()

    def _drive(self, sending: Coroutine[Any, Any, None]) -> None:
        """Run a send to its end without a task: aiohttp waits only after the bytes have been handed over.

        When it does wait, the transport is above its high-water mark; writing goes on when that wait is over.
        """
        try:
            waiter = sending.send(None)
        except StopIteration:
            return
        except (ConnectionError, aiohttp.ClientError):
            self.dead = True
            return
        self._blocked = sending
        waiter.add_done_callback(self._unblock)

    def _unblock(self, waiter: asyncio.Future[None]) -> None:
        blocked, self._blocked = self._blocked, None
        if waiter.cancelled() or waiter.exception() is not None:
            self.dead = True
        if blocked is not None:
            blocked.close()


async def connect(
    http: aiohttp.ClientSession, address: str, key: str, within_s: float, *, vendor: str = "deepgram"
) -> DeepgramSocket:
    """Open a connection.

    Args:
        http: the process's session for this vendor.
        address: the product's address with its query, percent-encoded.
        key: the API key; it goes into the request header and nowhere else.
        within_s: time for DNS, TCP, TLS and upgrade together.
        vendor: which of the company's products, by its jambonz name, for errors.

    Raises:
        VendorError: refused, unreachable or too slow; `retryable` tells whether another try can help.
    """
    try:
        async with asyncio.timeout(within_s):
            websocket = await http.ws_connect(
                yarl.URL(address, encoded=True),
                headers={"Authorization": f"Token {key}"},
                heartbeat=_PING_S,
                max_msg_size=_MAX_MESSAGE_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_S),  # pyright: ignore[reportCallIssue] - attrs class
            )
    # The exceptions of aiohttp hold our request headers, key included: none of them may be chained or logged.
    except aiohttp.WSServerHandshakeError as error:
        raise refusal(error.status, error.headers or {}, key, vendor) from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise _network_error(error, within_s, vendor) from None
    return DeepgramSocket(websocket)


def _network_error(error: Exception, within_s: float, vendor: str) -> VendorError:
    match error:
        case TimeoutError():
            return VendorTimeoutError(
                f"Deepgram did not answer the connection within {within_s:.1f} s",
                vendor=vendor,
                remedy="Check the network path to the Base URL of the speech service.",
            )
        case aiohttp.ClientSSLError():
            return RequestRejectedError(
                f"TLS to Deepgram failed: {plain_cause(error)}",
                vendor=vendor,
                remedy="Check the Base URL's scheme and the server's certificate.",
            )
        case ValueError():
            return CredentialError(
                "The Deepgram address or API key cannot be sent",
                vendor=vendor,
                remedy="Enter the API key again, without line breaks, and check the Base URL.",
            )
        case _:
            return VendorUnavailableError(
                f"Deepgram cannot be reached: {plain_cause(error)}",
                vendor=vendor,
                remedy="Check the network and the Base URL of the speech service.",
            )
