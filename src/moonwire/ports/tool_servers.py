"""What an agent asks of external tool servers (MCP): which tools they have, and to run one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from moonwire.errors import ToolServerError
from moonwire.ports.llm import ToolDefinition
from moonwire.spec.verbs.agent import McpServer


@dataclass(frozen=True, slots=True)
class FoundTool:
    """A tool of a server."""

    definition: ToolDefinition
    run: Callable[[Mapping[str, Any]], Awaitable[str]]
    """Takes the arguments and returns the result as text.

    Raises ToolServerError when the server is gone, or answers nonsense.
    """


class ToolServerListener(Protocol):
    """The agent's side of a connection; called on the event loop."""

    def on_tools_found(self, server: str, tools: Sequence[FoundTool]) -> None:
        """Take the server's tools; once."""
        ...

    def on_tool_server_failed(self, server: str, error: ToolServerError) -> None:
        """Hear that the server is of no use; at most once, the text holds no secret."""
        ...


class ToolServerConnection(Protocol):
    """One agent's connection to one server."""

    def close(self) -> None:
        """Say goodbye in the background; returns at once."""
        ...


class ToolServers(Protocol):
    """Connects to tool servers."""

    def connect(self, server: McpServer, listener: ToolServerListener) -> ToolServerConnection:
        """Begin to connect and return at once; the listener hears what comes of it."""
        ...
