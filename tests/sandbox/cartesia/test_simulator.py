"""The Cartesia stand-in alone, spoken to by a bare client, against its documented behaviour."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import aiohttp
import msgspec
import numpy as np
import pytest

from moonwire.sandbox.cartesia import CartesiaFaults, CartesiaSimulator, ErrorEvent
from moonwire.sandbox.cartesia.speech import AudioFormat, time_words
from moonwire.sandbox.virtual_time import elapse, virtual_time
from moonwire.sandbox.voices import synthesise

VERSION = "2026-03-01"
REQUEST: dict[str, Any] = {
    "context_id": "c-1",
    "model_id": "sonic-3",
    "transcript": "Hello there. ",
    "voice": {"mode": "id", "id": "f786b574-daa5-4673-aa0c-cbe3e8534c02"},
    "output_format": {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000},
    "language": "en",
    "continue": True,
    "max_buffer_delay_ms": 0,
    "add_timestamps": True,
}


class Client:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> None:
        self.socket = socket

    async def send(self, **changes: Any) -> None:
        await self.socket.send_str(msgspec.json.encode({**REQUEST, **changes}).decode())

    async def message(self, limit_s: float = 30.0) -> dict[str, Any]:
        async with asyncio.timeout(limit_s):
            received = await self.socket.receive()
        assert received.type is aiohttp.WSMsgType.TEXT, received
        return msgspec.json.decode(received.data)

    async def until(self, kind: str) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        while not messages or messages[-1]["type"] != kind:
            messages.append(await self.message())
        return messages


@asynccontextmanager
async def connected(version: str = VERSION, **options: Any) -> AsyncGenerator[tuple[Client, CartesiaSimulator]]:
    simulator = CartesiaSimulator(keys=["k"], voice="tone", **options)
    base_url = await simulator.start()
    headers = {"X-API-Key": "k", "Cartesia-Version": version}
    try:
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(f"{base_url}/tts/websocket", headers=headers) as socket,
        ):
            yield Client(socket), simulator
    finally:
        await simulator.stop()


def now_s() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({"X-API-Key": "k", "Cartesia-Version": VERSION}, "", 101),
        ({"Authorization": "Bearer k", "Cartesia-Version": VERSION}, "", 101),
        ({}, f"?api_key=k&cartesia_version={VERSION}", 101),
        ({"Cartesia-Version": VERSION}, "?access_token=k", 101),
        ({"X-API-Key": "k", "Cartesia-Version": "1999-01-01"}, "?cartesia_version=2025-04-16", 101),
        ({"X-API-Key": "k"}, "", 400),
        ({"X-API-Key": "k", "Cartesia-Version": "1999-01-01"}, "", 400),
        ({"X-API-Key": "x", "Cartesia-Version": VERSION}, "", 401),
        ({"Cartesia-Version": VERSION}, "", 401),
    ],
)
@virtual_time
async def test_handshake(headers: dict[str, str], query: str, status: int) -> None:
    simulator = CartesiaSimulator(keys=["k"])
    base_url = await simulator.start()
    async with aiohttp.ClientSession() as http:
        try:
            async with http.ws_connect(f"{base_url}/tts/websocket{query}", headers=headers):
                answered = 101
        except aiohttp.WSServerHandshakeError as refusal:
            answered = refusal.status if refusal.headers and "X-Request-Id" in refusal.headers else 0
    assert answered == status
    await simulator.stop()


@virtual_time
async def test_a_sentence_gives_stamps_chunks_flush_and_done_in_order() -> None:
    async with connected(first_chunk_s=0.09, rtf=8.0) as (client, _):
        started_s = now_s()
        await client.send(**{"continue": False})
        first = await client.message()
        assert now_s() - started_s == pytest.approx(0.09, abs=0.001)
        messages = [first, *await client.until("done")]
        audio = b"".join(base64.b64decode(item["data"]) for item in messages if item["type"] == "chunk")
        assert audio == synthesise("Hello there. ", "tone")
        assert now_s() - started_s == pytest.approx(0.09 + len(audio) / 8000 / 8, abs=0.01)
        words = [word for item in messages if item["type"] == "timestamps" for word in item["word_timestamps"]["words"]]
        assert words == ["Hello", "there."]
        assert messages[-2]["type"] == "flush_done"
        assert messages[-2]["flush_id"] == 1
        assert {item["status_code"] for item in messages} == {206}
        assert [item["done"] for item in messages] == [False] * (len(messages) - 1) + [True]


@virtual_time
async def test_stamps_count_from_the_start_of_the_context() -> None:
    async with connected(rtf=0.0) as (client, _):
        await client.send(transcript="One. ")
        await client.until("flush_done")
        await client.send(transcript="Two.")
        messages = await client.until("flush_done")
        stamps = next(item for item in messages if item["type"] == "timestamps")["word_timestamps"]
        assert stamps["start"] == [pytest.approx(len(synthesise("One. ", "tone")) / 8000, abs=0.001)]
        assert messages[-1]["flush_id"] == 2


@pytest.mark.parametrize(
    ("changes", "released_s"),
    [
        ({"max_buffer_delay_ms": None}, 3.0),
        ({"max_buffer_delay_ms": 500}, 0.5),
        ({"max_buffer_delay_ms": 500, "flush": True}, 0.0),
        ({"max_buffer_delay_ms": 500, "transcript": "a whole sentence."}, 0.0),
        ({"max_buffer_delay_ms": 500, "continue": False}, 0.0),
    ],
)
@virtual_time
async def test_the_buffer_rule(changes: dict[str, Any], released_s: float) -> None:
    async with connected(first_chunk_s=0.0) as (client, _):
        request = {**REQUEST, "transcript": "no end of sentence", **changes}
        started_s = now_s()
        members = {name: value for name, value in request.items() if value is not None}
        await client.socket.send_str(msgspec.json.encode(members).decode())
        await client.message()
        assert now_s() - started_s == pytest.approx(released_s, abs=0.02)


@virtual_time
async def test_a_context_expires_one_second_after_its_last_audio() -> None:
    async with connected(rtf=0.0) as (client, simulator):
        await client.send()
        await client.until("flush_done")
        await elapse(0.9)
        await client.send(transcript="Still here. ")
        assert (await client.until("flush_done"))[-1]["flush_id"] == 2
        await elapse(1.1)
        await client.send(transcript="Too late.")
        error = await client.message()
        assert (error["type"], error["status_code"], error["context_id"]) == ("error", 400, "c-1")
        assert "closed" in error["message"]
        assert simulator.records.open_contexts["k"] == 0


@virtual_time
async def test_silence_before_the_first_audio_expires_nothing() -> None:
    async with connected(first_chunk_s=0.0) as (client, _):
        await client.send(transcript="")
        await elapse(10)
        await client.send(transcript="Hello.")
        assert (await client.until("chunk"))[-1]["type"] == "chunk"


@virtual_time
async def test_an_ended_context_takes_no_more() -> None:
    async with connected(rtf=0.0) as (client, _):
        await client.send(**{"continue": False})
        await client.until("done")
        await client.send(transcript="More.")
        assert (await client.message())["type"] == "error"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"voice": {"mode": "id", "id": "sonic-english"}}, 400, None),
        ({"voice": "f786b574-daa5-4673-aa0c-cbe3e8534c02"}, 400, None),
        ({"model_id": "sonic-english-9"}, 404, "model_not_found"),
        ({"output_format": {"container": "wav", "encoding": "pcm_mulaw", "sample_rate": 8000}}, 400, None),
        ({"output_format": {"container": "raw", "encoding": "opus", "sample_rate": 8000}}, 400, None),
        ({"output_format": {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 11025}}, 400, None),
        ({"max_buffer_delay_ms": 6000}, 400, None),
        ({"language": "en-US"}, 400, None),
        ({"transcript": 7}, 400, None),
        ({"continue": "yes"}, 400, None),
    ],
)
@virtual_time
async def test_wrong_fields_are_named(changes: dict[str, Any], status: int, code: str | None) -> None:
    async with connected() as (client, _):
        await client.send(**changes)
        error = await client.message()
        assert (error["type"], error["status_code"], error["error_code"]) == ("error", status, code)
        assert error["title"]
        assert error["message"]
        assert error["request_id"]


@virtual_time
async def test_fields_must_be_the_same_in_all_inputs_of_a_context() -> None:
    async with connected(first_chunk_s=1.0) as (client, _):
        await client.send()
        await client.send(language="fr", transcript="encore")
        error = await client.message()
        assert "language changed" in error["message"]


@virtual_time
async def test_old_versions_have_another_error_shape_and_a_smaller_delay() -> None:
    async with connected("2025-04-16") as (client, _):
        await client.send(max_buffer_delay_ms=2000)
        error = await client.message()
        assert error["error"].startswith("Invalid request: max_buffer_delay_ms")
        assert "message" not in error


@virtual_time
async def test_what_is_no_request_is_an_error() -> None:
    async with connected() as (client, _):
        for text in ("{", "[1]"):
            await client.socket.send_str(text)
            assert (await client.message())["status_code"] == 400
        await client.socket.send_bytes(b"\x00")
        assert (await client.message())["status_code"] == 400
        await client.send(context_id=None)
        assert "context_id" in (await client.message())["message"]


@virtual_time
async def test_cancel_before_generation_stops_everything() -> None:
    async with connected(first_chunk_s=0.5) as (client, simulator):
        await client.send()
        await client.socket.send_str('{"context_id":"c-1","cancel":true}')
        await simulator.records.wait_until(lambda: simulator.records.open_contexts["k"] == 0)
        with pytest.raises(TimeoutError):
            await client.message(limit_s=5)


@virtual_time
async def test_cancel_in_mid_generation_lets_some_chunks_through_and_ends_with_done() -> None:
    async with connected(stray_chunks=2, rtf=5.0) as (client, _):
        await client.send(transcript="A rather long sentence that takes its time to be spoken to the end. ")
        await client.until("chunk")
        await client.socket.send_str('{"context_id":"c-1","cancel":true}')
        messages = await client.until("done")
        assert len([item for item in messages if item["type"] == "chunk"]) == 2


@virtual_time
async def test_contexts_interleave_and_the_plan_limits_them() -> None:
    async with connected(concurrency=2, rtf=5.0) as (client, _):
        for name in ("a", "b", "c"):
            await client.send(context_id=name, transcript="Some words to be spoken. ", **{"continue": False})
        error = await client.message()
        assert (error["context_id"], error["status_code"], error["error_code"]) == ("c", 429, "concurrency_limited")
        first = await client.until("done")
        assert {item["context_id"] for item in first} == {"a", "b"}
        await client.until("done")
        await client.send(context_id="d", **{"continue": False})
        assert (await client.message())["context_id"] == "d"


@virtual_time
async def test_five_minutes_without_a_message_end_the_connection() -> None:
    async with connected() as (client, _):
        started_s = now_s()
        received = await client.socket.receive()
        assert received.type is aiohttp.WSMsgType.CLOSE
        assert (received.data, received.extra) == (1000, "connection idle timeout")
        assert now_s() - started_s == pytest.approx(300, abs=0.1)


@virtual_time
async def test_faults_are_switched_over_http_and_records_read() -> None:
    simulator = CartesiaSimulator(keys=["k"])
    base_url = (await simulator.start()).replace("ws://", "http://")
    async with aiohttp.ClientSession() as http:
        async with http.post(f"{base_url}/__sim/faults", json={"stall": True, "errors": [{"status": 429}]}) as response:
            assert response.status == 200
        assert simulator.faults.stall
        assert simulator.faults.errors == [ErrorEvent(status=429)]
        async with http.post(f"{base_url}/__sim/faults", json={"typo": True}) as response:
            assert response.status == 400
        async with http.get(f"{base_url}/__sim/faults") as response:
            assert (await response.json())["stall"] is True
        async with http.delete(f"{base_url}/__sim/faults") as response:
            assert (await response.json())["stall"] is False
        async with http.get(f"{base_url}/__sim/records") as response:
            assert (await response.json())["open_connections"] == 0
    await simulator.stop()


@virtual_time
async def test_close_with_a_code() -> None:
    simulator = CartesiaSimulator(keys=["k"])
    simulator.faults = CartesiaFaults(close_after_s=2.0, close_code=1011, close_reason="restarting")
    base_url = await simulator.start()
    headers = {"X-API-Key": "k", "Cartesia-Version": VERSION}
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{base_url}/tts/websocket", headers=headers) as socket,
    ):
        received = await socket.receive()
        assert (received.data, received.extra) == (1011, "restarting")
    await simulator.stop()


@pytest.mark.parametrize("encoding", ["pcm_f32le", "pcm_s16le", "pcm_mulaw", "pcm_alaw"])
@pytest.mark.parametrize("rate_hz", [8000, 16000, 44100])
def test_every_format_lasts_as_long(encoding: str, rate_hz: int) -> None:
    clip = synthesise("Hello there.", "tone")
    audio_format = AudioFormat(encoding, rate_hz)
    audio = audio_format.convert(clip)
    assert len(audio) / audio_format.bytes_per_s == pytest.approx(len(clip) / 8000, abs=0.001)
    if encoding == "pcm_f32le":
        assert np.abs(np.frombuffer(audio, dtype="<f4")).max() < 1.0


def test_words_lie_in_order_inside_the_clip() -> None:
    timed = time_words("Well, hello there my friend.", 2.0)
    assert [word.text for word in timed] == ["Well,", "hello", "there", "my", "friend."]
    assert all(one.end_s <= two.start_s for one, two in pairwise(timed))
    assert timed[0].start_s == 0.0
    assert timed[-1].end_s <= 2.0
    assert time_words("", 1.0) == []
