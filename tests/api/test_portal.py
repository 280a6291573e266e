"""How the built portal is served, and how its session travels."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import aiohttp
import pytest
from fastapi import FastAPI

from moonwire.api.errors import install_error_shape
from moonwire.api.portal import install_portal
from moonwire.api.portal_session import COOKIE

from .rest import Rest

Serve = Callable[[FastAPI], AbstractAsyncContextManager[aiohttp.ClientSession]]

PORTAL = {"X-Moonwire-Portal": "1"}
LOGIN = {"username": "admin", "password": "first password"}


def make_app(directory: Path) -> FastAPI:
    app = FastAPI(openapi_url="/v1/openapi.json", docs_url=None, redoc_url=None)
    install_error_shape(app)
    install_portal(app, directory)
    return app


@pytest.fixture
def built(tmp_path: Path) -> FastAPI:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Moonwire</title>", encoding="utf-8")
    (tmp_path / "favicon.svg").write_text("<svg/>", encoding="utf-8")
    (tmp_path / "assets" / "index-abc.js").write_text("export {};" * 100, encoding="utf-8")
    return make_app(tmp_path)


async def test_files_with_a_hash_are_kept_and_the_page_is_not(serve: Serve, built: FastAPI) -> None:
    async with serve(built) as client:
        async with client.get("/") as page:
            assert page.status == 200
            assert page.headers["cache-control"] == "no-cache"
            policy = page.headers["content-security-policy"]
            assert "script-src 'self'" in policy
            assert "unsafe" not in policy
        async with client.get("/assets/index-abc.js") as script:
            assert script.headers["cache-control"].endswith("immutable")
            assert script.headers["content-encoding"] == "gzip"
            assert script.content_type == "text/javascript"
            assert await script.text() == "export {};" * 100
        async with client.get("/assets/index-abc.js", headers={"Accept-Encoding": "identity"}) as script:
            assert "content-encoding" not in script.headers
        async with client.get("/favicon.svg") as icon:
            assert icon.content_type == "image/svg+xml"


@pytest.mark.parametrize("path", ["/account/llm-services", "/calls/abc", "/v1x", "/index.html"])
async def test_deep_links_get_the_page(serve: Serve, built: FastAPI, path: str) -> None:
    async with serve(built) as client, client.get(path) as page:
        assert (page.status, page.content_type) == (200, "text/html")


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1", "/assets/old.js", "/media/x", "/metrics/x"])
async def test_unknown_addresses_of_other_rooms_do_not(serve: Serve, built: FastAPI, path: str) -> None:
    async with serve(built) as client, client.get(path) as answer:
        assert (answer.status, answer.content_type) == (404, "application/json")


async def test_without_a_build_the_page_says_what_to_do(serve: Serve, tmp_path: Path) -> None:
    async with serve(make_app(tmp_path)) as client, client.get("/") as page:
        assert page.status == 503
        assert "make portal" in await page.text()


async def test_the_token_travels_in_a_cookie_only(rest: Rest) -> None:
    session = rest.admin.session
    async with session.post("/portal/login", json=LOGIN, headers=PORTAL) as answer:
        assert answer.status == 200
        assert "token" not in await answer.json()
        set_cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(set_cookie.split("; "))
    cookie = {"Cookie": set_cookie.split(";")[0]}
    for headers, status in (
        (cookie | PORTAL, 200),
        (cookie, 401),
        (PORTAL, 401),
        ({"Cookie": f"{COOKIE}=forged"} | PORTAL, 401),
        (cookie | PORTAL | {"Authorization": "Bearer wrong"}, 401),
    ):
        async with session.get("/v1/Users/me", headers=headers) as answer:
            assert answer.status == status, headers


async def test_the_login_of_the_portal_is_not_for_other_pages(rest: Rest) -> None:
    async with rest.admin.session.post("/portal/login", json=LOGIN) as answer:
        assert answer.status == 403
    async with rest.admin.session.post("/portal/logout") as answer:
        assert answer.status == 204
        assert "Max-Age=0" in answer.headers["set-cookie"]
