"""Keeps connections to the MCP servers that applications name: when they open, how long they may take, how they end.

The protocol itself is the MCP SDK's; it is heavy to import, so that happens in a thread, when the first agent needs it.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import cast

import structlog

from moonwire.apps.webhook import loggable
from moonwire.errors import ToolServerError
from moonwire.ports.tool_servers import FoundTool, ToolServerListener
from moonwire.spec.verbs.agent import McpServer

log = structlog.get_logger()

Opened = Callable[[McpServer], AbstractAsyncContextManager[Sequence[FoundTool]]]
"""moonwire.apps.mcp_client.opened"""

DISCOVERY_S = 10.0
"""From the start of a call to the list of tools; a caller is being talked to meanwhile."""
FAREWELL_S = 2.0


class McpToolServers:
    """Implements ports.tool_servers.ToolServers.

    Args:
        host_policy: whether an application may name this URL.
    """

    def __init__(self, host_policy: Callable[[str], bool]) -> None:
        self._host_policy = host_policy
        self._tasks: set[asyncio.Task[None]] = set()

    def connect(self, server: McpServer, listener: ToolServerListener) -> Connection:
        """Begin to connect."""
        connection = Connection(server, listener, permitted=self._host_policy(server.url))
        task = asyncio.create_task(connection.run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return connection

    async def close(self) -> None:
        """End what is left, bounded by the farewell that each connection may take."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=FAREWELL_S)


class Connection:
    """One agent's connection to one server."""

    def __init__(self, server: McpServer, listener: ToolServerListener, *, permitted: bool) -> None:
        self._server = server
        self._listener = listener
        self._permitted = permitted
        self._closing = asyncio.Event()
        self._name = loggable(server.url)

    def close(self) -> None:
        """Say goodbye in the background."""
        self._closing.set()

    async def run(self) -> None:
        """Connect, tell the tools, and stay until closed; never raises."""
        try:
            if not self._permitted:
                raise ToolServerError("private host; add it to MOONWIRE_PRIVATE_HOSTS to permit it")
            await self._stay()
        except ToolServerError as error:
            log.warning("tool server of no use", server=self._name, error=str(error))
            if not self._closing.is_set():
                self._listener.on_tool_server_failed(self._name, error)

    async def _stay(self) -> None:
        name = "moonwire.apps.mcp_client"
        module = await asyncio.to_thread(importlib.import_module, name)
        opened = cast("Opened", module.opened)
        try:
            async with asyncio.timeout(DISCOVERY_S) as limit, opened(self._server) as tools:
                limit.reschedule(None)
                if not self._closing.is_set():
                    self._listener.on_tools_found(self._name, tools)
                await self._closing.wait()
                limit.reschedule(asyncio.get_running_loop().time() + FAREWELL_S)
        except TimeoutError:
            if not self._closing.is_set():
                raise ToolServerError(f"no list of tools within {DISCOVERY_S:.0f} s") from None
