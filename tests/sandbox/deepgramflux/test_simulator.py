"""The stand-in against its documentation, with a plain client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import aiohttp
import pytest

from moonwire.sandbox.deepgramflux import FluxSimulator

LOUD = bytes([0x10] * 10 + [0x90] * 10) * 8
QUIET = b"\xff" * 160
QUERY = "model=flux-general-en&encoding=mulaw&sample_rate=8000"


@pytest.fixture
async def simulator() -> AsyncIterator[FluxSimulator]:
    made = FluxSimulator(keys=["k"], hearing=["hello world how are you"])
    yield made
    await made.stop()


async def play(simulator: FluxSimulator, query: str, audio: bytes, *controls: str) -> list[dict[str, Any]]:
    """Send audio and control messages, then CloseStream; return what came."""
    url = f"{await simulator.start()}/v2/listen?{query}"
    headers = {"Authorization": "Token k"}
    async with aiohttp.ClientSession() as http, http.ws_connect(url, headers=headers) as socket:
        await socket.send_bytes(audio)
        for control in (*controls, '{"type":"CloseStream"}'):
            await socket.send_str(control)
        return [message.json() async for message in socket]


def events(messages: list[dict[str, Any]]) -> list[str]:
    return [message.get("event", message["type"]) for message in messages if message.get("event") != "Update"]


async def test_eager_resumed_end(simulator: FluxSimulator) -> None:
    audio = LOUD * 40 + QUIET * 11 + LOUD * 30 + QUIET * 40
    messages = await play(simulator, f"{QUERY}&eager_eot_threshold=0.4&eot_threshold=0.8", audio)
    assert events(messages) == [
        "Connected",
        "StartOfTurn",
        "EagerEndOfTurn",
        "TurnResumed",
        "EagerEndOfTurn",
        "EndOfTurn",
    ]
    assert [message["sequence_id"] for message in messages] == list(range(len(messages)))
    assert [message["trigger"] for message in messages if "trigger" in message] == ["model"]


async def test_updates_come_every_quarter_second(simulator: FluxSimulator) -> None:
    messages = await play(simulator, QUERY, QUIET * 100)
    updates = [message["audio_window_end"] for message in messages if message.get("event") == "Update"]
    assert len(updates) == 7
    assert all(0.25 <= later - earlier <= 0.27 for earlier, later in pairwise(updates))


async def test_force_and_configure(simulator: FluxSimulator) -> None:
    configure = '{"type":"Configure","thresholds":{"eot_threshold":0.9},"keyterms":["kimi"]}'
    messages = await play(simulator, QUERY, LOUD * 40, configure, '{"type":"ForceEndTurn"}')
    success = next(message for message in messages if message["type"] == "ConfigureSuccess")
    assert success["thresholds"]["eot_threshold"] == 0.9
    assert messages[-1]["trigger"] == "manual"


@pytest.mark.parametrize(
    "query",
    [
        "model=nova-3&encoding=mulaw&sample_rate=8000",
        f"{QUERY}&interim_results=true",
        f"{QUERY}&eager_eot_threshold=0.9",
        f"{QUERY}&eot_threshold=0.2",
        f"{QUERY}&language_hint=de",
        "encoding=mulaw&sample_rate=8000",
    ],
)
async def test_refuses_what_is_not_documented(simulator: FluxSimulator, query: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await play(simulator, query, QUIET)
    assert refusal.value.status == 400


async def test_knows_neither_keep_alive_nor_finalize(simulator: FluxSimulator) -> None:
    messages = await play(simulator, QUERY, QUIET, '{"type":"KeepAlive"}')
    assert messages[-1]["type"] == "Error"
