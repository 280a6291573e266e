"""A server without transports: engine, application sessions, real vendor adapters, simulators on loopback sockets.

Everything runs on one loop, so tests use virtual time: a minute's call takes a fraction of a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp

from moonwire.apps.audio import AudioFetcher
from moonwire.apps.connector import AppConnector
from moonwire.apps.tool_servers import McpToolServers
from moonwire.call.engine import CallEngine
from moonwire.call.services import AddressBook, CallServices, Dialer
from moonwire.ports.directory import ApplicationRecord, CallRecord
from moonwire.ports.interruption_predictor import InterruptionPredictor
from moonwire.ports.noise import NoiseSuppression
from moonwire.ports.turn_detector import TurnDetector
from moonwire.sandbox.caller import CallerReport, ScriptedCaller, Step, prepare
from moonwire.sandbox.cartesia import CartesiaSimulator
from moonwire.sandbox.deepgram import DeepgramSimulator
from moonwire.sandbox.deepgramaura import AuraSimulator
from moonwire.sandbox.deepgramflux import FluxSimulator
from moonwire.sandbox.elevenlabs import ElevenLabsSimulator
from moonwire.sandbox.moonshot import MoonshotSimulator, Pacing
from moonwire.sandbox.patch import PatchLeg, patch
from moonwire.sandbox.virtual_time import VirtualClock
from moonwire.spec.hooks import Hook
from moonwire.store.directory import MemoryDirectory
from moonwire.store.sandbox_overlay import SandboxOverlay, sandbox_configuration
from moonwire.vendors.catalogue import VendorCatalogue
from moonwire.vendors.connections import VendorConnections
from moonwire.vendors.vad.silero.detector import SileroVad

KEY = "sk-stage-0123456789"
AGENT: dict[str, Any] = {
    "verb": "agent",
    "stt": {"vendor": "deepgram", "language": "en-US"},
    "tts": {"vendor": "cartesia", "voice": "sonic-english"},
    "llm": {"vendor": "moonshot", "model": "kimi-k2.6", "llmOptions": {"systemPrompt": "You are a receptionist."}},
    "turnDetection": "krisp",
    "bargeIn": {"enable": True},
}


@dataclass
class Log:
    """Keeps a call's event log in memory."""

    lines: list[dict[str, Any]] = field(default_factory=list)

    def write(self, kind: str, at_s: float, **fields: Any) -> None:
        self.lines.append({"kind": kind, "at_s": at_s, **fields})

    def close(self) -> None: ...


@dataclass
class Books:
    """Keeps what the operator would see: event logs, alerts, call records."""

    logs: dict[str, Log] = field(default_factory=dict)
    alerts: list[tuple[str, str, str]] = field(default_factory=list)
    records: list[CallRecord] = field(default_factory=list)

    def open(self, call_sid: str) -> Log:
        return self.logs.setdefault(call_sid, Log())

    def read(self, call_sid: str) -> list[dict[str, Any]]:
        return self.logs[call_sid].lines

    def raise_alert(
        self, account_sid: str, alert_type: str, message: str, *, remedy: str = "", call_sid: str = ""
    ) -> None:
        self.alerts.append((alert_type, message, remedy))

    def add(self, record: CallRecord) -> None:
        self.records.append(record)


@dataclass
class Stage:
    """What a test touches."""

    engine: CallEngine
    directory: MemoryDirectory
    books: Books
    moonshot: MoonshotSimulator
    deepgram: DeepgramSimulator
    cartesia: CartesiaSimulator
    flux: FluxSimulator
    aura: AuraSimulator
    elevenlabs: ElevenLabsSimulator
    overlay: SandboxOverlay

    def run_application(self, verbs: Sequence[Mapping[str, Any]] | None, hook: str | None = None) -> None:
        """Answer every number with these verbs, or with an application at a hook."""
        record = ApplicationRecord(
            sid="00000000-0000-4000-8000-000000000002",
            account_sid="",
            name="staged",
            call_hook=Hook(hook) if hook else None,
            app_json=verbs,
        )
        self.overlay = replace(self.overlay, application=record)
        self.directory.overlay_sandbox(self.overlay)

    async def call(self, *steps: Step, to: str = "1000") -> tuple[CallerReport, PatchLeg]:
        """Place a call, follow the steps, and wait until the server has forgotten it."""
        caller = ScriptedCaller(await prepare(steps, "tone"), record=False)
        leg = patch(caller, self.engine, to=to)
        report = await caller.run(leg.caller_end)
        async with asyncio.timeout(60):
            await self.engine.wait_idle()
        return report, leg

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The event log of the latest call."""
        return list(self.books.logs.values())[-1].lines

    def named(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """Return the latest call's lines of a kind."""
        return [
            line
            for line in self.lines
            if line["kind"] == kind and all(line.get(name) == value for name, value in fields.items())
        ]


@asynccontextmanager
async def staged(
    tmp_path: Path,
    *,
    day: date = date(2026, 11, 22),
    turns: TurnDetector | None = None,
    noise: NoiseSuppression | None = None,
    interruptions: InterruptionPredictor | None = None,
) -> AsyncGenerator[Stage]:
    """Open a stage: fast simulators, the page's agent on every number."""
    clock, books, directory = VirtualClock(), Books(), MemoryDirectory()
    moonshot = MoonshotSimulator(date=day, keys={"global": [KEY], "china": []}, pacing=Pacing())
    flux, aura = FluxSimulator(keys=[KEY]), AuraSimulator(keys=[KEY], voice="tone")
    deepgram = DeepgramSimulator(keys=[KEY], neighbours=[flux, aura])
    elevenlabs = ElevenLabsSimulator(keys=[KEY], voice="tone")
    cartesia = CartesiaSimulator(keys=[KEY], voice="tone")
    async with AsyncExitStack() as stack:
        urls = (await moonshot.start(), await deepgram.start(), await cartesia.start())
        spare = (await elevenlabs.start(), KEY)
        for simulator in (moonshot, deepgram, cartesia, elevenlabs):
            stack.push_async_callback(simulator.stop)
        overlay = sandbox_configuration(*urls, moonshot_key=KEY, deepgram_key=KEY, cartesia_key=KEY, elevenlabs=spare)
        http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        stack.push_async_callback(http.close)
        connections = VendorConnections(clock)
        stack.push_async_callback(connections.close)
        vad = SileroVad(threaded=False)
        vad.start()
        stack.callback(vad.stop)
        tool_servers = McpToolServers(lambda url: "private" not in url)
        stack.push_async_callback(tool_servers.close)
        services = CallServices(
            clock=clock,
            directory=directory,
            connector=AppConnector(http, books, clock, lambda url: True),
            vendors=VendorCatalogue(directory, http, connections, lambda host: True),
            vad=vad,
            event_logs=books,
            alerts=books,
            records=books,
            recordings=tmp_path / "recordings",
            tool_servers=tool_servers,
            noise=noise,
            turn_detector=turns,
            interruption_predictor=interruptions,
            dialer=Dialer(),
            load_audio=AudioFetcher(http, lambda url: True).load,
            addresses=AddressBook("127.0.0.1:5060", "127.0.0.1", "http://127.0.0.1:8080/v1"),
        )
        engine = await stack.enter_async_context(CallEngine(services))
        stage = Stage(engine, directory, books, moonshot, deepgram, cartesia, flux, aura, elevenlabs, overlay)
        stage.run_application([AGENT])
        yield stage
