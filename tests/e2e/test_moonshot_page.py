"""The agent of jambonz's Moonshot page on both SDKs as published, called over real SIP."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import jambonz_sdk
import pytest
from jsonschema import Draft202012Validator
from tests.apps.sdk_process import EXAMPLE, RunningApplication, node_sdk

from moonwire.app import Server, dial, running_server
from moonwire.cli.inspect import replay
from moonwire.sandbox.caller import CallerReport, Interrupt, Say, conversation, prepare
from moonwire.sandbox.fleet import SANDBOX_KEY, SandboxFleet, running_fleet
from moonwire.settings import Settings
from moonwire.store.configuration import parse_configuration

__all__ = ["node_sdk"]  # a fixture

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

NUMBER = "16175551212"
OURS = {"stt_ms", "eot_ms", "llm_ms", "tts_ms", "tool_ms"}
SCHEMA = Path(jambonz_sdk.__file__).parent / "schema" / "callbacks" / "agent-turn.schema.json"
PAGE_MODEL = "kimi-k2-0711-preview"
CONVERSATION = conversation(
    Say("Hello, what are your opening hours?"),
    Say("Please tell me a story about the moon."),
    Interrupt("Wait, stop please.", after_s=2.0),
)


@contextmanager
def example(*command: str) -> Generator[RunningApplication]:
    """Run the example in a process of its own."""
    application = RunningApplication(list(command), EXAMPLE, {})
    try:
        yield application
    finally:
        application.stop()


@asynccontextmanager
async def serving(
    tmp_path: Path, application: RunningApplication, day: date, *, retired: str = "substitute"
) -> AsyncGenerator[tuple[Server, SandboxFleet]]:
    """Run the vendors of a day and a server that is configured for them as an operator would."""
    async with running_fleet(today=day) as fleet:
        configuration = parse_configuration(
            f"""
llm_services:
  - {{vendor: moonshot, api_key: "{SANDBOX_KEY}", base_url: "{fleet.moonshot_url}", retired_models: {retired}}}
speech_services:
  - {{vendor: deepgram, api_key: "{SANDBOX_KEY}", base_url: "{fleet.deepgram_url}"}}
  - {{vendor: cartesia, api_key: "{SANDBOX_KEY}", base_url: "{fleet.cartesia_url}"}}
applications:
  - {{name: kimi, call_hook: "{application.url}"}}
phone_numbers:
  - {{number: "{NUMBER}", application: kimi}}
carriers:
  - {{name: loopback, inbound: ["127.0.0.1/32"]}}
""",
            {},
        )
        settings = Settings(data_dir=tmp_path, http_port=0, sip_host="127.0.0.1", sip_port=0, sandbox="off")
        async with running_server(settings, configuration) as server:
            yield server, fleet


async def call(server: Server, steps: Sequence[Any] = CONVERSATION) -> CallerReport:
    """Place the scripted call."""
    report = await dial(f"sip:{NUMBER}@127.0.0.1:{server.sip.local_port}", await prepare(steps))
    await server.engine.wait_idle()
    return report


def log_of(server: Server) -> list[dict[str, Any]]:
    """Return the only call's event log."""
    (path,) = (server.settings.data_dir / "calls").glob("*.jsonl")
    return server.event_logs.read(path.stem)


async def events_of(application: RunningApplication) -> list[dict[str, Any]]:
    """Return what the application heard of the conversation, once it knows that the agent is complete."""
    await application.printed("agent complete:")
    return [json.loads(line.removeprefix("event ")) for line in application.starting("event ")]


def check_conversation(report: CallerReport, events: list[dict[str, Any]]) -> None:
    """A greeting, two turns and a barge-in, in order, with everything that belongs to them."""
    assert report.ok, report.problems
    stops = [turn.barge_in_stop_s for turn in report.turns if turn.barge_in_stop_s is not None]
    assert stops
    assert max(stops) < 0.4
    kinds = [event["type"] for event in events]
    assert kinds[:2] == ["llm_response", "turn_end"], "the greeting"
    assert kinds[2:5] == ["user_transcript", "llm_response", "turn_end"], "the first answer"
    assert kinds[5:9] == ["user_transcript", "llm_response", "user_interruption", "turn_end"], "the interrupted story"
    story = events[8]
    assert story["interrupted"] is True
    assert len(story["response"]) < len(events[6]["response"]), "what was heard is less than what was said"
    schema = Draft202012Validator(json.loads(SCHEMA.read_text()))
    for event in events:
        schema.validate(known_members(event))
    for name in ("transcriber_latency", "turn_detection_latency", "model_latency", "voice_latency"):
        assert isinstance(events[4]["latency"][name], int)


def known_members(event: dict[str, Any]) -> dict[str, Any]:
    """Leave out the members that are ours; jambonz's schema is closed, its live product is not."""
    if event["type"] != "turn_end":
        return event
    known = {name: event[name] for name in ("type", "transcript", "response", "interrupted")}
    return known | {"latency": {name: value for name, value in event["latency"].items() if name not in OURS}}


async def test_the_node_sdk_today(tmp_path: Path, node_sdk: list[str]) -> None:
    with example(*node_sdk, "app.mjs") as application:
        await check_today(tmp_path, application)


async def check_today(tmp_path: Path, application: RunningApplication) -> None:
    async with serving(tmp_path, application, date(2026, 11, 22)) as (server, _):
        report = await call(server)
        check_conversation(report, await events_of(application))
        lines = log_of(server)
    switches = [line for line in lines if line.get("name") == "model_switched"]
    assert [(line["requested"], line["used"], line["reason"]) for line in switches] == [
        (PAGE_MODEL, "kimi-k2.6", "retired")
    ]
    assert replay(lines).difference is None
    assert application.starting("agent complete: normal conversation end")


async def test_the_python_sdk_in_2025(tmp_path: Path) -> None:
    with example(sys.executable, "app.py") as application:
        await check_2025(tmp_path, application)


async def check_2025(tmp_path: Path, application: RunningApplication) -> None:
    async with serving(tmp_path, application, date(2025, 8, 1)) as (server, fleet):
        report = await call(server)
        check_conversation(report, await events_of(application))
        assert {chat.model for chat in fleet.moonshot.chats} == {PAGE_MODEL}
        assert not [line for line in log_of(server) if line.get("name") == "model_switched"]


async def test_a_refused_retired_model_is_said_and_explained(tmp_path: Path) -> None:
    with example(sys.executable, "app.py") as application:
        await check_refusal(tmp_path, application)


async def check_refusal(tmp_path: Path, application: RunningApplication) -> None:
    async with serving(tmp_path, application, date(2026, 11, 22), retired="refuse") as (server, _):
        report = await call(server, conversation())
        assert report.agent_speech, "the caller must hear a sentence"
        await application.printed("agent complete: server error")
        (error,) = [line for line in log_of(server) if line["kind"] == "error"]
        assert error["code"] == "model-unavailable"
        assert "kimi-k2.6" in error["error"] + error["remedy"]
