"""Refuses request bodies that are larger than anything this API stores, before they fill the memory."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES: Final = 1 << 20


class BodySize:
    """ASGI middleware: a body that is announced or turns out to be larger than `MOST_BYTES` gets 413."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with its body counted as it comes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        received = int(announced) if announced.isdecimal() and int(announced) > MOST_BYTES else 0

        async def counted() -> Message:
            nonlocal received
            if received <= MOST_BYTES:
                message = await receive()
                received += len(message.get("body", b""))
                if received <= MOST_BYTES:
                    return message
            raise HTTPException(413, f"The body is larger than {MOST_BYTES // 1024} KiB.")

        await self._app(scope, counted, send)
