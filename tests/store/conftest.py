"""An opened store on each kind of database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from argon2 import PasswordHasher
from tests.databases import make_settings, own_postgresql, postgresql, settings

from moonwire.settings import Settings
from moonwire.store import users
from moonwire.store.store import Store

__all__ = ["own_postgresql", "postgresql", "settings"]  # fixtures


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    """An opened store on an empty database."""
    opened = await Store.open(settings)
    yield opened
    await opened.close()


@pytest.fixture
def make() -> Callable[..., Settings]:
    return make_settings


@pytest.fixture(autouse=True)
def light_passwords(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords with little work, except where the hash itself is looked at."""
    if "password" not in request.node.name:
        monkeypatch.setattr(users, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
