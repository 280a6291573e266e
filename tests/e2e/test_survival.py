"""A real SIP caller lives through a model's failures: fallback, a spoken sentence, a broken stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from moonwire.app import Server, dial, running_server
from moonwire.sandbox.caller import CallerReport, HangUp, Pause, WaitForSilence, WaitForSpeech, prepare
from moonwire.sandbox.fleet import SANDBOX_CHINA_KEY, SANDBOX_KEY, SandboxFleet, running_fleet
from moonwire.sandbox.moonshot import Fault
from moonwire.settings import Settings
from moonwire.store.configuration import parse_configuration

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

AGENT = """[{verb: agent, stt: {vendor: deepgram}, tts: {vendor: cartesia, voice: sonic-english},
    llm: {vendor: moonshot, model: kimi-k2.6, label: global}}]"""


@asynccontextmanager
async def serving(tmp_path: Path, key: str = SANDBOX_KEY) -> AsyncGenerator[tuple[Server, SandboxFleet]]:
    """Run a server whose global Moonshot account has the Chinese one behind it."""
    async with running_fleet() as fleet:
        configuration = parse_configuration(
            f"""
llm_services:
  - {{vendor: moonshot, label: global, api_key: "{key}", base_url: "{fleet.moonshot_url}",
      fallback: [{{vendor: moonshot, model: kimi-k2.6, label: china}}]}}
  - {{vendor: moonshot, label: china, api_key: "{SANDBOX_CHINA_KEY}", base_url: "{fleet.moonshot_china_url}"}}
speech_services:
  - {{vendor: deepgram, api_key: "{SANDBOX_KEY}", base_url: "{fleet.deepgram_url}"}}
  - {{vendor: cartesia, api_key: "{SANDBOX_KEY}", base_url: "{fleet.cartesia_url}"}}
applications:
  - {{name: agent, app_json: {AGENT}}}
phone_numbers:
  - {{number: "1000", application: agent}}
carriers:
  - {{name: loopback, inbound: ["127.0.0.1/32"]}}
""",
            {},
        )
        settings = Settings(data_dir=tmp_path, http_port=0, sip_host="127.0.0.1", sip_port=0, sandbox="off")
        async with running_server(settings, configuration) as server:
            yield server, fleet


async def greeted(server: Server) -> tuple[CallerReport, list[dict[str, Any]]]:
    """Call and listen to the first words."""
    steps = await prepare((WaitForSpeech(limit_s=10), WaitForSilence(limit_s=12), Pause(0.2), HangUp()))
    report = await dial(f"sip:1000@127.0.0.1:{server.sip.local_port}", steps)
    await server.engine.wait_idle()
    (path,) = (server.settings.data_dir / "calls").glob("*.jsonl")
    return report, server.event_logs.read(path.stem)


@pytest.mark.parametrize("kind", ["overloaded", "stall_before_content"])
async def test_a_fallback_answers_before_anything_was_said(kind: str, tmp_path: Path) -> None:
    async with serving(tmp_path) as (server, fleet):
        fleet.moonshot.faults.add(Fault(kind=kind, key=SANDBOX_KEY))  # pyright: ignore[reportArgumentType]
        report, lines = await greeted(server)
    assert report.ok, report.problems
    (switch,) = [line for line in lines if line.get("name") == "model_switched"]
    assert switch["reason"] in ("vendor-overloaded", "vendor-timeout")
    assert [line["cause"] for line in lines if line["kind"] == "turn"] == ["greeting"], "no apology was needed"


async def test_a_key_that_is_refused_falls_back_too_and_is_told(tmp_path: Path) -> None:
    async with serving(tmp_path, key="sk-of-nobody") as (server, _):
        report, lines = await greeted(server)
    assert report.ok, report.problems
    assert [line["reason"] for line in lines if line.get("name") == "model_switched"] == ["credential"]


async def test_a_stream_that_breaks_in_the_middle_becomes_a_sentence(tmp_path: Path) -> None:
    async with serving(tmp_path) as (server, fleet):
        fleet.moonshot.faults.add(Fault(kind="reset_mid_stream", key=SANDBOX_KEY, after_chunks=8))
        report, lines = await greeted(server)
    assert report.agent_speech
    assert any(line["kind"] == "error" for line in lines)
    assert "apology" in [line["cause"] for line in lines if line["kind"] == "turn"]
