"""Is one caller on `/media/twilio`: asks, listens, answers again or interrupts, and notes the time of everything.

Times are the loop's, which the vendor simulators of the same process use too.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
from dataclasses import dataclass, field

import aiohttp
import numpy as np

from moonwire.core.audio.frames import FRAME_BYTES, FRAME_S, SILENCE_FRAME
from moonwire.core.audio.g711 import ULAW_TO_PCM

VOICED_AMPLITUDE = 1000
"""A frame with a sample above this is the onset of speech, for the caller's ear and for any detector."""
LISTEN_S = 1.0
"""How long an interrupting caller lets the agent speak."""
PATIENCE_S = 5.0
"""A caller who hears nothing for so long asks again; the turn counts as lost."""


@dataclass
class CallNotes:
    """What one caller noted."""

    media_s: list[float] = field(default_factory=list)
    """Arrival of each frame of the agent."""
    late_s: list[float] = field(default_factory=list)
    """How much later than needed for playing without a gap a frame came, where it did."""
    asked_s: list[float] = field(default_factory=list)
    """End of each phrase that was no interruption."""
    onsets_s: list[float] = field(default_factory=list)
    """Begin of the first voiced frame of each interruption."""
    clears_s: list[float] = field(default_factory=list)
    overslept_s: list[float] = field(default_factory=list)
    """How much too late each of our own frames was sent: says whether this process is overloaded."""
    lost_turns: int = 0


class Phrase:
    """What the caller says."""

    def __init__(self, audio: bytes) -> None:
        audio += bytes([0xFF]) * (-len(audio) % FRAME_BYTES)
        self.frames = [audio[at : at + FRAME_BYTES] for at in range(0, len(audio), FRAME_BYTES)]
        loud = [
            np.abs(ULAW_TO_PCM[np.frombuffer(frame, np.uint8)].astype(int)).max() > VOICED_AMPLITUDE
            for frame in self.frames
        ]
        self.onset_frame = loud.index(True)


class Caller:
    """One call; `run` lasts until `stop` is set."""

    def __init__(self, phrase: Phrase, *, interrupts: bool, seed: int) -> None:
        self.notes = CallNotes()
        self._messages = [_media(frame) for frame in phrase.frames]
        self._silence = _media(SILENCE_FRAME)
        self._onset_frame = phrase.onset_frame
        self._interrupts = interrupts
        self._random = random.Random(seed)
        self._speaking: int | None = None
        self._speak_at_s: float | None = None
        self._waiting_since_s = 0.0
        self._reply_began_s: float | None = None
        self._play_end_s = 0.0
        self._marks: list[tuple[float, str]] = []

    async def run(self, session: aiohttp.ClientSession, url: str, stop: asyncio.Event) -> None:
        """Call, and talk until told to stop."""
        async with session.ws_connect(url) as socket:
            start = {"streamSid": "MZ1", "callSid": f"CA{id(self)}", "mediaFormat": {"encoding": "audio/x-mulaw"}}
            await socket.send_json({"event": "start", "streamSid": "MZ1", "start": start})
            async with asyncio.TaskGroup() as group:
                listening = group.create_task(self._listen(socket))
                await self._talk(socket, stop)
                await socket.close()
                listening.cancel()

    async def _talk(self, socket: aiohttp.ClientWebSocketResponse, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        self._speak_at_s = due_s + 0.3 + self._random.random() * 0.5
        while not stop.is_set():
            now_s = loop.time()
            self.notes.overslept_s.append(now_s - due_s)
            await socket.send_str(self._next_message(now_s))
            while self._marks and self._marks[0][0] <= now_s:
                _, name = self._marks.pop(0)
                await socket.send_str(json.dumps({"event": "mark", "streamSid": "MZ1", "mark": {"name": name}}))
            due_s += FRAME_S
            await asyncio.sleep(max(0.0, due_s - loop.time()))

    def _next_message(self, now_s: float) -> str:
        if self._speaking is None:
            self._decide(now_s)
        if self._speaking is None:
            return self._silence
        frame = self._speaking
        if frame == self._onset_frame and self._reply_began_s is not None:
            self.notes.onsets_s.append(now_s - FRAME_S)
            self._reply_began_s = None
        self._speaking = frame + 1 if frame + 1 < len(self._messages) else None
        if self._speaking is None:
            self.notes.asked_s.append(now_s)
            self._waiting_since_s = now_s
        return self._messages[frame]

    def _decide(self, now_s: float) -> None:
        """Begin to speak, when it is time for that."""
        if self._speak_at_s is not None:
            if now_s >= self._speak_at_s:
                self._speaking, self._speak_at_s = 0, None
        elif self._reply_began_s is None:
            if now_s - self._waiting_since_s > PATIENCE_S:
                self.notes.lost_turns += 1
                self._speak_at_s = now_s
        elif self._interrupts:
            if now_s - self._reply_began_s > LISTEN_S:
                self._speaking = 0
        elif now_s > self._play_end_s + 0.1:
            self._reply_began_s = None
            self._waiting_since_s = now_s
            self._speak_at_s = now_s + 0.1 + self._random.random() * 0.4

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        loop = asyncio.get_running_loop()
        async for message in socket:
            now_s, text = loop.time(), message.data
            if '"media"' in text:
                self._take_audio(now_s)
            elif '"mark"' in text:
                self._marks.append((self._play_end_s, json.loads(text)["mark"]["name"]))
            elif '"clear"' in text:
                self.notes.clears_s.append(now_s)
                self._play_end_s = now_s
                self._marks = [(now_s, name) for _, name in self._marks]

    def _take_audio(self, now_s: float) -> None:
        self.notes.media_s.append(now_s)
        if self._reply_began_s is None and self._speaking is None:
            self._reply_began_s = now_s
        elif self._reply_began_s is not None and now_s > self._play_end_s:
            self.notes.late_s.append(now_s - self._play_end_s)
        self._play_end_s = max(self._play_end_s, now_s) + FRAME_S


def _media(frame: bytes) -> str:
    payload = base64.b64encode(frame).decode()
    return json.dumps({"event": "media", "media": {"track": "inbound", "payload": payload}, "streamSid": "MZ1"})
