from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from moonwire.errors import VendorError
from moonwire.ports.directory import VendorCredential
from moonwire.ports.stt import SttStream
from moonwire.sandbox.deepgram import DeepgramSimulator, Pace, Script
from moonwire.spec.components import Recognizer
from moonwire.vendors.stt.deepgram.adapter import DeepgramSpeechToText
from moonwire.vendors.stt.deepgram.stream import Times

KEY = "dg-test-key-0123456789"
LOUD = bytes([0x10] * 10 + [0x90] * 10) * 8
QUIET = b"\xff" * 160

QUICK = Times(
    connect_s=0.6,
    outage_s=0.7,
    quick_s=1.0,
    backoff_s=0.02,
    backoff_max_s=0.1,
    watch_s=0.05,
    keep_alive_s=0.3,
    finalize_s=0.25,
    unsettled_s=0.5,
    quiet_s=0.2,
    stalled_s=0.4,
    close_s=0.3,
)
"""The stream's limits, several times shorter than in production."""


@dataclass
class Ears:
    """A listener that remembers."""

    events: list[tuple[str, Any]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def _note(self, kind: str, value: Any = None) -> None:
        self.events.append((kind, value))
        self.changed.set()

    def on_stt_speech_started(self) -> None:
        self._note("speech")

    def on_stt_interim(self, text: str) -> None:
        self._note("interim", text)

    def on_stt_final(self, text: str, confidence: float) -> None:
        self._note("final", text)

    def on_stt_end_of_turn(self) -> None:
        self._note("end")

    def on_stt_early_end_of_turn(self, text: str) -> None:
        self._note("early", text)

    def on_stt_turn_resumed(self) -> None:
        self._note("resumed")

    def on_stt_language(self, language: str) -> None:
        self._note("language", language)

    def on_stt_failed(self, error: VendorError) -> None:
        self._note("failed", error)

    def of(self, *kinds: str) -> list[Any]:
        return [event if len(kinds) > 1 else event[1] for event in self.events if event[0] in kinds]

    async def until(self, predicate: Callable[[], object], within_s: float = 5.0) -> None:
        async with asyncio.timeout(within_s):
            while not predicate():
                self.changed.clear()
                await self.changed.wait()

    async def until_ends(self, count: int, within_s: float = 5.0) -> None:
        await self.until(lambda: len(self.of("end")) >= count, within_s)


class Bench:
    """A simulator, a session and streams that end with the test."""

    def __init__(self, simulator: DeepgramSimulator, http: aiohttp.ClientSession, base_url: str) -> None:
        self.simulator, self.http, self.base_url = simulator, http, base_url
        self.streams: list[SttStream] = []
        self.times = QUICK

    def credential(self, **fields: str) -> VendorCredential:
        return VendorCredential(
            "deepgram", secrets={"api_key": SecretStr(KEY)}, fields={"base_url": self.base_url, **fields}
        )

    def open(self, ears: Ears, **recognizer: Any) -> SttStream:
        account = DeepgramSpeechToText(self.credential(), self.http, times=self.times)
        stream = account.open(Recognizer(vendor="deepgram", **recognizer), ears)
        self.streams.append(stream)
        return stream

    def hears(self, *utterances: Any) -> None:
        self.simulator.set_hearing(Script(list(utterances), shared=True))

    async def connected(self, count: int = 1) -> None:
        await self.simulator.until(lambda: len(self.simulator.connections) >= count)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    simulator = DeepgramSimulator(keys=[KEY], hearing=[], pace=Pace(), record_audio=True)
    base_url = await simulator.start()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        made = Bench(simulator, http, base_url)
        try:
            yield made
        finally:
            for stream in made.streams:
                await stream.close()
            await simulator.stop()


@pytest.fixture
def ears() -> Ears:
    return Ears()


def say(stream: SttStream, loud_s: float, quiet_s: float = 0.0) -> None:
    for _ in range(round(loud_s * 50)):
        stream.send_audio(LOUD)
    for _ in range(round(quiet_s * 50)):
        stream.send_audio(QUIET)
