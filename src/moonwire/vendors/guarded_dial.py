"""Opens one socket whose key travels in a header: no redirects, bounded closing, no exception that holds the key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import NoReturn

import aiohttp

from moonwire.dialects.network_words import plain_cause

CLOSE_LIMIT_S = 1.0
_HEARTBEAT_S = 20.0
_LARGEST_MESSAGE_BYTES = 16 * 1024 * 1024

Socket = aiohttp.ClientWebSocketResponse[bool]


@dataclass(frozen=True, slots=True)
class NotOpened:
    """Why there is no socket."""

    why: str
    """A few words, without key and address."""
    status: int | None = None
    """Of the refused upgrade; 400 where we refuse ourselves; None when nobody could be reached."""
    request_id: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of the refusal."""


class _RedirectedError(aiohttp.ClientError):
    """The endpoint wanted to send us elsewhere."""


async def _refuse_redirect(
    *_: aiohttp.ClientSession | SimpleNamespace | aiohttp.TraceRequestRedirectParams,
) -> NoReturn:
    raise _RedirectedError


async def dial(http: aiohttp.ClientSession, url: str, headers: Mapping[str, str]) -> Socket | NotOpened:
    """Connect over the process's shared connector; text frames come as bytes."""
    if http.closed:
        return NotOpened("cannot be reached: the server is stopping")
    # A session of its own around the shared connector: aiohttp carries headers of ours along to another host when it
    # follows a redirect, and for sockets only a session-wide trace can refuse that.
    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(_refuse_redirect)
    session = aiohttp.ClientSession(
        connector=http.connector, connector_owner=False, cookie_jar=aiohttp.DummyCookieJar(), trace_configs=[trace]
    )
    try:
        return await session.ws_connect(
            url,
            headers=headers,
            timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_LIMIT_S),  # pyright: ignore[reportCallIssue]
            heartbeat=_HEARTBEAT_S,
            max_msg_size=_LARGEST_MESSAGE_BYTES,
            decode_text=False,
        )
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return _reason(error)
    finally:
        session.detach()


def _reason(error: Exception) -> NotOpened:
    match error:
        case aiohttp.WSServerHandshakeError():
            headers = error.headers or {}
            return NotOpened("connection refused", error.status, headers.get("X-Request-Id"), headers)
        case _RedirectedError():
            return NotOpened("redirected elsewhere; set base_url to the final address", 400)
        case ValueError():
            return NotOpened("base_url or API key holds characters HTTP does not allow", 400)
        case _:
            return NotOpened(f"cannot be reached ({plain_cause(error)})")
