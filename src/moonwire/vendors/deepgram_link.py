"""Keeps one call's recognition connected to Deepgram, over as many connections as it takes; knows no messages.

It dials again while that can help and the caller can wait, counts connections that die at once or say nothing, and
tells its user when it is over. What messages mean and when a connection is stalled is the user's business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

import structlog

from moonwire.errors import OUR_FAULT, VendorError, VendorTimeoutError, VendorUnavailableError
from moonwire.vendors.deepgram_socket import DeepgramSocket
from moonwire.vendors.redial import RedialTimes, backoff_s, redial

_log = structlog.get_logger()

_QUICK_FAILURES: Final = 3

OpenSocket = Callable[[float], Coroutine[Any, Any, DeepgramSocket]]
"""Opens one connection within so many seconds, or raises a VendorError."""


class LinkTimes(RedialTimes, Protocol):
    """Limits in seconds."""

    @property
    def outage_s(self) -> float:
        """From a loss, or from the start, to a new connection."""
        ...

    @property
    def after_stall_s(self) -> float:
        """The same after a stall, which has used up part of the caller's patience."""
        ...

    @property
    def quick_s(self) -> float:
        """A connection that lives shorter failed."""
        ...

    @property
    def close_s(self) -> float:
        """The vendor may take so long to close at the end."""
        ...


class LinkUser(Protocol):
    """The call's recognition, as its connection sees it; everything runs on the event loop."""

    def adopt(self, socket: DeepgramSocket) -> None:
        """Let a new connection hear what no earlier one has settled."""
        ...

    def receive(self, text: str) -> None:
        """Take a message."""
        ...

    def lost(self, *, stalled: bool) -> bool:
        """Hear that the connection is gone; say whether it counts as one that did not answer."""
        ...

    def failed(self, error: VendorError) -> None:
        """Hear that no connection can be had any more."""
        ...


class DeepgramLink:
    """One call's connections, one after the other.

    Args:
        vendor: jambonz name, for logs and errors.
        product: the vendor's name in sentences.
        open_socket: opens one connection.
        user: hears what happens.
        times: limits.
    """

    def __init__(self, vendor: str, product: str, open_socket: OpenSocket, user: LinkUser, times: LinkTimes) -> None:
        self._vendor = vendor
        self._product = product
        self._open_socket = open_socket
        self._user = user
        self._times = times
        self._loop = asyncio.get_running_loop()
        self._patience: asyncio.Timeout | None = None
        self._messages = 0
        self.socket: DeepgramSocket | None = None
        """The connection that audio goes to."""
        self.over = False
        """Nothing is told any more."""
        self.request_id: str | None = None
        """The vendor's name for the connection, as the user has learned it."""
        self._task = self._loop.create_task(self._run(), name=f"{vendor} stt")

    def give_up_connection(self) -> None:
        """Replace the connection: it looks open but does not answer."""
        if self._patience is not None:
            self._patience.reschedule(self._loop.time())

    async def close(self, farewell: str) -> None:
        """End it within about a second; the user hears nothing more."""
        self.over = True
        if self.socket is not None and not self._task.done():
            self.socket.send_text(farewell)
            await asyncio.wait({self._task}, timeout=self._times.close_s)
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _run(self) -> None:
        try:
            await self._serve()
        except VendorError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - the boundary: whatever breaks here must reach the call as a failure
            # The exception's text may hold our request headers, so only its type is logged.
            _log.error("recognition broke", vendor=self._vendor, error=type(error).__name__)
            self._fail(VendorUnavailableError("The recognition broke", vendor=self._vendor, remedy=OUR_FAULT))

    async def _serve(self) -> None:
        quick_failures = stalls = 0
        while not self.over:
            within_s = self._times.after_stall_s if stalls else self._times.outage_s
            socket = await redial(self._open_socket, self._times, self._vendor, within_s=within_s)
            opened_at_s, messages_before = self._loop.time(), self._messages
            self._user.adopt(socket)
            self.socket = socket
            stalled = await self._read(socket)
            if self.over:
                return
            lasted_s = self._loop.time() - opened_at_s
            self._note_loss(socket, stalled=stalled, lasted_s=lasted_s)
            unanswered = self._user.lost(stalled=stalled)
            stalls = (1 if self._messages > messages_before else stalls + 1) if unanswered else 0
            if stalls > 1:
                raise VendorTimeoutError(f"{self._product} accepts audio but does not answer", vendor=self._vendor)
            quick_failures = quick_failures + 1 if lasted_s < self._times.quick_s and not stalled else 0
            if quick_failures >= _QUICK_FAILURES:
                raise VendorUnavailableError(
                    f"{self._product} closed {quick_failures} connections in a row at once, "
                    f"last with {socket.close_code}",
                    vendor=self._vendor,
                )
            if quick_failures:
                await asyncio.sleep(backoff_s(self._times, quick_failures - 1))

    async def _read(self, socket: DeepgramSocket) -> bool:
        """Take messages until the connection is gone; return whether we gave it up as stalled."""
        try:
            async with asyncio.timeout(None) as self._patience:
                while (text := await socket.receive()) is not None:
                    self._messages += 1
                    self._user.receive(text)
        except TimeoutError:
            return True
        finally:
            self._patience = self.socket = None
            await socket.close()
        return False

    def _note_loss(self, socket: DeepgramSocket, *, stalled: bool, lasted_s: float) -> None:
        _log.warning(
            "stt connection lost",
            vendor=self._vendor,
            stalled=stalled,
            close_code=socket.close_code,
            request_id=self.request_id,
            lasted_s=round(lasted_s, 3),
            dropped_bytes=socket.dropped_bytes,
        )

    def _fail(self, error: VendorError) -> None:
        if self.over:
            return
        self.over = True
        _log.warning(
            "stt failed",
            vendor=self._vendor,
            error=error.code,
            status=error.status,
            request_id=error.request_id or self.request_id,
        )
        self._user.failed(error)
