"""Keeps one call's socket to a synthesiser: opened early, written in order, reopened when somebody needs it.

Timeline of an outage: a connection attempt ends after 2 s, attempts go on for 2.5 s, then whoever waits is told; an
utterance whose audio is owed for 3 s fails whatever the connection does, so a dead vendor is known within 4 s.
What messages mean and which utterances wait is the user's business.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol

import aiohttp
import structlog

from moonwire.errors import OUR_FAULT, VendorError
from moonwire.vendors.guarded_dial import CLOSE_LIMIT_S, Socket

_ATTEMPT_LIMIT_S = 2.0
_OUTAGE_LIMIT_S = 2.5
_FIRST_BACKOFF_S = 0.1
_LONGEST_BACKOFF_S = 0.5
_QUICK_FAILURE_S = 5.0
_QUICK_FAILURES = 3
_OUTBOX_MESSAGES = 1024
_FAREWELL_LIMIT_S = 1.5

log = structlog.get_logger()


class ConnectedUtterance(Protocol):
    """One reply being synthesised, as the connection sees it."""

    @property
    def is_waiting(self) -> bool:
        """Whether it needs a connection now."""
        ...

    def lose_connection(self, failure: VendorError) -> None:
        """Hear that the connection is gone; a new one is made when somebody is waiting."""
        ...

    def give_up(self, failure: VendorError) -> None:
        """Hear that no connection can be made for now."""
        ...

    def fail(self, failure: VendorError) -> None:
        """Hear that no connection will ever be made: wrong key, wrong request."""
        ...


class ConnectionUser(Protocol):
    """The call's voice, as its connection sees it; everything runs on the event loop."""

    def utterances(self) -> Sequence[ConnectedUtterance]:
        """Return the utterances that are not over."""
        ...

    def connected(self) -> None:
        """Hear that messages can be sent."""
        ...

    def received(self, text: bytes) -> None:
        """Take a text message."""
        ...

    def received_audio(self, audio: bytes) -> None:
        """Take a binary message."""
        ...

    def unreachable(self, why: str) -> VendorError:
        """Return the vendor's error for a connection that cannot be made or was lost."""
        ...

    def closed(self, code: int | None, reason: str) -> VendorError:
        """Return the vendor's error for a close; one that is not retryable is final."""
        ...


class VoiceConnection:
    """One call's socket.

    Args:
        vendor: for logs and task names.
        dial: opens a socket, or raises a VendorError.
        user: hears what happens.
    """

    def __init__(self, vendor: str, dial: Callable[[], Awaitable[Socket]], user: ConnectionUser) -> None:
        self._vendor = vendor
        self._dial = dial
        self._user = user
        self._socket: Socket | None = None
        self._outbox: asyncio.Queue[bytes] = asyncio.Queue(_OUTBOX_MESSAGES)
        self._quick_failures = 0
        self._wanted = asyncio.Event()
        self._closing = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.permanent: VendorError | None = None
        """Why no connection will ever be made."""
        self.last_failure: VendorError | None = None
        """Why there is no connection, when there is none."""

    def start(self) -> None:
        """Begin to connect in the background."""
        task = asyncio.get_running_loop().create_task(self._run(), name=f"{self._vendor} voice")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent now."""
        return self._socket is not None

    def want(self) -> None:
        """Have a connection made when there is none."""
        if self._socket is None:
            self._wanted.set()

    def transmit(self, payload: bytes) -> bool:
        """Send a text message, in order; False without a connection, which is then made."""
        if self._socket is None or self._outbox.full():
            self._wanted.set()
            return False
        self._outbox.put_nowait(payload)
        return True

    def suspect(self) -> None:
        """Give up this connection, or this attempt to make one: nothing comes of it."""
        self._socket = None
        log.warning("a voice connection stalled and is replaced", vendor=self._vendor)
        for task in self._tasks:
            task.cancel()
        self.start()

    async def close(self, farewell: bytes | None = None) -> None:
        """End the connection, bounded; with a farewell the vendor is given time to close it itself."""
        self._closing = True
        tasks = list(self._tasks)
        if farewell is not None and tasks and self.transmit(farewell):
            await asyncio.wait(tasks, timeout=_FAREWELL_LIMIT_S)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSE_LIMIT_S + 0.5)

    async def _run(self) -> None:
        try:
            while self.permanent is None:
                self._wanted.clear()
                if await self._connect_and_serve() or not (self._is_awaited() or self._wanted.is_set()):
                    if self._closing:
                        return
                    await self._wanted.wait()
        except Exception:  # the vendor boundary: nothing may leave the call silent
            log.exception("voice adapter failed", vendor=self._vendor)
            self._refuse(self._user.unreachable(f"it broke. {OUR_FAULT}"))

    async def _connect_and_serve(self) -> bool:
        """Hold one connection from its making to its end; True when it is better to wait for the next utterance."""
        socket = await self._connect()
        if socket is None:
            return True
        loop = asyncio.get_running_loop()
        opened_s = loop.time()
        self._socket, self.last_failure = socket, None
        self._wanted.clear()
        self._outbox = asyncio.Queue(_OUTBOX_MESSAGES)
        writer = loop.create_task(self._write(socket, self._outbox), name=f"{self._vendor} writer")
        reason = ""
        try:
            self._user.connected()
            reason = await self._read(socket)
        finally:
            writer.cancel()
            if self._socket is socket:
                self._socket = None
            with suppress(TimeoutError, aiohttp.ClientError, OSError):
                async with asyncio.timeout(CLOSE_LIMIT_S):
                    await socket.close()
        return self._after_loss(socket.close_code, reason, quick=loop.time() - opened_s < _QUICK_FAILURE_S)

    def _after_loss(self, close_code: int | None, reason: str, *, quick: bool) -> bool:
        if self._closing:
            return True
        failure = self._user.closed(close_code, reason)
        self.last_failure = failure
        self._quick_failures = self._quick_failures + 1 if quick else 0
        log.info("voice connection ended", vendor=self._vendor, close_code=close_code)
        if not failure.retryable:
            self._refuse(failure)
            return True
        for utterance in self._user.utterances():
            utterance.lose_connection(failure)
        if self._quick_failures < _QUICK_FAILURES:
            return False
        self._give_up(failure)
        return True

    async def _connect(self) -> Socket | None:
        """Try until the outage limit; None when the user has been told that it is in vain."""
        loop = asyncio.get_running_loop()
        give_up_s = loop.time() + _OUTAGE_LIMIT_S
        backoff_s = _FIRST_BACKOFF_S
        while True:
            try:
                async with asyncio.timeout(min(_ATTEMPT_LIMIT_S, give_up_s - loop.time())):
                    return await self._dial()
            except VendorError as failure:
                self.last_failure = failure
                if not failure.retryable:
                    self._refuse(failure)
                    return None
            except TimeoutError:
                self.last_failure = self._user.unreachable(
                    f"did not accept the connection within {_ATTEMPT_LIMIT_S:g} s"
                )
            pause_s = backoff_s * random.uniform(0.75, 1.25)
            if loop.time() + pause_s >= give_up_s:
                log.warning("voice vendor cannot be reached", vendor=self._vendor, error=str(self.last_failure))
                self._give_up(self.last_failure)
                return None
            await asyncio.sleep(pause_s)
            backoff_s = min(_LONGEST_BACKOFF_S, backoff_s * 2)

    async def _write(self, socket: Socket, outbox: asyncio.Queue[bytes]) -> None:
        # A send that fails needs no word here: the reader sees the end of the same socket.
        with suppress(aiohttp.ClientError, OSError):
            while True:
                payload = await outbox.get()
                await socket.send_frame(payload, aiohttp.WSMsgType.TEXT)

    async def _read(self, socket: Socket) -> str:
        """Pass messages on until the end; return the peer's reason for it."""
        while True:
            message = await socket.receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                self._user.received(message.data)
            elif message.type is aiohttp.WSMsgType.BINARY:
                self._user.received_audio(message.data)
            else:
                return message.extra if isinstance(message.extra, str) else ""

    def _refuse(self, failure: VendorError) -> None:
        """Fail for good."""
        log.error(
            "a voice vendor refused the call's synthesis",
            vendor=self._vendor,
            error=str(failure),
            code=failure.code,
            status=failure.status,
            request_id=failure.request_id,
            remedy=failure.remedy,
        )
        self.permanent = self.last_failure = failure
        for utterance in self._user.utterances():
            utterance.fail(failure)

    def _is_awaited(self) -> bool:
        return any(utterance.is_waiting for utterance in self._user.utterances())

    def _give_up(self, failure: VendorError) -> None:
        for utterance in self._user.utterances():
            utterance.give_up(failure)
