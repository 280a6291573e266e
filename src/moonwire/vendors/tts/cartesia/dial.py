"""Opens one socket to Cartesia and turns every way that can fail into our errors, without letting the key out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import NoReturn

import aiohttp

from moonwire.errors import VendorError
from moonwire.vendors.tts.cartesia.failures import failure_of_refusal, unreachable
from moonwire.vendors.tts.cartesia.manifest import API_VERSION

CLOSE_LIMIT_S = 1.0
_HEARTBEAT_S = 20.0
_LARGEST_MESSAGE_BYTES = 16 * 1024 * 1024

Socket = aiohttp.ClientWebSocketResponse[bool]


class _RedirectedError(aiohttp.ClientError):
    """The endpoint wanted to send us elsewhere."""


async def _refuse_redirect(
    *_: aiohttp.ClientSession | SimpleNamespace | aiohttp.TraceRequestRedirectParams,
) -> NoReturn:
    raise _RedirectedError


async def dial(http: aiohttp.ClientSession, url: str, api_key: str) -> Socket:
    """Connect over the process's shared connector.

    Raises:
        VendorError: refused, redirected, or unreachable.
    """
    if http.closed:
        raise unreachable("cannot be reached: the server is stopping")
    # A session of its own around the shared connector: aiohttp carries X-API-Key along to another host when it
    # follows a redirect, and for sockets only a session-wide trace can refuse that.
    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(_refuse_redirect)
    session = aiohttp.ClientSession(
        connector=http.connector, connector_owner=False, cookie_jar=aiohttp.DummyCookieJar(), trace_configs=[trace]
    )
    try:
        return await session.ws_connect(
            url,
            headers={"X-API-Key": api_key, "Cartesia-Version": API_VERSION},
            timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_LIMIT_S),  # pyright: ignore[reportCallIssue]
            heartbeat=_HEARTBEAT_S,
            max_msg_size=_LARGEST_MESSAGE_BYTES,
            decode_text=False,
        )
    except (aiohttp.ClientError, OSError, ValueError) as error:
        failure = _failure(error, api_key)
    finally:
        session.detach()
    raise failure  # outside the handler: the cause keeps the request headers, the key among them


def _failure(error: Exception, api_key: str) -> VendorError:
    match error:
        case aiohttp.WSServerHandshakeError():
            request_id = error.headers.get("X-Request-Id") if error.headers else None
            return failure_of_refusal(error.status, "connection refused", request_id, hide=(api_key,))
        case _RedirectedError():
            return failure_of_refusal(400, "redirected elsewhere; set base_url to the final address", None, hide=())
        case ValueError():
            return failure_of_refusal(400, "base_url or API key holds characters HTTP does not allow", None, hide=())
        case _:
            return unreachable(f"cannot be reached ({type(error).__name__})")
