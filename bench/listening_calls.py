"""The calls of the listening check: each one an agent, a script for the caller, and what the model and the tools do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import uvicorn
from aiohttp import web
from mcp.server.mcpserver import MCPServer

from bench.world import free_port
from moonwire.core.audio.wav import wav_header
from moonwire.sandbox.caller import (
    HangUp,
    Interrupt,
    Pause,
    PlayAudio,
    Say,
    SendDigits,
    Step,
    WaitForSilence,
    WaitForSpeech,
)
from moonwire.sandbox.moonshot import Fault
from moonwire.sandbox.moonshot.script import Json, Receptionist, ScriptedAnswer, ScriptedCall, text_of
from moonwire.sandbox.voices import synthesise
from moonwire.sandbox.voices.clip import pcm_to_ulaw

HOURS, STORY, PRICE = (
    "Hello, what are your opening hours?",
    "Please tell me a story about the moon.",
    "What is the price?",
)
WEATHER, BYE, WAIT, HUMAN = (
    "How is the weather today?",
    "Thank you, goodbye.",
    "Wait, stop please.",
    "Can I speak to a human?",
)
OKAY = "Okay."
TOOL_S = 7.0


def backchannel() -> bytes:
    """A caller who says that they are listening."""
    return synthesise("okay")


class Guest(Receptionist):
    """The model: a receptionist that says goodbye by its tool and knows what to say while it waits."""

    def answer(self, messages: Sequence[Json], tools: Sequence[Json]) -> ScriptedAnswer:
        orders = " ".join(text_of(message) for message in messages if message.get("role") == "system")
        if "waiting for a result" in orders:
            return ScriptedAnswer("I am still looking.")
        if "manager" in text_of(messages[-1]):
            return ScriptedAnswer("The manager is here now.")
        if text_of(messages[-1]) == BYE and any(_name(tool) == "hangup" for tool in tools):
            return ScriptedAnswer("Thank you for calling, goodbye.", (ScriptedCall("hangup", {"reason": "done"}),))
        return super().answer(messages, tools)


def _name(tool: Json) -> str:
    function = tool.get("function")
    return str(function.get("name")) if isinstance(function, dict) else ""


@dataclass(frozen=True)
class Scene:
    """One call."""

    name: str
    steps: Sequence[Step]
    agent: dict[str, Any] = field(default_factory=dict)
    fault: Fault | None = None
    supervisor_s: float | None = None
    """A reply is asked for, with `interrupt`, so long after the agent has begun its second turn."""


def tool(name: str, description: str) -> dict[str, Any]:
    """A tool of the application, without arguments."""
    return {"name": name, "description": description, "parameters": {"type": "object", "properties": {}}}


END: tuple[Step, ...] = (WaitForSilence(quiet_s=1.5), HangUp())
ANSWERED: tuple[Step, ...] = (WaitForSilence(), Say(WEATHER), WaitForSilence(quiet_s=TOOL_S), HangUp())


def scenes(base_url: str, mcp_url: str) -> list[Scene]:
    """Return the calls; `base_url` is where the slow tool and the sound are."""
    return [*plain(), *tooled(base_url, mcp_url), *special()]


def plain() -> list[Scene]:
    """Calls in which two people take turns, more or less."""
    okay = PlayAudio(OKAY, backchannel())
    listening = (WaitForSilence(), Say(STORY), WaitForSpeech(), Pause(4), okay, Pause(4))
    return [
        Scene("greeting", END),
        Scene("two questions", (WaitForSilence(), Say(HOURS), WaitForSilence(), Say(PRICE), *END)),
        Scene("barge-in", (WaitForSilence(), Say(STORY), Interrupt(WAIT, after_s=3.0), *END)),
        Scene("back-channel", (*listening, Interrupt(WAIT, after_s=0.5), *END)),
        Scene("keys", (WaitForSilence(), Say(STORY), WaitForSpeech(), Pause(3), SendDigits("42#"), *END)),
    ]


def tooled(base_url: str, mcp_url: str) -> list[Scene]:
    """Calls in which the model uses tools."""
    slow = {
        "llm": {"llmOptions": {"tools": [tool("get_weather", "Tells the weather.")]}},
        "toolHook": f"{base_url}/tool",
    }
    phrases = {"type": "backchannel", "startDelaySecs": 1.5}
    sound = {"type": "audio", "url": f"{base_url}/typing.wav", "startDelaySecs": 1.0}
    priced = (WaitForSilence(), Say(PRICE), *END)
    return [
        Scene("slow tool, phrases", ANSWERED, slow | {"toolFiller": phrases}),
        Scene("slow tool, sound", ANSWERED, slow | {"toolFiller": sound}),
        Scene("MCP tool", priced, {"mcpServers": [{"url": mcp_url}]}),
        Scene("hangup tool", (WaitForSilence(), Say(BYE), Pause(20)), {"hangup": {}}),
    ]


def special() -> list[Scene]:
    """Calls in which something changes or fails."""
    languages = {
        "stt": {"vendor": "deepgramflux", "deepgramOptions": {"model": "flux-general-multi"}},
        "autoLockLanguage": True,
        "languageConfig": {"es": {"tts": {"vendor": "elevenlabs", "voice": "maria"}}},
    }
    two = (WaitForSilence(), Say(HOURS), WaitForSilence(), Say(PRICE), *END)
    return [
        Scene("language switch", two, languages),
        Scene("supervisor", (WaitForSilence(), Say(STORY), *END), supervisor_s=3.0),
        Scene("overloaded model", two, {"greeting": "Hello, this is Luna."}, fault=Fault("overloaded", times=4)),
    ]


def typing_sound() -> bytes:
    """Two seconds of a soft tone that comes and goes, as a WAV file."""
    at = np.arange(16000) / 8000
    tone = 3000 * np.sin(2 * np.pi * 440 * at) * np.clip(np.sin(2 * np.pi * at), 0, 1)
    audio = pcm_to_ulaw(tone)
    return wav_header(len(audio), encoding="mulaw", channels=1) + audio


@asynccontextmanager
async def surroundings() -> AsyncGenerator[str]:
    """Serve the slow tool and the sound."""

    async def run(request: web.Request) -> web.Response:
        await request.json()
        await asyncio.sleep(TOOL_S)
        return web.json_response("It is eighteen degrees and sunny.")

    async def sound(_: web.Request) -> web.Response:
        return web.Response(body=typing_sound(), content_type="audio/wav")

    app = web.Application()
    app.router.add_post("/tool", run)
    app.router.add_get("/typing.wav", sound)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def prices() -> AsyncGenerator[str]:
    """Serve an MCP server that knows the price."""
    server = MCPServer("prices", log_level="CRITICAL")

    @server.tool()
    def price() -> str:
        """Tells the price."""
        return "The table costs nothing."

    config = uvicorn.Config(server.streamable_http_app(), host="127.0.0.1", port=free_port(), log_config=None)
    running = uvicorn.Server(config)
    task = asyncio.create_task(running.serve())
    while not running.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{config.port}/mcp"
    finally:
        running.should_exit = True
        await task
