"""Builds the HTTP application out of the routes of each resource."""

from __future__ import annotations

from collections import deque
from importlib.metadata import version

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from fastapi.routing import iter_route_contexts

from moonwire.api import (
    accounts,
    alerts,
    api_keys,
    applications,
    calls,
    carriers,
    llm_credentials,
    new_calls,
    phone_numbers,
    recent_calls,
    speech_credentials,
    system,
    users,
)
from moonwire.api.body_size import BodySize
from moonwire.api.errors import error_response, install_error_shape
from moonwire.api.health import HealthSources, health_routes
from moonwire.api.login_guard import LoginGuard
from moonwire.api.portal import install_portal
from moonwire.api.request_pace import RequestLimit, RequestPace
from moonwire.api.services import ApiServices
from moonwire.api.trial_pace import TrialPace

_RESOURCES = (
    accounts,
    alerts,
    api_keys,
    applications,
    calls,
    new_calls,
    carriers,
    llm_credentials,
    phone_numbers,
    recent_calls,
    speech_credentials,
    system,
    users,
)


def create_api(health: HealthSources, services: ApiServices | None = None) -> FastAPI:
    """Make the ASGI application; app.py may mount further routes (media sockets) on it.

    Without services there is no REST and no portal, only what operations ask.
    """
    app = FastAPI(title="Moonwire", version=version("moonwire"), openapi_url=None, docs_url=None, redoc_url=None)
    install_error_shape(app)
    app.add_exception_handler(Exception, _unexpected)
    app.include_router(health_routes(health))
    _publish_description(app)
    if services is not None:
        serve_with(app, services)
        app.add_middleware(BodySize)
        app.add_middleware(RequestLimit, pace=lambda: app.state.request_pace)
        for resource in _RESOURCES:
            app.include_router(resource.routes, prefix="/v1")
        install_portal(app)
    deque(iter_route_contexts(app.routes), maxlen=0)  # builds them now, not under the first request, with calls waiting
    return app


def _publish_description(app: FastAPI) -> None:
    """Offer the OpenAPI document, which takes a third of a second to write: in a thread, when somebody asks."""

    @app.get("/v1/openapi.json", include_in_schema=False)
    def openapi() -> JSONResponse:
        return JSONResponse(app.openapi())


def serve_with(app: FastAPI, services: ApiServices) -> None:
    """Give an application its collaborators; guards begin to count anew."""
    app.state.services = services
    app.state.login_guard = LoginGuard(services.clock)
    app.state.trial_pace = TrialPace(services.clock)
    app.state.request_pace = RequestPace(services.clock, services.request_limit)


def _unexpected(_request: Request, _error: Exception) -> Response:
    """Answer a bug without telling its text; uvicorn logs it."""
    return error_response(500, "Internal error; the server's log says more.")
