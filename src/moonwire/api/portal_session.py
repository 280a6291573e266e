"""Keeps the portal's bearer token in a cookie that scripts cannot read, and turns it into the API's own header.

The portal uses the public REST API; only its token travels differently. A request counts as the portal's when it
carries the header `X-Moonwire-Portal`: a page of another origin cannot send it without a CORS permission that this
server never gives, so that the cookie alone authorises nothing (CSRF).
"""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

from moonwire.api.access import Administered
from moonwire.api.errors import ApiError
from moonwire.api.users import Credentials, log_in

COOKIE: Final = "moonwire_session"
PORTAL_HEADER: Final = "x-moonwire-portal"

session_routes = APIRouter(prefix="/portal", include_in_schema=False)


class Session(BaseModel):
    """Who has logged in; the token itself is in the cookie."""

    user_sid: str
    scope: str
    account_sid: str | None
    force_change: bool


@session_routes.post("/login", response_model=Session)
async def begin(
    body: Credentials,
    request: Request,
    response: Response,
    records: Administered,
    marked: Annotated[str | None, Header(alias=PORTAL_HEADER)] = None,
) -> Any:
    """Log in like POST /v1/login, with the token in a cookie instead of the answer."""
    if marked is None:
        raise ApiError(403, "This address is for the portal; programs use POST /v1/login.")
    login = await log_in(body, request, records)
    response.set_cookie(
        COOKIE, login["token"], httponly=True, samesite="strict", secure=request.url.scheme == "https", path="/"
    )
    return login


@session_routes.post("/logout", status_code=204)
async def end(response: Response) -> None:
    """Forget the token."""
    response.delete_cookie(COOKIE, httponly=True, samesite="strict", path="/")


class PortalCookies:
    """ASGI middleware: gives the portal's requests the Authorization header that REST expects."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, authorised when it is the portal's."""
        if scope["type"] == "http" and scope["path"].startswith("/v1/"):
            headers = Headers(scope=scope)
            token = _token(headers) if PORTAL_HEADER in headers and "authorization" not in headers else ""
            if token:
                scope = {**scope, "headers": list(scope["headers"])}
                MutableHeaders(scope=scope)["authorization"] = f"Bearer {token}"
        await self._app(scope, receive, send)


def _token(headers: Headers) -> str:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""
