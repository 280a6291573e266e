"""The world around a server under test: vendors without any delay, an application, and the server's own process.

Everything but the server lives in this process, which `apart` keeps on the machine's last core; the server has the
first one to itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from aiohttp import web

from moonwire.sandbox.cartesia import CartesiaSimulator
from moonwire.sandbox.deepgram import DeepgramSimulator
from moonwire.sandbox.deepgram.hearing import Script
from moonwire.sandbox.deepgramflux import FluxSimulator
from moonwire.sandbox.moonshot import MoonshotSimulator, Pacing, ScriptedAnswer
from moonwire.vendors.turn.smart_turn.file import find_model

KEY = "sk-bench"
QUESTIONS = ("Where are you?", "What is your name?", "No, thank you.", "What is the price?")
"""What callers say; without inner pauses, so that each is one utterance."""
SHORT_ANSWER = "At Harbour Street."
LONG_ANSWER = (
    "We are at twelve Harbour Street, " + "right beside the old clock and opposite the station, " * 4 + "my dear."
)
SERVER_CORE = 0
NICE = -15
START_LIMIT_S = 20.0


@dataclass(frozen=True)
class Vendors:
    """The running simulators."""

    moonshot: MoonshotSimulator
    deepgram: DeepgramSimulator
    cartesia: CartesiaSimulator
    flux: FluxSimulator
    urls: dict[str, str]


class Answer:
    """Says the same to everybody."""

    def __init__(self, text: str) -> None:
        self._answer = ScriptedAnswer(text)

    def answer(self, messages: Sequence[Any], tools: Sequence[Any]) -> ScriptedAnswer:
        return self._answer


@asynccontextmanager
async def running_vendors(answer: str, *, first_token_s: float = 0.0) -> AsyncGenerator[Vendors]:
    """Start simulators that take no time beyond their own work, but for the model's first token."""
    pacing = Pacing(first_token_s=first_token_s, gap_s=0.0, thinking_s=0.0)
    moonshot = MoonshotSimulator(date=date(2026, 11, 22), keys={"global": [KEY]}, script=Answer(answer), pacing=pacing)
    flux = FluxSimulator(hearing=Script([QUESTIONS[0]], repeat=True))
    deepgram = DeepgramSimulator(hearing=Script([QUESTIONS[0]], repeat=True), neighbours=[flux])
    cartesia = CartesiaSimulator(keys=[KEY], first_chunk_s=0.0, rtf=0.0, voice="tone")
    async with AsyncExitStack() as stack:
        urls = {
            "moonshot": await moonshot.start(),
            "deepgram": await deepgram.start(),
            "cartesia": await cartesia.start(),
        }
        for simulator in (moonshot, deepgram, cartesia):
            stack.push_async_callback(simulator.stop)
        yield Vendors(moonshot, deepgram, cartesia, flux, urls)


def agent(urls: dict[str, str]) -> list[dict[str, Any]]:
    """Return the application: one `agent` verb; its turns are ended by the recogniser, or by the acoustic model."""
    messages = [{"role": "system", "content": "You are the receptionist of a restaurant. Answer in one sentence."}]
    return [
        {
            "verb": "agent",
            "stt": json.loads(urls.get("recogniser", '{"vendor": "deepgram", "language": "en-US"}')),
            "tts": {"vendor": "cartesia", "voice": "sonic-english", "language": "en"},
            "llm": {"vendor": "moonshot", "model": "kimi-k2.6", "llmOptions": {"messages": messages}},
            "turnDetection": urls.get("turns", "stt"),
            "bargeIn": {"enable": True, "minSpeechDuration": 0.5},
            "greeting": False,
            **({"eventHook": "/events"} if "application" in urls else {}),
        }
    ]


@asynccontextmanager
async def running_application(urls: dict[str, str]) -> AsyncGenerator[None]:
    """Serve the same agent over jambonz's WebSocket protocol; adds its address to the urls."""

    async def serve(request: web.Request) -> web.WebSocketResponse:
        connection = web.WebSocketResponse(protocols=["ws.jambonz.org"])
        await connection.prepare(request)
        async for message in connection:
            hook = json.loads(message.data)
            if hook["type"] in ("session:new", "session:reconnect", "verb:hook"):
                verbs = agent(urls) if hook["type"] == "session:new" else []
                await connection.send_json({"type": "ack", "msgid": hook["msgid"], "data": verbs})
        return connection

    app = web.Application()
    app.router.add_get("/", serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    urls["application"] = f"ws://127.0.0.1:{runner.addresses[0][1]}/"
    try:
        yield
    finally:
        await runner.cleanup()


def configuration(urls: dict[str, str]) -> str:
    """Return the moonwire.yaml of a run (JSON is YAML)."""
    hook = {"call_hook": urls["application"]} if "application" in urls else {"app_json": agent(urls)}
    return json.dumps(
        {
            "llm_services": [{"vendor": "moonshot", "api_key": KEY, "base_url": urls["moonshot"]}],
            "speech_services": [
                {"vendor": "deepgram", "api_key": KEY, "base_url": urls["deepgram"]},
                {"vendor": "deepgramflux", "api_key": KEY, "base_url": urls["deepgram"]},
                {"vendor": "cartesia", "api_key": KEY, "base_url": urls["cartesia"]},
            ],
            "applications": [{"name": "bench", **hook}],
            "phone_numbers": [{"number": "1", "application": "bench"}],
            "carriers": [{"name": "loopback", "inbound": ["127.0.0.1/32"]}],
        }
    )


class Subject:
    """A server process on its own core."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.port = port
        self._process = process
        self._ticks_per_s = os.sysconf("SC_CLK_TCK")

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process.poll() is None

    def cpu_s(self) -> float:
        """CPU seconds of all its threads so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / self._ticks_per_s

    def waited_s(self) -> float:
        """Seconds its main thread was ready to run and others had its core: disturbance, not cost."""
        return int(Path(f"/proc/{self._process.pid}/schedstat").read_text().split()[1]) / 1e9

    def rss_mib(self) -> float:
        """Resident memory."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def start_moonwire(folder: Path, urls: dict[str, str]) -> Subject:
    """Start `moonwire serve` with a configuration for these vendors."""
    config = folder / "moonwire.yaml"
    config.write_text(configuration(urls))
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("MOONWIRE_")},
        "MOONWIRE_DATA_DIR": str(folder / "var"),
        "MOONWIRE_HTTP_PORT": str(port),
        "MOONWIRE_SIP_PORT": "0",
        "MOONWIRE_SIP_HOST": "127.0.0.1",
        "MOONWIRE_SANDBOX": "off",
        "MOONWIRE_LOG_LEVEL": "warning",
    }
    if model := find_model(Path("var"), None):
        environment["MOONWIRE_TURN_MODEL"] = str(model.absolute())
    command = [str(Path(sys.executable).with_name("moonwire")), "serve", "--config", str(config)]
    return _start(command, environment, folder, port)


def start_floor(folder: Path, urls: dict[str, str]) -> Subject:
    """Start the bare program."""
    port = free_port()
    command = [sys.executable, "-m", "bench.floor", str(port), json.dumps(urls)]
    return _start(command, dict(os.environ), folder, port)


def _start(command: list[str], environment: dict[str, str], folder: Path, port: int) -> Subject:
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, preexec_fn=_on_server_core)
    return Subject(process, port)


def _on_server_core() -> None:
    os.sched_setaffinity(0, {SERVER_CORE})
    _ahead_of_others()


def _ahead_of_others() -> None:
    """Let other programs of a busy machine disturb less, where we may; threads started later inherit it."""
    with suppress(OSError):
        os.setsid()
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
        # Linux weighs sessions first and the processes in them second.
        Path("/proc/self/autogroup").write_text(str(NICE))


async def listening(subject: Subject) -> None:
    """Wait until the server takes connections."""
    async with asyncio.timeout(START_LIMIT_S):
        while True:
            if not subject.running:
                raise RuntimeError("the server under test has ended, see its server.log")
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", subject.port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


def free_port() -> int:
    """Return a TCP port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def apart() -> None:
    """Keep this process off the server's core, where there is another."""
    others = os.sched_getaffinity(0) - {SERVER_CORE}
    if others:
        os.sched_setaffinity(0, {max(others)})
    _ahead_of_others()
