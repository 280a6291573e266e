"""A real HTTP server around an application, and a client to ask it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager

import aiohttp
import pytest
import uvicorn
from argon2 import PasswordHasher
from fastapi import FastAPI
from tests.databases import postgresql, settings

from moonwire.settings import Settings
from moonwire.store import users

from .rest import Rest, opened

__all__ = ["postgresql", "settings"]  # fixtures

Serve = Callable[[FastAPI], AbstractAsyncContextManager[aiohttp.ClientSession]]


@contextlib.asynccontextmanager
async def serving(app: FastAPI) -> AsyncGenerator[aiohttp.ClientSession]:
    """Serve the application on a free port; the session's base URL leads to it."""
    # Named TCP: only then asyncio switches Nagle off, which would cost every answer 40 ms.
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
        started = asyncio.Event()
        startup = server.startup

        async def announce(sockets: list[socket.socket] | None = None) -> None:
            await startup(sockets)
            started.set()

        server.startup = announce
        task = asyncio.create_task(server.serve([listener]))
        await asyncio.wait_for(started.wait(), 10)
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            async with aiohttp.ClientSession(base) as session:
                yield session
        finally:
            server.should_exit = True
            await task


@pytest.fixture
def serve() -> Serve:
    return serving


@pytest.fixture
async def rest(serve: Serve, settings: Settings) -> AsyncGenerator[Rest]:
    """REST with an administrator and the tenants alice and bob, on each kind of database."""
    async with opened(serve, settings) as server:
        yield server


@pytest.fixture(autouse=True)
def light_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords with little work; how much is tested in tests/store."""
    monkeypatch.setattr(users, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
