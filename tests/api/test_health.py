"""What orchestrators and Prometheus are told, and the shape of errors."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import aiohttp
from fastapi import FastAPI

from moonwire.api.application import create_api
from moonwire.api.errors import ApiError
from moonwire.api.health import HealthSources

Serve = Callable[[FastAPI], AbstractAsyncContextManager[aiohttp.ClientSession]]


def make_app(*, database: bool = True) -> FastAPI:
    async def check() -> bool:
        return database

    async def fine() -> bool:
        return True

    metrics = (b"moonwire_info 1.0\n", "text/plain; version=0.0.4; charset=utf-8")
    return create_api(HealthSources({"database": check, "sip": fine}, lambda: metrics))


async def test_ready(serve: Serve) -> None:
    async with serve(make_app()) as client:
        async with client.get("/healthz") as answer:
            assert (answer.status, await answer.json()) == (200, {"status": "ok"})
        async with client.get("/readyz") as answer:
            assert answer.status == 200
            assert await answer.json() == {"status": "ready", "parts": {"database": True, "sip": True}}
        async with client.get("/metrics") as answer:
            assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
            assert await answer.text() == "moonwire_info 1.0\n"


async def test_not_ready_but_alive(serve: Serve) -> None:
    async with serve(make_app(database=False)) as client:
        async with client.get("/healthz") as answer:
            assert answer.status == 200
        async with client.get("/readyz") as answer:
            assert answer.status == 503
            assert (await answer.json())["parts"] == {"database": False, "sip": True}


async def test_error_shape(serve: Serve) -> None:
    app = make_app()

    @app.get("/teapot")
    async def teapot() -> None:
        raise ApiError(422, "Label X is already in use.", "label-in-use")

    @app.get("/bug")
    async def bug() -> None:
        raise RuntimeError("sk-planted")

    async with serve(app) as client:
        async with client.get("/nothing") as answer:
            assert (answer.status, await answer.json()) == (404, {"msg": "Not Found", "code": "not-found"})
        async with client.post("/healthz") as answer:
            assert (answer.status, (await answer.json())["code"]) == (405, "method-not-allowed")
            assert answer.headers["allow"] == "GET"
        async with client.get("/teapot") as answer:
            assert (answer.status, await answer.json()) == (
                422,
                {"msg": "Label X is already in use.", "code": "label-in-use"},
            )
        async with client.get("/bug") as answer:
            assert answer.status == 500
            assert "planted" not in await answer.text()


async def test_openapi(serve: Serve) -> None:
    async with serve(make_app()) as client, client.get("/v1/openapi.json") as answer:
        assert (await answer.json())["info"]["title"] == "Moonwire"
