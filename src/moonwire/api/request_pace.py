"""Keeps one client of REST from taking the server away from the others: so many requests in five minutes, then 429.

A client is a bearer token, or an address as long as it has shown no valid one; refused tokens count for their address,
so that trying others gains nothing. Programs on this machine are not limited: behind a proxy that does not say for
whom it asks, they would all be one client. Held in memory, bounded.

Source: jambonz's API allows 600 requests in 5 minutes (docs.jambonz.org, read 2026-11-22); RFC 9110 section 10.2.3.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import ip_address
from math import ceil
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from moonwire.api.errors import error_response
from moonwire.ports.clock import Clock

WINDOW_S: Final = 300.0
_REMEMBERED: Final = 10_000


class RequestPace:
    """One bucket per client: `limit` requests at once, refilled evenly over the window; 0 = no limit."""

    def __init__(self, clock: Clock, limit: int) -> None:
        self.limit = limit
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()
        """Client -> when its bucket will be full again."""

    def wait_s(self, client: str) -> float:
        """Return how long a client has to wait for its next request; 0 = not at all."""
        return max(0.0, self._owed_s(client) + WINDOW_S / self.limit - WINDOW_S) if self.limit else 0.0

    def left(self, client: str) -> int:
        """Return how many requests a client may make at once."""
        return max(0, int(self.limit * (1 - self._owed_s(client) / WINDOW_S)))

    def take(self, client: str) -> None:
        """Count a request."""
        if self.limit:
            self._full_at[client] = self._clock.monotonic_s() + self._owed_s(client) + WINDOW_S / self.limit
            self._full_at.move_to_end(client)
            while len(self._full_at) > _REMEMBERED:
                self._full_at.popitem(last=False)

    def _owed_s(self, client: str) -> float:
        return max(0.0, self._full_at.get(client, 0.0) - self._clock.monotonic_s())


class RequestLimit:
    """ASGI middleware: answers 429 with `Retry-After` for a client that asks too often."""

    def __init__(self, app: ASGIApp, pace: Callable[[], RequestPace]) -> None:
        self._app = app
        self._pace = pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the request and pass it on, or refuse it."""
        pace = self._pace()
        address = str((scope.get("client") or ("",))[0])
        if scope["type"] != "http" or not scope["path"].startswith("/v1/") or not pace.limit or _is_local(address):
            await self._app(scope, receive, send)
            return
        authorization = Headers(scope=scope).get("authorization", "")
        client = hashlib.sha256(authorization.encode()).hexdigest() if authorization else address
        if wait_s := max(pace.wait_s(client), pace.wait_s(address)):
            answer = error_response(429, f"Too many requests; come again in {ceil(wait_s)} seconds.")
            answer.headers.update({"Retry-After": str(ceil(wait_s)), "X-RateLimit-Limit": str(pace.limit)})
            await answer(scope, receive, send)
            return
        pace.take(client)

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] == 401 and client != address:
                    pace.take(address)
                headers = MutableHeaders(scope=message)
                headers["X-RateLimit-Limit"] = str(pace.limit)
                headers["X-RateLimit-Remaining"] = str(pace.left(client))
            await send(message)

        await self._app(scope, receive, told)


def _is_local(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
