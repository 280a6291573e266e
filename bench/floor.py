"""The floor: a bare program that holds the same conversation, with no framework, no VAD, no log, no error handling.

It shows what one Python core can do on this machine in this run; nothing here is part of the server.
Run by the benchmark: `python -m bench.floor PORT URLS_JSON`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from urllib.parse import urlencode

import aiohttp
import uvloop
from aiohttp import web

from bench.world import KEY

FRAME_BYTES = 160
AHEAD_FRAMES = 5
LISTEN = {
    "model": "nova-3", "language": "en-US", "encoding": "mulaw", "sample_rate": "8000", "channels": "1",
    "interim_results": "true", "vad_events": "true", "endpointing": "300", "utterance_end_ms": "1000",
}  # fmt: skip
VOICE = {
    "model_id": "sonic-3", "voice": {"mode": "id", "id": "f786b574-daa5-4673-aa0c-cbe3e8534c02"},
    "output_format": {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000},
    "language": "en", "max_buffer_delay_ms": 0, "add_timestamps": True,
}  # fmt: skip


class Call:
    """One conversation."""

    def __init__(self, server: Floor, caller: web.WebSocketResponse) -> None:
        self.server = server
        self.caller = caller
        self.audio = bytearray()
        self.sent = 0
        self.play_end_s = 0.0
        self.replies = 0
        self.reply: asyncio.Task[None] | None = None
        self.messages = [{"role": "system", "content": "You are the receptionist of a restaurant."}]

    async def run(self) -> None:
        http, urls = self.server.http, self.server.urls
        listen = f"{urls['deepgram']}/v1/listen?{urlencode(LISTEN)}"
        speak_headers = {"X-API-Key": KEY, "Cartesia-Version": "2026-03-01"}
        async with (
            http.ws_connect(listen, headers={"Authorization": f"Token {KEY}"}) as self.ears,
            http.ws_connect(f"{urls['cartesia']}/tts/websocket", headers=speak_headers) as self.voice,
            asyncio.TaskGroup() as group,
        ):
            tasks = [group.create_task(work()) for work in (self.hear, self.take_audio, self.pace)]
            async for message in self.caller:
                text = message.data
                if '"media"' in text:
                    start = text.index('"payload": "') + 12
                    await self.ears.send_bytes(base64.b64decode(text[start : text.index('"', start)]))
            for task in tasks:
                task.cancel()

    async def hear(self) -> None:
        async for message in self.ears:
            fact = json.loads(message.data)
            if fact["type"] == "SpeechStarted" and len(self.audio) > self.sent:
                self.audio.clear()
                self.sent = 0
                await self.caller.send_str('{"event":"clear","streamSid":"MZ1"}')
            if fact.get("speech_final"):
                if self.reply is not None:
                    self.reply.cancel()
                words = fact["channel"]["alternatives"][0]["transcript"]
                self.reply = asyncio.create_task(self.answer(words))

    async def answer(self, words: str) -> None:
        self.replies += 1
        self.audio.clear()
        self.sent = 0
        self.messages.append({"role": "user", "content": words})
        said, begun = "", False
        body = {"model": "kimi-k2.6", "messages": self.messages, "stream": True, "thinking": {"type": "disabled"}}
        url, headers = f"{self.server.urls['moonshot']}/chat/completions", {"Authorization": f"Bearer {KEY}"}
        async with self.server.http.post(url, json=body, headers=headers) as response:
            async for line in response.content:
                if not line.startswith(b"data: {"):
                    continue
                delta = json.loads(line[6:])["choices"][0]["delta"].get("content")
                said += delta or ""
                if delta and not begun and delta[-1] in ",.!?":
                    await self.speak(said, more=True)
                    said, begun = "", True
        await self.speak(said, more=False)
        self.messages.append({"role": "assistant", "content": "..."})

    async def speak(self, text: str, *, more: bool) -> None:
        await self.voice.send_json({**VOICE, "context_id": str(self.replies), "transcript": text, "continue": more})

    async def take_audio(self) -> None:
        async for message in self.voice:
            fact = json.loads(message.data)
            if fact["type"] == "chunk" and fact["context_id"] == str(self.replies):
                self.audio += base64.b64decode(fact["data"])
                await self.send_ahead()

    async def send_ahead(self) -> None:
        now_s = asyncio.get_running_loop().time()
        while len(self.audio) - self.sent >= FRAME_BYTES and self.play_end_s - now_s < AHEAD_FRAMES * 0.02:
            payload = base64.b64encode(self.audio[self.sent : self.sent + FRAME_BYTES]).decode()
            self.sent += FRAME_BYTES
            self.play_end_s = max(self.play_end_s, now_s) + 0.02
            await self.caller.send_str('{"event":"media","streamSid":"MZ1","media":{"payload":"' + payload + '"}}')

    async def pace(self) -> None:
        while True:
            await asyncio.sleep(0.02)
            await self.send_ahead()


class Floor:
    """The process."""

    def __init__(self, urls: dict[str, str]) -> None:
        self.urls = urls
        self.http: aiohttp.ClientSession

    async def serve(self, port: int) -> None:
        self.http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        app = web.Application()
        app.router.add_get("/media/twilio", self.take_call)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await asyncio.Event().wait()

    async def take_call(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        await Call(self, socket).run()
        return socket


if __name__ == "__main__":
    uvloop.run(Floor(json.loads(sys.argv[2])).serve(int(sys.argv[1])))
