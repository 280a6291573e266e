"""Builds the HTTP application out of the routes of each resource."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import FastAPI, Request
from fastapi.responses import Response

from moonwire.api.errors import error_response, install_error_shape
from moonwire.api.health import HealthSources, health_routes


def create_api(health: HealthSources) -> FastAPI:
    """Make the ASGI application; app.py may mount further routes (media sockets, portal) on it."""
    app = FastAPI(
        title="Moonwire", version=version("moonwire"), openapi_url="/v1/openapi.json", docs_url=None, redoc_url=None
    )
    install_error_shape(app)
    app.add_exception_handler(Exception, _unexpected)
    app.include_router(health_routes(health))
    return app


def _unexpected(_request: Request, _error: Exception) -> Response:
    """Answer a bug without telling its text; uvicorn logs it."""
    return error_response(500, "Internal error; the server's log says more.")
