"""Keeps one call's WebSocket to its application alive: connects, queues, reconnects, closes; knows nothing of acks.

Source: jambonz feature-server 0.9.8 (close codes, retry delays), read 2026-11-22.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Literal, Protocol

import aiohttp
import structlog

from moonwire.apps.retry import split_retry
from moonwire.apps.surroundings import Surroundings
from moonwire.apps.upgrade import OpenSocket, UpgradeError, upgrade
from moonwire.apps.webhook import loggable
from moonwire.errors import HookError
from moonwire.spec.hooks import Hook

_log = structlog.get_logger()

Ending = Literal["finished", "hostile", "closed", "lost"]
"""How a socket ended: the application closed with 1000, it sent a binary frame, we closed it, or anything else."""

_MOST_QUEUED = 1000


class ConnectionListener(Protocol):
    """The protocol's side of a connection."""

    def on_open(self, python_sdk: bool) -> None:
        """Hear that a socket is open; queued messages wait until `release`."""
        ...

    def on_text(self, text: str) -> None:
        """Take one message."""
        ...

    def on_lost(self) -> None:
        """Hear that the socket dropped and another attempt follows."""
        ...

    def on_over(self, ending: Ending, error: HookError | None) -> None:
        """Hear, exactly once, that there will be no other socket."""
        ...


@dataclass(frozen=True, slots=True)
class _Close:
    code: int


class Connection:
    """One application's socket, and its successors after a drop."""

    def __init__(self, surroundings: Surroundings, hook: Hook, listener: ConnectionListener) -> None:
        self._surroundings = surroundings
        self._hook = hook
        self._listener = listener
        self._url, self._policy = split_retry(hook.url, default_retries=5)
        self._urgent: deque[str] = deque()
        self._queue: deque[str | _Close] = deque()
        self._wake = asyncio.Event()
        self._released = False
        self._useful = False
        """The present socket's session was acknowledged; retries count from zero again."""
        self._closing = False
        self._opened = False
        self._dropped: HookError | None = None
        self._task: asyncio.Task[Ending] | None = None

    def start(self) -> None:
        """Begin to connect; no effect the second time."""
        if self._task is not None:
            return
        self._task = asyncio.create_task(self._sockets())
        self._task.add_done_callback(self._on_done)

    def send(self, text: str) -> None:
        """Queue a message; it goes out when the socket is open and released, in order."""
        if len(self._queue) >= _MOST_QUEUED:
            _log.warning("application message dropped", queued=len(self._queue))
            return
        self._queue.append(text)
        self._wake.set()

    def send_first(self, text: str) -> None:
        """Send the message that opens a session, before everything that waits."""
        self._urgent.append(text)
        self._wake.set()

    def release(self, *, acknowledged: bool) -> None:
        """Let queued messages go; `acknowledged` = the application has taken the session, the socket is good."""
        self._released = True
        self._useful = self._useful or acknowledged
        self._wake.set()

    def drop(self, reason: HookError) -> None:
        """Give up now; `on_over` follows with this reason."""
        self._dropped = reason
        if self._task is not None:
            self._task.cancel()

    async def close(self, code: int, limit_s: float, *, deliver: bool = False) -> None:
        """Send what waits, close with `code`, and return after `limit_s` at the latest.

        What waits for the first connection is dropped with it, unless `deliver` says that it matters.
        """
        task = self._task
        if task is None:
            return
        self._closing = True
        if not self._opened and not deliver:
            task.cancel()
        self._queue.append(_Close(code))
        self._released = True
        self._wake.set()
        await asyncio.wait((task,), timeout=limit_s)
        if not task.done():
            task.cancel()
            await asyncio.wait((task,), timeout=limit_s)

    def _on_done(self, task: asyncio.Task[Ending]) -> None:
        # a callback, because a task that is cancelled before its first step runs no line of its own
        if task.cancelled():
            self._listener.on_over("closed" if self._dropped is None else "lost", self._dropped)
            return
        match task.exception():
            case None:
                self._listener.on_over(task.result(), None)
            case HookError() as error:
                self._listener.on_over("lost", error)
            case bug:
                _log.error("application session broke", exc_info=bug)
                self._listener.on_over("lost", HookError("internal error", url=self._url))

    async def _sockets(self) -> Ending:
        try:
            async with asyncio.timeout(self._surroundings.timings.first_connection_s):
                opened = await self._first_dial()
        except TimeoutError as error:
            raise HookError("application cannot be reached in time", url=self._url) from error
        retries = 0
        while True:
            ending = await self._converse(opened)
            if ending != "lost":
                return ending
            self._listener.on_lost()
            opened, retries = await self._dial_again(0 if self._useful else retries)

    async def _first_dial(self) -> OpenSocket:
        attempt = 0
        while True:
            try:
                return await upgrade(self._surroundings, self._hook, self._url)
            except UpgradeError as error:
                if attempt >= self._policy.retries or not self._policy.covers(error.failure):
                    raise
                _log.info("application connection failed", url=loggable(self._url), reason=str(error), attempt=attempt)
            await asyncio.sleep(self._delay_s(attempt))
            attempt += 1

    async def _dial_again(self, retries: int) -> tuple[OpenSocket, int]:
        """Reconnect after a drop, whatever the failure; `retries` says how many are used up already."""
        reason = HookError("application closes every connection", url=self._url)
        while retries < self._policy.retries:
            await asyncio.sleep(self._delay_s(retries))
            retries += 1
            try:
                return await upgrade(self._surroundings, self._hook, self._url), retries
            except UpgradeError as error:
                reason = error
                _log.info("application reconnect failed", url=loggable(self._url), reason=str(error), attempt=retries)
        raise reason

    def _delay_s(self, attempt: int) -> float:
        delays = self._surroundings.timings.retry_delays_s
        return delays[min(attempt, len(delays) - 1)]

    async def _converse(self, opened: OpenSocket) -> Ending:
        """Run one socket until it ends."""
        self._opened = True
        self._urgent.clear()
        self._released = self._useful = False
        self._listener.on_open(opened.is_python_sdk)
        writer = asyncio.create_task(self._write(opened.socket))
        try:
            ending = await self._read(opened.socket)
        finally:
            if self._closing:
                await asyncio.wait((writer,), timeout=self._surroundings.timings.close_s)
            writer.cancel()
            await asyncio.wait((writer,))
            if not opened.socket.closed:
                await opened.socket.close()
        return "closed" if self._closing else ending

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> Ending:
        while True:
            message = await socket.receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                self._listener.on_text(message.data)
            elif message.type is aiohttp.WSMsgType.BINARY:
                await socket.close(code=aiohttp.WSCloseCode.UNSUPPORTED_DATA)
                return "hostile"
            elif message.type is aiohttp.WSMsgType.CLOSE:
                # only a close frame counts: aiohttp reports 1000 as the code of a connection that just ended, too
                return "finished" if message.data == aiohttp.WSCloseCode.OK else "lost"
            else:
                return "lost"

    async def _write(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        try:
            while True:
                self._wake.clear()
                while self._urgent:
                    await socket.send_str(self._urgent.popleft())
                while self._released and self._queue and not self._urgent:
                    item = self._queue[0]
                    if isinstance(item, _Close):
                        await socket.close(code=item.code)
                        return
                    await socket.send_str(item)
                    self._queue.popleft()
                if not self._wake.is_set():
                    await self._wake.wait()
        except (aiohttp.ClientError, ConnectionError):
            return  # the reader hears of it too; what was not sent waits for the next socket
