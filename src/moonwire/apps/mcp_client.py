"""Speaks MCP through the official SDK: streamable HTTP first, then SSE; what servers say is checked and bounded.

Source: Model Context Protocol specification (transports, tools), modelcontextprotocol.io, read 2026-11-22.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, cast
from urllib.parse import urlsplit

import httpx2
from mcp.client.client import Client
from mcp.client.session import ClientRequestContext
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, Implementation, ListRootsResult, Root, TextContent, Tool

from moonwire.dialects.network_words import plain_cause
from moonwire.errors import ToolServerError
from moonwire.ports.llm import ToolDefinition
from moonwire.ports.tool_servers import FoundTool
from moonwire.spec.verbs.agent import McpServer

MOST_TOOLS: Final = 100
"""Language models take 128 in all (Moonshot's limit)."""
MOST_PAGES: Final = 10
MOST_SCHEMA_BYTES: Final = 16 * 1024
MOST_DESCRIPTION: Final = 4000
_TIMES = httpx2.Timeout(5.0, read=60.0)
_NO_ARGUMENTS: Mapping[str, Any] = {"type": "object", "properties": {}}

for _chatty in ("httpx2", "mcp"):
    logging.getLogger(_chatty).setLevel(logging.CRITICAL)  # they log URLs, which may hold keys


@asynccontextmanager
async def opened(server: McpServer) -> AsyncGenerator[Sequence[FoundTool]]:
    """Connect and yield the server's tools; they work while the context is open.

    Raises:
        ToolServerError: unreachable over both transports, or no usable list.
    """
    entered = False
    try:
        try:
            async with _streamable(server) as client:
                tools = await _found(client, server)
                entered = True
                yield tools
                return
        except Exception as first:
            if entered or _is_unreachable(first):
                raise
        async with _sse(server) as client:
            tools = await _found(client, server)
            entered = True
            yield tools
    except ToolServerError:
        raise
    except Exception as error:  # noqa: BLE001 - the SDK raises groups of whatever its transports met
        if not entered:
            raise ToolServerError(_reason(error, server)) from None


@asynccontextmanager
async def _streamable(server: McpServer) -> AsyncGenerator[Client]:
    async with httpx2.AsyncClient(headers=_headers(server.auth), timeout=_TIMES) as http:
        transport = streamable_http_client(server.url, http_client=http)
        async with Client(transport, mode="auto", **_options(server)) as client:
            yield client


@asynccontextmanager
async def _sse(server: McpServer) -> AsyncGenerator[Client]:
    transport = sse_client(server.url, headers=_headers(server.auth), timeout=5.0, sse_read_timeout=3600.0)
    async with Client(transport, mode="legacy", **_options(server)) as client:
        yield client


def _options(server: McpServer) -> dict[str, Any]:
    async def list_roots(_context: ClientRequestContext) -> ListRootsResult:
        return ListRootsResult(roots=[Root.model_validate(root) for root in server.roots])

    return {
        "read_timeout_seconds": 60.0,
        "list_roots_callback": list_roots if server.roots else None,
        "client_info": Implementation(name="moonwire", version="1"),
        "cache": None,
    }


def _headers(auth: Mapping[str, Any] | None) -> dict[str, str]:
    """Read jambonz's `auth`, whose shape is free: an API key or token, user and password, or headers as they are."""
    given = {name.replace("_", "").lower(): value for name, value in (auth or {}).items()}
    headers = given.get("headers")
    found: dict[str, str] = {}
    if isinstance(headers, Mapping):
        found = {str(name): str(value) for name, value in cast("Mapping[object, object]", headers).items()}
    for name in ("apikey", "token", "accesstoken", "bearer", "bearertoken"):
        if isinstance(token := given.get(name), str) and token:
            return {"Authorization": f"Bearer {token}"} | found
    if isinstance(user := given.get("username"), str):
        pair = base64.b64encode(f"{user}:{given.get('password', '')}".encode()).decode()
        return {"Authorization": f"Basic {pair}"} | found
    return found


async def _found(client: Client, server: McpServer) -> Sequence[FoundTool]:
    tools: list[Tool] = []
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        cursor = page.next_cursor
        if cursor is None or len(tools) >= MOST_TOOLS:
            break
    return [_tool(client, tool, server) for tool in tools[:MOST_TOOLS] if tool.name.strip()]


def _tool(client: Client, tool: Tool, server: McpServer) -> FoundTool:
    schema: Mapping[str, Any] = tool.input_schema
    if schema.get("type") != "object" or len(json.dumps(schema, default=str)) > MOST_SCHEMA_BYTES:
        schema = _NO_ARGUMENTS
    definition = ToolDefinition(tool.name, (tool.description or tool.title or "")[:MOST_DESCRIPTION], schema)

    async def run(arguments: Mapping[str, Any]) -> str:
        try:
            result = await client.call_tool(tool.name, dict(arguments))
        except Exception as error:  # noqa: BLE001 - as above
            raise ToolServerError(_reason(error, server)) from None
        return _text(result)

    return FoundTool(definition, run)


def _text(result: CallToolResult) -> str:
    """Return a result's text parts, or its structured content; other parts are named."""
    parts = [
        part.text if isinstance(part, TextContent) else f"[{part.type} that cannot be spoken]"
        for part in result.content
    ]
    text = "\n".join(part for part in parts if part)
    if not text and result.structured_content is not None:
        text = json.dumps(result.structured_content, ensure_ascii=False, default=str)
    return json.dumps({"error": text or "the tool failed"}, ensure_ascii=False) if result.is_error else text


def _leaf(error: BaseException) -> BaseException:
    if isinstance(error, BaseExceptionGroup):
        inner = cast("BaseExceptionGroup[BaseException]", error).exceptions
        return _leaf(inner[0])
    return error


def _plain(leaf: BaseException) -> str:
    if isinstance(leaf, OSError):
        return plain_cause(leaf)
    if isinstance(leaf, httpx2.TimeoutException):
        return "no answer in time"
    if isinstance(leaf, httpx2.ConnectError):
        return "it cannot be reached: check host and port, and that it runs"
    surprised = type(leaf).__module__ == "builtins" or not str(leaf).strip()
    return "it does not keep to the protocol" if surprised else str(leaf)


def _is_unreachable(error: Exception) -> bool:
    return isinstance(_leaf(error), httpx2.ConnectError | httpx2.ConnectTimeout)


def _reason(error: Exception, server: McpServer) -> str:
    """Say what went wrong, without the secrets that a URL or the credential may hold."""
    leaf = _leaf(error)
    text = (_plain(leaf)).replace(server.url, "the server")
    secrets = [urlsplit(server.url).query, *(str(value) for value in (server.auth or {}).values())]
    for secret in secrets:
        if len(secret) > 3:
            text = text.replace(secret, "***")
    return " ".join(text.split())[:200]
