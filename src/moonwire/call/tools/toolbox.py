"""Decides which tools an agent offers its model, and who runs each: the server, an MCP server, or the application.

Order of precedence where names clash: built-in, MCP, application (jambonz contract, agent verb, tools).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from moonwire.call.reply import Reply
from moonwire.core.dialog.messages import ToolCall
from moonwire.ports.llm import ToolDefinition
from moonwire.spec.verbs.agent_llm import Tool

RunTool = Callable[[ToolCall], Awaitable[Any]]
"""Runs a tool somewhere else and returns its result.

Raises HookError or ToolServerError when there is none.
"""


class BuiltInTool(Protocol):
    """A tool of the server itself; it belongs to the reply that uses it and dies with it."""

    @property
    def definition(self) -> ToolDefinition:
        """What the model is told."""
        ...

    async def run(self, reply: Reply, call: ToolCall) -> Any:
        """Do it, and return the result for the model, or None when the reply ends with what has been said."""
        ...


@dataclass(frozen=True, slots=True)
class RemoteTool:
    """A tool that somebody else runs; its result is kept even when the reply that wanted it is over."""

    definition: ToolDefinition
    run: RunTool
    limit_s: float = 30.0
    """jambonz's own value is not public; its applications call other services within that time."""
    after_words: bool = False
    """Begins when the words before the call have been heard; interrupted words call it off."""


class Toolbox:
    """One agent's tools."""

    def __init__(self, run_for_application: RunTool, application: Iterable[Tool] = ()) -> None:
        self._run_for_application = run_for_application
        self._built_in: dict[str, BuiltInTool | RemoteTool] = {}
        self._found: dict[str, RemoteTool] = {}
        self._application: dict[str, RemoteTool] = {}
        self._offered: tuple[ToolDefinition, ...] | None = None
        self.replace_application(application)

    @property
    def offered(self) -> Sequence[ToolDefinition]:
        """What the model is told; the same order every time, because vendors cache the beginning of a request."""
        if self._offered is None:
            everything = {**self._application, **self._found, **self._built_in}
            self._offered = tuple(tool.definition for tool in everything.values())
        return self._offered

    def replace_application(self, tools: Iterable[Tool]) -> None:
        """Offer these tools of the application from the next request on."""
        definitions = (ToolDefinition(tool.name, tool.description, tool.parameters) for tool in tools)
        self._application = {one.name: RemoteTool(one, self._run_for_application) for one in definitions}
        self._offered = None

    def add_found(self, tools: Iterable[RemoteTool]) -> None:
        """Offer tools that a server has told of; the first of a name stays."""
        for tool in tools:
            self._found.setdefault(tool.definition.name, tool)
        self._offered = None

    def build_in(self, tool: BuiltInTool | RemoteTool) -> None:
        """Offer a tool of ours."""
        self._built_in[tool.definition.name] = tool
        self._offered = None

    def find(self, name: str) -> BuiltInTool | RemoteTool | None:
        """Return the tool of this name, if one is offered."""
        return self._built_in.get(name) or self._found.get(name) or self._application.get(name)
