"""The simulator as a stranger's client sees it: plain WebSocket and HTTP."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import aiohttp
import pytest

from moonwire.sandbox.deepgram import DeepgramSimulator, Pace, Utterance
from moonwire.sandbox.voices.phrasebook import load_phrasebook

LOUD = bytes([0x10] * 10 + [0x90] * 10) * 8
QUIET = b"\xff" * 160
QUERY = (
    "model=nova-3&encoding=mulaw&sample_rate=8000&channels=1&interim_results=true&vad_events=true"
    "&endpointing=300&utterance_end_ms=1000"
)
KEY = {"Authorization": "Token good"}


class Stand:
    def __init__(self, http: aiohttp.ClientSession) -> None:
        self.http = http
        self.simulator = DeepgramSimulator(keys=["good"], hearing=["hello there my friend", "goodbye"])
        self.url = ""

    async def restart(self, **settings: Any) -> None:
        await self.simulator.stop()
        merged: dict[str, Any] = {"keys": ["good"], "hearing": ["hello there my friend"], **settings}
        self.simulator = DeepgramSimulator(**merged)
        self.url = await self.simulator.start()

    async def connect(self, query: str = QUERY, **options: Any) -> aiohttp.ClientWebSocketResponse:
        merged: dict[str, Any] = {"headers": KEY, **options}
        return await self.http.ws_connect(f"{self.url}/v1/listen?{query}", **merged)

    async def refused(self, query: str = QUERY, headers: dict[str, str] = KEY) -> tuple[int, dict[str, Any]]:
        upgrade = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        }
        url = self.url.replace("ws://", "http://")
        async with self.http.get(f"{url}/v1/listen?{query}", headers=headers | upgrade) as response:
            body = await response.json()
            assert response.headers["dg-error"] == body["err_msg"]
            assert response.headers["dg-request-id"] == body["request_id"]
            return response.status, body


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    async with aiohttp.ClientSession() as http:
        made = Stand(http)
        made.url = await made.simulator.start()
        try:
            yield made
        finally:
            await made.simulator.stop()


async def say(websocket: aiohttp.ClientWebSocketResponse, loud_s: float, quiet_s: float = 0.0) -> None:
    for _ in range(round(loud_s * 50)):
        await websocket.send_bytes(LOUD)
    for _ in range(round(quiet_s * 50)):
        await websocket.send_bytes(QUIET)


async def messages_until(websocket: aiohttp.ClientWebSocketResponse, kind: str, **members: Any) -> list[dict[str, Any]]:
    got: list[dict[str, Any]] = []
    while True:
        message = await websocket.receive_json(timeout=5)
        got.append(message)
        if message["type"] == kind and all(message.get(name) == value for name, value in members.items()):
            return got


async def test_one_utterance_in_full(stand: Stand) -> None:
    websocket = await stand.connect()
    await say(websocket, 1.6, 1.5)
    got = await messages_until(websocket, "UtteranceEnd")
    assert got[0] == {"type": "SpeechStarted", "channel": [0, 1], "timestamp": 0.04}
    results = [message for message in got if message["type"] == "Results"]
    assert [r["is_final"] for r in results] == [False, False, False, True]
    final = results[-1]
    assert (final["start"], final["duration"], final["speech_final"], final["from_finalize"]) == (0.0, 1.9, True, False)
    [alternative] = final["channel"]["alternatives"]
    assert alternative["transcript"] == "hello there my friend"
    assert [word["word"] for word in alternative["words"]] == ["hello", "there", "my", "friend"]
    assert got[-1]["last_word_end"] == alternative["words"][-1]["end"] == 1.6
    assert results[0]["metadata"]["request_id"] == stand.simulator.records[0].request_id
    await websocket.close()


async def test_times_depend_on_audio_and_not_on_message_size(stand: Stand) -> None:
    websocket = await stand.connect()
    audio = LOUD * 80 + QUIET * 75
    for at in range(0, len(audio), 997):
        await websocket.send_bytes(audio[at : at + 997])
    got = await messages_until(websocket, "UtteranceEnd")
    assert next(m for m in got if m.get("speech_final"))["duration"] == 1.9
    await websocket.close()


async def test_long_speech_is_settled_in_pieces(stand: Stand) -> None:
    stand.simulator.set_hearing([" ".join(f"w{i}" for i in range(30))])
    websocket = await stand.connect()
    await say(websocket, 9.0, 0.4)
    got = await messages_until(websocket, "Results", speech_final=True)
    finals = [m for m in got if m.get("is_final")]
    assert len(finals) == 3
    for before, after in pairwise(finals):
        assert after["start"] == pytest.approx(before["start"] + before["duration"])
    text = " ".join(m["channel"]["alternatives"][0]["transcript"] for m in finals)
    assert text == " ".join(f"w{i}" for i in range(30))
    await websocket.close()


async def test_noisy_and_unsettled_utterances(stand: Stand) -> None:
    stand.simulator.set_hearing([Utterance("one two", noisy=True), Utterance("three four", unsettled=True)])
    websocket = await stand.connect()
    await say(websocket, 1.0, 1.5)
    got = await messages_until(websocket, "UtteranceEnd")
    assert not [m for m in got if m.get("speech_final")]
    assert [m for m in got if m.get("is_final")]
    await say(websocket, 1.0, 0.5)
    got = await messages_until(websocket, "Results")
    assert not [m for m in got if m.get("is_final")]
    await websocket.close()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("normal", [("goodbye", True)]),
        ("empty", [("goodbye", False), ("", True)]),
        ("delayed", [("goodbye", True)]),
    ],
)
async def test_finalize(stand: Stand, answer: str, expected: list[tuple[str, bool]]) -> None:
    stand.simulator.set_hearing(["goodbye"])
    stand.simulator.set_faults(finalize=answer, finalize_delay_s=0.05)
    websocket = await stand.connect()
    await say(websocket, 0.4, 0.1)
    await websocket.send_str('{"type":"Finalize"}')
    got = await messages_until(websocket, "Results", from_finalize=True)
    finals = [m for m in got if m.get("is_final")]
    assert [(m["channel"]["alternatives"][0]["transcript"], m["from_finalize"]) for m in finals] == expected
    await websocket.close()


async def test_close_stream_gives_the_rest_and_a_summary(stand: Stand) -> None:
    websocket = await stand.connect()
    await say(websocket, 1.6)
    await websocket.send_str('{"type":"CloseStream"}')
    got = await messages_until(websocket, "Metadata")
    assert got[-2]["channel"]["alternatives"][0]["transcript"] == "hello there my friend"
    assert got[-1]["duration"] == 1.6
    assert (await websocket.receive()).type is aiohttp.WSMsgType.CLOSE
    assert websocket.close_code == 1000


async def test_an_empty_binary_message_closes(stand: Stand) -> None:
    websocket = await stand.connect()
    await websocket.send_bytes(b"")
    await messages_until(websocket, "Metadata")
    assert (await websocket.receive()).type is aiohttp.WSMsgType.CLOSE


@pytest.mark.parametrize(("audio_first", "keep_alive", "survives"), [(1, 1, True), (0, 1, False), (1, 0, False)])
async def test_keep_alive_counts_after_audio_only(
    stand: Stand, audio_first: bool, keep_alive: bool, survives: bool
) -> None:
    await stand.restart(pace=Pace(idle_close_s=0.3))
    websocket = await stand.connect()
    if audio_first:
        await websocket.send_bytes(QUIET)
    message = None
    for _ in range(6):
        if keep_alive:
            await websocket.send_str('{"type":"KeepAlive"}')
        try:
            message = await websocket.receive(timeout=0.1)
            break
        except TimeoutError:
            continue
    if survives:
        assert message is None
        await websocket.close()
    else:
        assert message is not None
        assert message.data == 1011
        assert "dpgr.am/net0001" in str(message.extra)


async def test_configure(stand: Stand) -> None:
    websocket = await stand.connect()
    await websocket.send_json({"type": "Configure", "keyterms": ["Moonwire"]})
    [answer] = await messages_until(websocket, "ConfigureSuccess")
    assert answer["keyterms"] == ["Moonwire"]
    await websocket.send_json({"type": "Configure", "keyterms": ["abcd" * 600]})
    [answer] = await messages_until(websocket, "ConfigureFailure")
    assert answer["code"] == "CONFIGURE_KEYTERM_LIMIT_EXCEEDED"
    await websocket.send_str("{nonsense")
    [answer] = await messages_until(websocket, "Error")
    assert answer["variant"] == "SchemaError"
    await websocket.send_json({"type": "Dance"})
    [answer] = await messages_until(websocket, "Error")
    assert "Dance" in answer["description"]
    assert {"unreadable": "{nonsense"} in [message for _, message in stand.simulator.records[0].messages]
    await websocket.close()
    older = await stand.connect(QUERY.replace("nova-3", "nova-2"))
    await older.send_json({"type": "Configure", "keyterms": ["x"]})
    [answer] = await messages_until(older, "ConfigureFailure")
    assert answer["code"] == "CONFIGURE_KEYTERMS_NOT_SUPPORTED"
    await older.close()


@pytest.mark.parametrize(
    "headers",
    [{"Authorization": "Token good"}, {"Authorization": "token good"}, {"Authorization": "Bearer good"}],
)
async def test_good_credentials(stand: Stand, headers: dict[str, str]) -> None:
    websocket = await stand.connect(headers=headers)
    assert stand.simulator.records[0].key == "good"
    await websocket.close()


async def test_browser_credentials(stand: Stand) -> None:
    websocket = await stand.connect(headers={}, protocols=["token", "good"])
    assert websocket.protocol == "token"
    await websocket.close()


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Token bad"}, {"Authorization": "Basic good"}])
async def test_bad_credentials(stand: Stand, headers: dict[str, str]) -> None:
    status, body = await stand.refused(headers=headers)
    assert (status, body["err_code"]) == (401, "INVALID_AUTH")


async def test_refusals_by_switch_and_limit(stand: Stand) -> None:
    for status, code in [
        (402, "ASR_PAYMENT_REQUIRED"),
        (403, "INSUFFICIENT_PERMISSIONS"),
        (503, "INTERNAL_SERVER_ERROR"),
    ]:
        stand.simulator.set_faults(refuse_status=status, refuse_times=1)
        found, body = await stand.refused()
        assert (found, body["err_code"]) == (status, code)
    assert [status for status, _ in stand.simulator.refusals] == [402, 403, 503]
    await stand.restart(max_connections=1)
    websocket = await stand.connect()
    status, body = await stand.refused()
    assert (status, body["err_code"]) == (429, "TOO_MANY_REQUESTS")
    await websocket.close()


async def test_wrong_path(stand: Stand) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await stand.http.ws_connect(f"{stand.url}/v2/listen", headers=KEY)
    assert refused.value.status == 404


async def test_accepted_connections_name_their_request(stand: Stand) -> None:
    async with stand.http.ws_connect(f"{stand.url}/v1/listen?{QUERY}", headers=KEY) as websocket:
        assert not websocket.closed
    assert len(stand.simulator.records[0].request_id) == 36


async def test_close_and_drop(stand: Stand) -> None:
    stand.simulator.set_faults(close_after_s=0.01, close_code=1008, close_reason="DATA-0000")
    websocket = await stand.connect()
    message = await websocket.receive()
    assert (message.data, message.extra) == (1008, "DATA-0000")
    stand.simulator.set_faults(close_after_s=None, drop_after_s=0.01)
    websocket = await stand.connect()
    assert (await websocket.receive()).type is aiohttp.WSMsgType.CLOSED
    assert websocket.close_code == 1006


async def test_stall_and_latency(stand: Stand) -> None:
    await stand.restart(latency_s=0.1)
    websocket = await stand.connect()
    began = time.monotonic()
    await say(websocket, 1.0, 0.4)
    await messages_until(websocket, "Results", speech_final=True)
    assert time.monotonic() - began >= 0.1
    stand.simulator.set_faults(stall=True)
    await say(websocket, 1.0, 0.4)
    with pytest.raises(TimeoutError):
        await websocket.receive(timeout=0.3)
    await websocket.close()


async def test_work_is_capped(stand: Stand) -> None:
    stand.simulator.set_faults(realtime_cap=True)
    websocket = await stand.connect()
    began = time.monotonic()
    await say(websocket, 0.6, 0.4)
    await messages_until(websocket, "Results", speech_final=True)
    assert time.monotonic() - began > 0.6
    await websocket.close()


async def test_switches_by_http(stand: Stand) -> None:
    admin = stand.url.replace("ws://", "http://") + "/__sim"
    async with stand.http.post(f"{admin}/script", json={"utterances": ["by wire", {"text": "x", "noisy": True}]}) as r:
        assert r.status == 200
    websocket = await stand.connect()
    await say(websocket, 1.0, 0.5)
    got = await messages_until(websocket, "Results", speech_final=True)
    assert got[-1]["channel"]["alternatives"][0]["transcript"] == "by wire"
    async with stand.http.get(f"{admin}/records") as r:
        records = await r.json()
    assert records["connections"][0]["key"] == "good"
    assert records["connections"][0]["audio_messages"] == 75
    async with stand.http.post(f"{admin}/faults", json={"drop": True, "refuse_status": 503}) as r:
        assert (await r.json())["refuse_status"] == 503
    while not websocket.closed:
        await websocket.receive(timeout=5)
    assert (await stand.refused())[0] == 503
    for path, body in [("faults", '{"nonsense": 1}'), ("faults", "["), ("script", '{"utterances": 7}')]:
        async with stand.http.post(f"{admin}/{path}", data=body) as r:
            assert r.status == 400


async def test_default_hearing_knows_the_phrasebook_and_never_gives_up(stand: Stand) -> None:
    await stand.restart(hearing=None)
    phrases = load_phrasebook()
    websocket = await stand.connect()
    for text in list(phrases)[:4]:
        await websocket.send_bytes(QUIET * 20 + phrases[text] + QUIET * 60)
        heard: list[str] = []
        while " ".join(heard) != text:
            [*_, final] = await messages_until(websocket, "Results", is_final=True)
            heard += final["channel"]["alternatives"][0]["transcript"].split()
    await say(websocket, 1.5, 1.0)
    [*_, final] = await messages_until(websocket, "Results", speech_final=True)
    assert final["channel"]["alternatives"][0]["transcript"]
    await websocket.close()
