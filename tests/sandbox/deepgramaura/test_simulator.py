"""The stand-in against its documentation, with a plain client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from moonwire.sandbox.deepgramaura import AuraSimulator

QUERY = "model=aura-2-thalia-en&encoding=mulaw&sample_rate=8000"


@pytest.fixture
async def simulator() -> AsyncIterator[AuraSimulator]:
    made = AuraSimulator(keys=["k"], first_frame_s=0.0, rtf=0.0, voice="tone")
    yield made
    await made.stop()


async def play(simulator: AuraSimulator, until: str, *sent: dict[str, Any]) -> tuple[list[str], int, int | None]:
    """Send messages; return the types that came, the bytes of audio, and the close code."""
    async with aiohttp.ClientSession() as http:
        url = f"{await simulator.start()}/v1/speak?{QUERY}"
        async with http.ws_connect(url, headers={"Authorization": "Token k"}) as socket:
            for message in sent:
                await socket.send_json(message)
            types: list[str] = []
            audio = 0
            async for message in socket:
                if message.type is aiohttp.WSMsgType.BINARY:
                    audio += len(message.data)
                    continue
                types.append(message.json()["type"])
                if types[-1] == until:
                    break
            return types, audio, socket.close_code


async def test_text_waits_for_flush(simulator: AuraSimulator) -> None:
    types, audio, _ = await play(simulator, "Flushed", {"type": "Speak", "text": "Hello "}, {"type": "Flush"})
    assert types == ["Metadata", "Flushed"]
    assert audio == 5 * 480


async def test_clear_is_answered(simulator: AuraSimulator) -> None:
    types, audio, _ = await play(simulator, "Cleared", {"type": "Speak", "text": "Hello "}, {"type": "Clear"})
    assert types == ["Metadata", "Cleared"]
    assert audio == 0


async def test_too_many_flushes(simulator: AuraSimulator) -> None:
    types, _, _ = await play(simulator, "Warning", *[{"type": "Flush"}] * 21)
    assert types[-1] == "Warning"


@pytest.mark.parametrize(
    ("sent", "code"),
    [({"type": "KeepAlive"}, 1008), ({"type": "Speak", "text": "x" * 2001}, 1009), ({"type": "Close"}, 1000)],
)
async def test_closes(simulator: AuraSimulator, sent: dict[str, Any], code: int) -> None:
    assert (await play(simulator, "never", sent))[2] == code
