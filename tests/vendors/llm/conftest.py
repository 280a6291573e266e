from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from pydantic import SecretStr

from moonwire.ports.directory import VendorCredential
from moonwire.sandbox.moonshot import SANDBOX_KEYS, MoonshotSimulator, Pacing
from moonwire.vendors.chat_completions import ChatCompletions
from moonwire.vendors.chat_vendor import ConnectOptions
from moonwire.vendors.connections import VendorConnections
from moonwire.vendors.llm import open_llm

KEY = SANDBOX_KEYS["global"][0]
QUICK = Pacing(first_token_s=0.0, gap_s=0.0, thinking_s=0.0)


class LoopClock:
    def monotonic_s(self) -> float:
        return asyncio.get_running_loop().time()

    def utc_s(self) -> float:
        return 1_795_000_000.0 + self.monotonic_s()


def credential(base_url: str, key: str = KEY, **fields: str) -> VendorCredential:
    return VendorCredential(
        "moonshot", sid="llm-1", secrets={"api_key": SecretStr(key)}, fields={"base_url": base_url, **fields}
    )


@pytest.fixture
async def connections() -> AsyncIterator[VendorConnections]:
    pool = VendorConnections(LoopClock())
    yield pool
    await pool.close()


@pytest.fixture
async def simulator() -> AsyncIterator[MoonshotSimulator]:
    running = MoonshotSimulator(pacing=QUICK)
    yield running
    await running.stop()


@pytest.fixture
async def base_url(simulator: MoonshotSimulator) -> str:
    return await simulator.start()


@pytest.fixture
def open_model(base_url: str, connections: VendorConnections) -> Callable[..., ChatCompletions]:
    def opened(options: ConnectOptions | None = None, key: str = KEY, **fields: str) -> ChatCompletions:
        return open_llm(credential(fields.pop("base_url", base_url), key, **fields), connections, options)

    return opened
