"""The stand-in against its documentation, with a plain client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from moonwire.sandbox.elevenlabs import ElevenLabsSimulator

PATH = "/v1/text-to-speech/voice/multi-stream-input?output_format=ulaw_8000"


@pytest.fixture
async def simulator() -> AsyncIterator[ElevenLabsSimulator]:
    made = ElevenLabsSimulator(keys=["k"], first_chunk_s=0.0, rtf=0.0, voice="tone")
    yield made
    await made.stop()


async def play(simulator: ElevenLabsSimulator, *sent: dict[str, Any]) -> tuple[list[dict[str, Any]], int | None]:
    """Send messages; return what came until isFinal or the end, and the close code."""
    async with aiohttp.ClientSession() as http:
        url = await simulator.start() + PATH
        async with http.ws_connect(url, headers={"xi-api-key": "k"}) as socket:
            for message in sent:
                await socket.send_json(message)
            came: list[dict[str, Any]] = []
            async for message in socket:
                came.append(message.json())
                if came[-1].get("isFinal"):
                    break
            return came, socket.close_code


async def test_text_waits_for_the_flush(simulator: ElevenLabsSimulator) -> None:
    opening, text = {"text": " ", "context_id": "c"}, {"text": "Hello you. ", "context_id": "c"}
    close = {"context_id": "c", "close_context": True}
    dropped, _ = await play(simulator, opening, text, close)
    assert dropped == [{"isFinal": True, "contextId": "c"}]
    await simulator.stop()
    spoken, _ = await play(simulator, opening, text, {"text": "", "context_id": "c", "flush": True}, close)
    assert "".join("".join(one["alignment"]["chars"]) for one in spoken[:-1]) == "Hello you. "
    assert len(spoken) > 2


@pytest.mark.parametrize(
    "sent",
    [
        [{"text": "Hello", "context_id": "c"}],
        [{"text": "", "context_id": "c"}],
        [{"text": "Hello"}],
        [{"text": " ", "context_id": str(number)} for number in range(6)],
    ],
)
async def test_policy_violations_close_with_1008(simulator: ElevenLabsSimulator, sent: list[dict[str, Any]]) -> None:
    came, code = await play(simulator, *sent)
    assert code == 1008
    assert came[-1]["error"] == "policy_violation"


@pytest.mark.parametrize(
    "query", ["&output_format=mp3", "&inactivity_timeout=300", "&model_id=eleven_v3", "&novelty=1"]
)
async def test_refuses_wrong_parameters(simulator: ElevenLabsSimulator, query: str) -> None:
    url = await simulator.start()
    path = PATH.partition("?")[0] + "?" + query.lstrip("&")
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await http.ws_connect(url + path, headers={"xi-api-key": "k"})
        assert refusal.value.status == 400
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await http.ws_connect(url + PATH, headers={"xi-api-key": "wrong"})
        assert refusal.value.status == 401
