from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from pydantic import SecretStr

from moonwire.ports.directory import VendorCredential
from moonwire.ports.tts import TextToSpeech
from moonwire.sandbox.deepgramaura import AuraSimulator
from moonwire.spec.components import Synthesizer
from moonwire.vendors.tts import open_tts

KEY = "dg_0123456789"

OpenAccount = Callable[..., Awaitable[TextToSpeech]]


@pytest.fixture
def synthesizer() -> Synthesizer:
    return Synthesizer(vendor="deepgram", voice="aura-2-thalia-en", language="en-US")


@pytest.fixture
async def simulator() -> AsyncIterator[AuraSimulator]:
    """Instant and tonal: 60 ms of tone per character, everything sent at once."""
    stand_in = AuraSimulator(keys=[KEY], first_frame_s=0.0, rtf=0.0, voice="tone")
    yield stand_in
    await stand_in.stop()


@pytest.fixture
async def open_account() -> AsyncIterator[OpenAccount]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:

        async def open_one(base_url: str, *, key: str = KEY, **fields: str) -> TextToSpeech:
            secrets = {"api_key": SecretStr(key)}
            return open_tts(
                VendorCredential("deepgram", secrets=secrets, fields={"base_url": base_url, **fields}), http
            )

        yield open_one
