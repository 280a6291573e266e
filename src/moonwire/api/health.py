"""Liveness, readiness and metrics: what orchestrators, load balancers and Prometheus ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

ReadyCheck = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class HealthSources:
    """What the health routes ask."""

    ready_checks: Mapping[str, ReadyCheck]
    """Name of a part -> whether it can serve now, for example `database`, `sip`; each answers within seconds."""
    metrics: Callable[[], tuple[bytes, str]]
    """Prometheus' text and its content type."""


def health_routes(sources: HealthSources) -> APIRouter:
    """Make `/healthz`, `/readyz` and `/metrics`."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/healthz")
    async def alive() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/readyz")
    async def ready() -> JSONResponse:
        parts = {name: await check() for name, check in sources.ready_checks.items()}
        is_ready = all(parts.values())
        body = {"status": "ready" if is_ready else "not ready", "parts": parts}
        return JSONResponse(body, status_code=200 if is_ready else 503)

    @routes.get("/metrics")
    async def metrics() -> Response:
        text, content_type = sources.metrics()
        return Response(text, media_type=content_type)

    return routes
