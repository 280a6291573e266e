from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic, time
from typing import Any

import aiohttp
import pytest
import uvicorn
from fastapi import FastAPI, WebSocket

from moonwire.core.audio.frames import SILENCE_FRAME
from moonwire.errors import CallError
from moonwire.ports.legs import CallLeg, LegEnd
from moonwire.transports.pacing import Pacer
from moonwire.transports.websocket import twilio, twilio_leg
from moonwire.transports.websocket.server import websocket_protocol
from moonwire.transports.websocket.twilio import TWILIO_PATH, TwilioDoor, twilio_signature


class SystemClock:
    def monotonic_s(self) -> float:
        return monotonic()

    def utc_s(self) -> float:
        return time()


@dataclass
class Gate:
    addresses: dict[str, str] = field(default_factory=dict[str, str])
    tokens: dict[str, str] = field(default_factory=dict[str, str])
    auth_tokens: dict[str, str] = field(default_factory=dict[str, str])

    def carrier_for_address(self, address: str) -> str | None:
        return self.addresses.get(address)

    def carrier_for_token(self, token: str) -> str | None:
        return self.tokens.get(token)

    def twilio_auth_tokens(self) -> Mapping[str, str]:
        return self.auth_tokens


LOOPBACK = Gate(addresses={"127.0.0.1": "loopback"})
TOKEN_ONLY = Gate(tokens={"secret": "pbx"})


@dataclass
class Engine:
    """Takes calls, notes what it hears, says what it is given."""

    legs: list[CallLeg] = field(default_factory=list[CallLeg])
    to_say: list[bytes] = field(default_factory=list[bytes])
    heard: list[bytes] = field(default_factory=list[bytes])
    digits: list[str] = field(default_factory=list[str])
    ends: list[LegEnd] = field(default_factory=list[LegEnd])
    played_out: int = 0
    broken: bool = False

    def offer(self, leg: CallLeg) -> None:
        self.legs.append(leg)
        leg.attach(self, self)

    def on_frame(self, frame: bytes) -> None:
        if self.broken:
            raise ValueError("engine fault")
        self.heard.append(frame)

    def on_digit(self, digit: str, duration_ms: int) -> None:
        self.digits.append(digit)

    def on_ended(self, end: LegEnd) -> None:
        self.ends.append(end)

    def next_frame(self) -> bytes | None:
        return self.to_say.pop(0) if self.to_say else None

    def on_played_out(self) -> None:
        self.played_out += 1

    def loud(self) -> bytes:
        return b"".join(frame for frame in self.heard if frame != SILENCE_FRAME)


@dataclass
class Server:
    port: int
    engine: Engine
    pacer: Pacer
    http: aiohttp.ClientSession
    uvicorn: uvicorn.Server

    def connect(self, query: str = "?number=1617", **options: Any) -> Any:
        return self.http.ws_connect(f"http://127.0.0.1:{self.port}{TWILIO_PATH}{query}", **options)


class QuietServer(uvicorn.Server):
    @property
    def port(self) -> int:
        return self.servers[0].sockets[0].getsockname()[1]


@asynccontextmanager
async def serving(gate: Gate = LOOPBACK) -> AsyncGenerator[Server]:
    app = FastAPI()

    @app.websocket("/echo")
    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("echo " + await socket.receive_text())
        await socket.close()

    clock = SystemClock()
    pacer = Pacer(clock)
    engine = Engine()
    door = TwilioDoor(gate=gate, acceptor=engine, pacer=pacer, clock=clock)
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, ws=websocket_protocol({TWILIO_PATH: door}), log_config=None, lifespan="off"
    )
    server = QuietServer(config)
    running = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    try:
        async with aiohttp.ClientSession() as http:
            yield Server(server.port, engine, pacer, http, server)
    finally:
        server.should_exit = True
        await running


async def until(condition: Callable[[], object], timeout_s: float = 5.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0)


async def begin(socket: aiohttp.ClientWebSocketResponse, **parameters: str) -> None:
    await socket.send_json({"event": "connected", "protocol": "Call", "version": "1.0.0"})
    start = {
        "streamSid": "MZ1",
        "callSid": "CA1",
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": parameters,
    }
    await socket.send_json({"event": "start", "sequenceNumber": "1", "start": start, "streamSid": "MZ1"})


async def say(socket: aiohttp.ClientWebSocketResponse, audio: bytes) -> None:
    payload = base64.b64encode(audio).decode()
    await socket.send_json({"event": "media", "media": {"track": "inbound", "payload": payload}, "streamSid": "MZ1"})


async def receive(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    async with asyncio.timeout(5):
        return json.loads(await socket.receive_str())


async def closing(socket: aiohttp.ClientWebSocketResponse) -> tuple[Any, Any]:
    async with asyncio.timeout(10):
        while True:
            message = await socket.receive()
            if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED):
                return message.data, message.extra


def voice(number: int) -> bytes:
    return bytes([number + 1]) * 160


async def test_a_call_from_start_to_stop() -> None:
    async with serving() as server:
        engine = server.engine
        async with server.connect("?number=%2B1617&from=+4420") as socket:
            await begin(socket, region="eu")
            await until(lambda: engine.legs)
            info = engine.legs[0].info
            assert (info.call_id, info.to, info.from_, info.carrier) == ("CA1", "+1617", "+4420", "loopback")
            assert (info.transport, info.protocol, info.source_address) == ("twilio", "ws", "127.0.0.1")
            assert info.headers == {"region": "eu"}
            await engine.legs[0].ring()
            await engine.legs[0].answer()
            await say(socket, voice(1))
            await say(socket, voice(2)[:50])
            await say(socket, voice(2)[50:] + voice(3) + voice(4)[:1])
            await until(lambda: voice(3) in engine.heard)
            assert engine.loud() == voice(1) + voice(2) + voice(3)
            await socket.send_json({"event": "dtmf", "dtmf": {"digit": "5"}})
            await until(lambda: engine.digits == ["5"])
            await socket.send_json({"event": "stop", "stop": {}})
            assert (await closing(socket))[0] == 1000
        assert engine.ends == [LegEnd("caller", "closed")]
        assert len(server.pacer) == 0


async def test_audio_goes_out_at_once_ahead_and_ends_with_a_mark() -> None:
    async with serving() as server:
        engine = server.engine
        async with server.connect() as socket:
            await begin(socket)
            await until(lambda: engine.legs)
            leg = engine.legs[0]
            engine.to_say += [voice(number) for number in range(8)]
            leg.wake()
            assert len(engine.to_say) == 3
            assert leg.unheard_frames() == 5
            for number in range(8):
                message = await receive(socket)
                assert (message["event"], message["streamSid"]) == ("media", "MZ1")
                assert base64.b64decode(message["media"]["payload"]) == voice(number)
            mark = await receive(socket)
            assert mark["event"] == "mark"
            await socket.send_json({"event": "mark", "streamSid": "MZ1", "mark": mark["mark"]})
            await until(lambda: engine.played_out)
            assert leg.unheard_frames() == 0
            assert leg.clear() == 0
            leg.send_digits("1", 100)
        await until(lambda: engine.ends)
        assert engine.played_out == 1


async def test_clear_takes_back_what_was_not_heard() -> None:
    async with serving() as server:
        engine = server.engine
        async with server.connect() as socket:
            await begin(socket)
            await until(lambda: engine.legs)
            engine.to_say += [voice(number) for number in range(5)]
            engine.legs[0].wake()
            assert engine.legs[0].clear() == 5
            assert engine.legs[0].clear() == 0
            events = [(await receive(socket))["event"] for _ in range(6)]
            assert events == ["media"] * 5 + ["clear"]
            engine.to_say.append(voice(1))
            engine.legs[0].wake()
            assert (await receive(socket))["event"] == "media"
            assert (await receive(socket))["event"] == "mark"


async def test_a_silent_stream_is_heard_as_silence() -> None:
    async with serving() as server, server.connect() as socket:
        await begin(socket)
        await until(lambda: server.engine.heard.count(SILENCE_FRAME) >= 3)
        assert set(server.engine.heard) == {SILENCE_FRAME}


async def test_hang_up_and_reject() -> None:
    async with serving() as server:
        async with server.connect() as socket:
            await begin(socket)
            await until(lambda: server.engine.legs)
            await server.engine.legs[0].hang_up()
            await server.engine.legs[0].hang_up()
            assert await closing(socket) == (1000, "")
            with pytest.raises(CallError):
                await server.engine.legs[0].answer()
        async with server.connect() as socket:
            await begin(socket)
            await until(lambda: len(server.engine.legs) == 2)
            await server.engine.legs[1].reject(480, "Temporarily Unavailable")
            assert await closing(socket) == (1008, "480 Temporarily Unavailable")
        assert server.engine.ends == [LegEnd("moonwire", "hangup"), LegEnd("moonwire", "rejected", 480)]


async def test_an_end_before_attach_is_not_lost() -> None:
    async with serving() as server:
        async with server.connect() as socket:
            await begin(socket)
            await until(lambda: server.engine.legs)
        await until(lambda: server.engine.ends)
        late = Engine()
        server.engine.legs[0].attach(late, late)
        assert late.ends == []
        await until(lambda: late.ends)


async def test_other_paths_are_served_by_the_application() -> None:
    async with serving() as server:
        async with server.http.ws_connect(f"http://127.0.0.1:{server.port}/echo") as socket:
            await socket.send_str("hello")
            assert await socket.receive_str() == "echo hello"
        async with server.http.get(f"http://127.0.0.1:{server.port}/openapi.json") as response:
            assert response.status == 200


async def test_a_strange_address_is_refused_alike() -> None:
    async with serving(TOKEN_ONLY) as server:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await server.connect("?number=1617&token=wrong")
        assert caught.value.status == 403
        async with server.connect() as socket:
            await begin(socket, token="wrong")
            assert await closing(socket) == (1008, "refused")
        async with server.connect() as socket:
            await begin(socket)
            assert await closing(socket) == (1008, "refused")
        assert server.engine.legs == []


async def test_a_token_admits_in_query_or_parameters() -> None:
    async with serving(TOKEN_ONLY) as server:
        async with server.connect("?number=1617&token=secret") as socket:
            await begin(socket)
            await until(lambda: server.engine.legs)
        async with server.connect("") as socket:
            await begin(socket, token="secret", number="1618")
            await until(lambda: len(server.engine.legs) == 2)
            info = server.engine.legs[1].info
            assert (info.to, info.carrier) == ("1618", "pbx")
            assert "token" not in info.headers


async def test_a_twilio_signature_admits() -> None:
    async with serving(Gate(auth_tokens={"other": "x", "twilio": "key"})) as server:
        url = f"127.0.0.1:{server.port}{TWILIO_PATH}?number=1617"
        for scheme in ("wss", "https"):
            signature = {"X-Twilio-Signature": twilio_signature("key", f"{scheme}://{url}")}
            async with server.connect(headers=signature) as socket:
                await begin(socket)
                await until(lambda: server.engine.legs)
                assert server.engine.legs.pop().info.carrier == "twilio"
        async with server.connect(headers={"X-Twilio-Signature": "é"}) as socket:
            await begin(socket)
            assert await closing(socket) == (1008, "refused")


async def test_a_proxy_is_not_taken_for_the_caller() -> None:
    async with serving() as server, server.connect(headers={"X-Forwarded-For": "192.0.2.1"}) as socket:
        await begin(socket)
        assert await closing(socket) == (1008, "refused")


async def test_waiting_for_start_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twilio, "START_WAIT_S", 0.1)
    monkeypatch.setattr(twilio, "MAX_UNDECIDED", 1)
    async with serving(TOKEN_ONLY) as server, server.connect() as socket:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await server.connect()
        assert caught.value.status == 403
        assert await closing(socket) == (1008, "refused")
        async with server.connect() as again:
            assert await closing(again) == (1008, "refused")


async def test_bad_messages_are_ignored_within_limits() -> None:
    async with serving() as server, server.connect() as socket:
        await say(socket, voice(9))
        await begin(socket)
        await begin(socket)
        await socket.send_bytes(b"\x00\x01")
        await socket.send_str("no json")
        await socket.send_json({"event": "unknown"})
        await say(socket, voice(1))
        await until(lambda: server.engine.loud() == voice(1))
        assert len(server.engine.legs) == 1
        for _ in range(60):
            await socket.send_str("[]")
        assert (await closing(socket))[0] == 1008
        assert server.engine.ends == [LegEnd("caller", "protocol-error", 400)]


async def test_an_oversized_message_closes() -> None:
    async with serving() as server, server.connect() as socket:
        await begin(socket)
        await until(lambda: server.engine.legs)
        await socket.send_str("x" * 70000)
        assert (await closing(socket))[0] == 1009
        assert server.engine.ends


async def test_another_encoding_is_refused() -> None:
    async with serving() as server, server.connect() as socket:
        start = {"streamSid": "MZ1", "mediaFormat": {"encoding": "audio/x-l16"}}
        await socket.send_json({"event": "start", "start": start})
        assert (await closing(socket))[0] == 1003


async def test_a_plain_request_is_no_media_socket() -> None:
    async with serving() as server:
        headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "8"}
        url = f"http://127.0.0.1:{server.port}{TWILIO_PATH}"
        async with server.http.get(url, headers=headers) as response:
            assert response.status == 426


async def test_a_dead_peer_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twilio_leg, "_PING_TICKS", 2)
    monkeypatch.setattr(twilio_leg, "_DEAD_TICKS", 5)
    async with serving() as server, server.connect(autoping=False) as socket:
        await begin(socket)
        async with asyncio.timeout(5):
            assert (await socket.receive()).type == aiohttp.WSMsgType.PING
        await until(lambda: server.engine.ends)
        assert server.engine.ends == [LegEnd("caller", "no-media")]


async def test_an_engine_fault_ends_that_call_only() -> None:
    async with serving() as server, server.connect() as socket:
        await begin(socket)
        await until(lambda: server.engine.heard)
        server.engine.broken = True
        await until(lambda: server.engine.ends)
        assert server.engine.ends == [LegEnd("moonwire", "media-failed", 500)]
        assert (await closing(socket))[0] == 1011


async def test_the_server_stops_while_a_call_runs() -> None:
    async with serving() as server, server.connect() as socket:
        await begin(socket)
        await until(lambda: server.engine.legs)
        server.uvicorn.should_exit = True
        assert await closing(socket) == (1001, "server stops")
        assert server.engine.ends == [LegEnd("moonwire", "shutdown", 503)]
