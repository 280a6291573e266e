"""Opens a WebSocket to an application: upgrade request, credentials, redirects; knows nothing of messages.

Source: jambonz feature-server 0.9.8 (subprotocol, at most 2 redirects), read 2026-11-22.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from moonwire.apps.retry import Failure
from moonwire.apps.surroundings import Surroundings, refuse_private
from moonwire.apps.webhook import authorization
from moonwire.dialects.network_words import plain_cause
from moonwire.errors import HookError
from moonwire.spec.hooks import Hook

SUBPROTOCOL = "ws.jambonz.org"
MOST_BYTES = 1 << 20
"""Largest message taken from an application; jambonz's own 24 KiB is too small for long prompts."""
_MOST_REDIRECTS = 2


class UpgradeError(HookError):
    """No WebSocket came about; `failure` is what the retry policy asks about."""

    def __init__(self, message: str, *, url: str, failure: Failure, status: int | None = None) -> None:
        super().__init__(message, url=url, status=status)
        self.failure: Failure = failure


@dataclass(frozen=True, slots=True)
class OpenSocket:
    """An open WebSocket and what the upgrade told about the peer."""

    socket: aiohttp.ClientWebSocketResponse
    server: str
    """The `Server` header, empty when there was none."""

    @property
    def is_python_sdk(self) -> bool:
        """Whether the peer looks like jambonz's Python SDK, which serves with aiohttp; the Node SDK sends no header."""
        return "python/" in self.server.lower() and "aiohttp/" in self.server.lower()


class _Hops:
    """Watches the requests of one upgrade: counts redirects, checks where they lead, notes the last `Server`."""

    def __init__(self, surroundings: Surroundings, url: str) -> None:
        self._surroundings = surroundings
        self._url = url
        self._host = urlsplit(url).netloc.rpartition("@")[2]
        self._count = 0
        self.server = ""

    async def watch(self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        """Let a request through, as aiohttp's middleware."""
        if self._count > _MOST_REDIRECTS:
            raise UpgradeError("application redirects too often", url=self._url, failure="4xx")
        if self._count and request.url.authority != self._host:
            refuse_private(self._surroundings, str(request.url))
        self._count += 1
        response = await handler(request)
        self.server = response.headers.get("Server", "")
        return response


async def upgrade(surroundings: Surroundings, hook: Hook, url: str) -> OpenSocket:
    """Open a WebSocket at `url` (`ws`, `wss`, `http` or `https`, without fragment).

    Raises:
        HookError: refused, unreachable, or not in time; an UpgradeError where another attempt may help.
    """
    hops = _Hops(surroundings, url)
    try:
        async with asyncio.timeout(surroundings.timings.upgrade_s):
            socket = await _connect(surroundings, hook, url, hops)
    except aiohttp.WSServerHandshakeError as error:
        failure: Failure = "5xx" if error.status >= 500 else "4xx"
        refusal = f"application refused the WebSocket with {error.status}"
        raise UpgradeError(refusal, url=url, failure=failure, status=error.status) from error
    except TimeoutError as error:
        raise UpgradeError("application did not open the WebSocket in time", url=url, failure="ct") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise UpgradeError(f"application cannot be reached: {plain_cause(error)}", url=url, failure="ct") from error
    return OpenSocket(socket, hops.server)


async def _connect(surroundings: Surroundings, hook: Hook, url: str, hops: _Hops) -> aiohttp.ClientWebSocketResponse:
    timings = surroundings.timings
    # a session of its own only to count redirects and to see the answer's headers; connections belong to the process's
    session = aiohttp.ClientSession(
        connector=surroundings.http.connector,
        connector_owner=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=(hops.watch,),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=timings.connect_s),
    )
    try:
        return await session.ws_connect(
            url.replace("http", "ws", 1) if url.startswith("http") else url,
            protocols=(SUBPROTOCOL,),
            headers={"User-Agent": "jambonz"} | authorization(hook),
            max_msg_size=MOST_BYTES,
            compress=0,  # permessage-deflate costs CPU and memory per call
            timeout=aiohttp.ClientWSTimeout(ws_close=timings.close_s),  # pyright: ignore[reportCallIssue]
        )
    finally:
        session.detach()
