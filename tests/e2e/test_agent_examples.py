"""The example agents with tools, MCP and changes during the call, unmodified, called over real SIP.

All run at once against one server with the sandbox vendors; each test checks what its caller heard.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from mcp.server.mcpserver import MCPServer
from tests.apps.sdk_process import ROOT, RunningApplication, install
from tests.apps.test_tool_servers import served

from moonwire.app import Server, dial, running_server
from moonwire.sandbox.caller import HangUp, Pause, Say, Step, WaitForSilence, prepare
from moonwire.sandbox.fleet import SANDBOX_KEY, running_fleet
from moonwire.sandbox.moonshot.script import Json, Lines, Receptionist, ScriptedAnswer, ScriptedCall, text_of
from moonwire.settings import Settings
from moonwire.store.configuration import parse_configuration

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

AGENTS = ROOT / "examples" / "agents"
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
        if last.get("role") == "user" and "search_web" in names and "weather" in text_of(last):
            return ScriptedAnswer("Let me search for that.", (ScriptedCall("search_web", {"query": "weather today"}),))
        usual = super().answer(messages, tools)
        if "pirate" in orders:
            return ScriptedAnswer(f"Arr! {usual.text}", usual.calls)
        if "gold member" in orders:
            return ScriptedAnswer(f"Welcome back, Ada. {usual.text}", usual.calls)
        return usual


@dataclass(frozen=True)
class Example:
    """One example application, what its caller does, and what the caller must have heard."""

    file: str
    steps: Sequence[Step]
    heard: Sequence[str]
    """A part of each turn of the agent, in order."""
    unheard: str = "nobody says this"
    variables: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def number(self) -> str:
        return str(2000 + [one.file for one in EXAMPLES].index(self.file))


def talk(*steps: Step | str) -> list[Step]:
    """Wait for the greeting, say each text and hear the answer, hang up."""
    found: list[Step] = [WaitForSilence()]
    for step in steps:
        found += [Say(step), WaitForSilence(quiet_s=1.8)] if isinstance(step, str) else [step]
    return [*found, HangUp()]


GREETING = "Luna"
EXAMPLES = (
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
)


def table_server() -> MCPServer:
    server = MCPServer("tables", log_level="CRITICAL")

    @server.tool()
    def table_price() -> str:
        """Tells the price of a table."""
        return "The table costs nothing."

    return server


@contextlib.asynccontextmanager
async def search_service() -> AsyncGenerator[str]:
    async def answer(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer search-key"
        return web.json_response({"results": [{"title": "Weather", "text": f"sunny ({request.query['q']})"}]})

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


@contextlib.contextmanager
def started(node: list[str], environment: dict[str, str]) -> Any:
    """Run all applications, each in a process of its own."""
    with contextlib.ExitStack() as stack:
        running: dict[str, RunningApplication] = {}
        for example in EXAMPLES:
            command = [sys.executable] if example.file.endswith(".py") else node
            running[example.file] = RunningApplication([*command, example.file], AGENTS, environment)
            stack.callback(running[example.file].stop)
        yield running


@contextlib.asynccontextmanager
async def serving(
    tmp_path: Path, applications: Mapping[str, RunningApplication], environment: Mapping[str, str]
) -> AsyncGenerator[Server]:
    """Run the vendors and a server that is configured for them and all applications."""
    variables = "{" + ", ".join(f'{name}: "{value}"' for name, value in environment.items()) + "}"
    listed = "\n".join(
        f'  - {{name: "{name}", call_hook: "{one.url}", env_vars: {variables}}}' for name, one in applications.items()
    )
    numbers = "\n".join(f'  - {{number: "{one.number}", application: "{one.file}"}}' for one in EXAMPLES)
    async with running_fleet() as fleet:
        fleet.moonshot.world.lines = Lines((), Model())
        configuration = parse_configuration(
            f"""
llm_services:
  - {{vendor: moonshot, api_key: "{SANDBOX_KEY}", base_url: "{fleet.moonshot_url}"}}
speech_services:
  - {{vendor: deepgram, api_key: "{SANDBOX_KEY}", base_url: "{fleet.deepgram_url}"}}
  - {{vendor: cartesia, api_key: "{SANDBOX_KEY}", base_url: "{fleet.cartesia_url}"}}
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
            yield server


async def call(server: Server, example: Example) -> None:
    """Call one example and check what the caller heard."""
    report = await dial(f"sip:{example.number}@127.0.0.1:{server.sip.local_port}", await prepare(example.steps))
    assert report.ok, (example.file, report.problems)


def check(example: Example, lines: list[dict[str, Any]]) -> None:
    heard = [line["pii_heard"] for line in lines if line["kind"] == "turn"]
    assert len(heard) == len(example.heard), (example.file, heard)
    for expected, text in zip(example.heard, heard, strict=True):
        assert expected in text, (example.file, heard)
    assert example.unheard not in " ".join(heard)
    refusals = [line for line in lines if line["kind"] == "error"]
    assert refusals == [], (example.file, refusals)


def logs_by_number(server: Server) -> Callable[[str], list[dict[str, Any]]]:
    logs: dict[str, list[dict[str, Any]]] = {}
    for path in (server.settings.data_dir / "calls").glob("*.jsonl"):
        lines = server.event_logs.read(path.stem)
        logs[next(line["application"] for line in lines if line.get("name") == "offered")] = lines
    return logs.__getitem__


async def test_each_example_does_what_it_shows(tmp_path: Path) -> None:
    node = await asyncio.to_thread(install, AGENTS)
    async with search_service() as search_url, served(table_server().streamable_http_app()) as mcp_url:
        variables = {"SEARCH_URL": search_url, "SEARCH_KEY": "search-key", "MCP_URL": f"{mcp_url}/mcp"}
        with started(node, {}) as applications:
            async with serving(tmp_path, applications, variables) as server:
                await asyncio.gather(*(call(server, example) for example in EXAMPLES))
                await server.engine.wait_idle()
                lines_of = logs_by_number(server)
    for example in EXAMPLES:
        check(example, lines_of(example.file))
