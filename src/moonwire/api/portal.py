"""Serves the built portal on the origin of the REST API: files from memory, one page for every other address.

The page may load nothing from another host and runs no inline script (Content-Security-Policy). Files whose names
carry a hash are cached for ever, the page never.
"""

from __future__ import annotations

import gzip
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from starlette.convertors import Convertor, register_url_convertor

from moonwire.api.errors import ApiError
from moonwire.api.portal_session import PortalCookies, session_routes

ASSETS: Final = Path(__file__).parent / "portal_assets"
"""Where `make portal` and the wheel put the built portal."""

SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; media-src 'self' blob:; worker-src 'self'; manifest-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
}
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_COMPRESSIBLE: Final = ("text/", "application/json", "image/svg+xml")
_NOT_BUILT: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Moonwire</title></head>
<body><h1>Moonwire is running</h1>
<p>The portal has not been built on this machine. Calls and the REST API work without it.</p>
<p>From a checkout: run <code>make portal</code>, then start the server again.
Installed packages bring the portal along.</p></body></html>
"""


@dataclass(frozen=True, slots=True)
class Asset:
    """One built file."""

    content: bytes
    compressed: bytes | None
    """The same with gzip, when that makes it smaller."""
    media_type: str

    def response(self, request: Request, headers: Mapping[str, str]) -> Response:
        """Answer with the form that the browser takes."""
        sent = {**headers, "X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding"}
        if self.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(self.compressed, media_type=self.media_type, headers={**sent, "Content-Encoding": "gzip"})
        return Response(self.content, media_type=self.media_type, headers=sent)


class _PagePath(Convertor[str]):
    """Addresses of the portal's page: everything that no other room answers."""

    regex = r"(?!(?:v1|portal|media|assets|metrics|healthz|readyz)(?:/|$)).*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("page", _PagePath())


def load_assets(directory: Path) -> dict[str, Asset]:
    """Read the built portal: path below the directory -> file. Empty when it has not been built."""
    if not (directory / "index.html").is_file():
        return {}
    files = (path for path in sorted(directory.rglob("*")) if path.is_file())
    return {path.relative_to(directory).as_posix(): _asset(path) for path in files}


def _asset(path: Path) -> Asset:
    content = path.read_bytes()
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    packed = gzip.compress(content, mtime=0) if media_type.startswith(_COMPRESSIBLE) else None
    return Asset(content, packed if packed is not None and len(packed) < len(content) else None, media_type)


def install_portal(app: FastAPI, directory: Path = ASSETS) -> None:
    """Add the portal to the HTTP application; after every other route, because its page answers the rest."""
    app.include_router(session_routes)
    app.add_middleware(PortalCookies)
    app.include_router(_routes(load_assets(directory)))


def _routes(assets: Mapping[str, Asset]) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.api_route("/assets/{name:path}", methods=["GET", "HEAD"])
    async def hashed(name: str, request: Request) -> Response:
        """Answer with a file whose name changes with its content."""
        asset = assets.get(f"assets/{name}")
        if asset is None:
            raise ApiError(404, "There is no such file.")
        return asset.response(request, {"Cache-Control": _FOR_EVER})

    @routes.api_route("/{path:page}", methods=["GET", "HEAD"])
    async def page(path: str, request: Request) -> Response:
        """Answer with a file of the root, or with the page, which knows the rest of the addresses itself."""
        asset = assets.get(path)
        if asset is None or path == "index.html":
            asset = assets.get("index.html")
            headers = {**SECURITY_HEADERS, "Cache-Control": "no-cache"}
            return asset.response(request, headers) if asset else HTMLResponse(_NOT_BUILT, 503, headers)
        return asset.response(request, {"Cache-Control": "public, max-age=3600"})

    return routes
