"""The agent of the Moonshot page on both SDKs, called over SIP: greeting, two turns, a barge-in, hang-up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jambonz_sdk
import pytest
from jsonschema import Draft202012Validator

from moonwire.app import dial, running_server
from moonwire.sandbox.caller import CallerReport, Interrupt, Say, conversation, prepare
from moonwire.settings import Settings
from moonwire.store.configuration import parse_configuration

from .sdk_process import RunningApplication, node_sdk, start

__all__ = ["node_sdk", "start"]  # fixtures

pytestmark = pytest.mark.e2e

CONVERSATION = conversation(
    Say("Hello, what are your opening hours?"),
    Say("Please tell me a story about the moon."),
    Interrupt("Wait, stop please.", after_s=2.5),
)
NUMBERS = {"node": "16175550001", "python": "16175550002"}
OURS = {"stt_ms", "eot_ms", "llm_ms", "tts_ms", "tool_ms", "response_ms"}
SCHEMA = Path(jambonz_sdk.__file__).parent / "schema" / "callbacks" / "agent-turn.schema.json"


def configuration(applications: dict[str, RunningApplication]) -> str:
    return json.dumps(
        {
            "applications": [{"name": name, "call_hook": app.url} for name, app in applications.items()],
            "phone_numbers": [{"number": NUMBERS[name], "application": name} for name in applications],
            "carriers": [{"name": "loopback", "inbound": ["127.0.0.1/32"]}],
        }
    )


async def test_the_agent_of_the_moonshot_page_talks(
    start: Callable[[str, str], RunningApplication], tmp_path: Path
) -> None:
    applications = {language: start("example", language) for language in NUMBERS}
    settings = Settings(data_dir=tmp_path, http_port=0, sip_host="127.0.0.1", sip_port=0, sandbox="on")
    steps = await prepare(CONVERSATION)
    async with running_server(settings, parse_configuration(configuration(applications), {})) as server:
        address = f"127.0.0.1:{server.sip.local_port}"
        reports = await asyncio.gather(*(dial(f"sip:{number}@{address}", steps) for number in NUMBERS.values()))
        await server.engine.drain(10)
    for application, report in zip(applications.values(), reports, strict=True):
        check_call(report)
        completion = await application.printed("agent complete: ")
        assert completion == ["agent complete: normal conversation end"]
        check_events([json.loads(line.removeprefix("event ")) for line in application.starting("event ")])


def check_call(report: CallerReport) -> None:
    assert report.ok, report.problems
    assert any(turn.barge_in_stop_s is not None for turn in report.turns)


def check_events(events: list[dict[str, Any]]) -> None:
    schema = Draft202012Validator(json.loads(SCHEMA.read_text()))
    for event in events:
        schema.validate(known_members(event))
    kinds = [event["type"] for event in events]
    assert kinds[:2] == ["llm_response", "turn_end"]  # the greeting
    user_turns = [event for event in events if event["type"] == "turn_end" and event["transcript"]]
    assert len(user_turns) >= 3
    assert any(turn["interrupted"] for turn in user_turns)
    assert "user_interruption" in kinds
    for turn in user_turns[:2]:
        assert {"model_latency", "voice_latency"} <= turn["latency"].keys()
        at = events.index(turn)
        before = kinds[:at]
        assert events[max(i for i, kind in enumerate(before) if kind == "user_transcript")]["transcript"]


def known_members(event: dict[str, Any]) -> dict[str, Any]:
    """Leave out the members that are ours; jambonz's schema is closed, its live product is not."""
    if event["type"] != "turn_end":
        return event
    known = {name: event[name] for name in ("type", "transcript", "response", "interrupted")}
    return known | {"latency": {name: value for name, value in event["latency"].items() if name not in OURS}}
