from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from moonwire.ports.tts import TextToSpeech
from moonwire.sandbox.contracts.tts import CHECKS, SpeakingVendor
from moonwire.sandbox.deepgramaura import AuraSimulator
from moonwire.spec.components import Synthesizer


@pytest.fixture
async def vendor(
    simulator: AuraSimulator, open_account: Callable[..., Awaitable[TextToSpeech]], synthesizer: Synthesizer
) -> AsyncIterator[SpeakingVendor]:
    silent = AuraSimulator(keys=["k"])
    silent.faults.stall = True
    healthy_url = await simulator.start()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        yield SpeakingVendor(
            synthesizer,
            healthy=await open_account(healthy_url),
            wrong_key=await open_account(healthy_url, key="wrong"),
            unreachable=await open_account(f"ws://127.0.0.1:{nobody.getsockname()[1]}"),
            silent=await open_account(await silent.start(), key="k"),
        )
    await silent.stop()


@pytest.mark.parametrize("check", CHECKS)
async def test_promise(check: Callable[[SpeakingVendor], Awaitable[None]], vendor: SpeakingVendor) -> None:
    await check(vendor)
