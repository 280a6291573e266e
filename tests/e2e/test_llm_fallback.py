"""A conversation over SIP survives what its first model does: another one answers, or a sentence says why not."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from argon2 import PasswordHasher

from moonwire.app import Server, dial, running_server
from moonwire.sandbox.caller import CallerReport, Say, conversation, prepare
from moonwire.sandbox.chat_family import ChatFamilySimulator, Quirks
from moonwire.sandbox.fleet import SANDBOX_KEY, SandboxFleet, running_fleet
from moonwire.sandbox.moonshot import Fault
from moonwire.settings import Settings
from moonwire.store import users
from moonwire.store.configuration import parse_configuration

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

NUMBER = "16175551212"
TURNS = conversation(Say("Hello, what are your opening hours?"), Say("And where are you?"))


@dataclass
class Scene:
    """A server whose first model is Moonshot's and whose second one is a local model."""

    server: Server
    fleet: SandboxFleet
    local: ChatFamilySimulator

    async def call(self) -> CallerReport:
        report = await dial(f"sip:{NUMBER}@127.0.0.1:{self.server.sip.local_port}", await prepare(TURNS))
        await self.server.engine.wait_idle()
        return report

    @property
    def log(self) -> list[dict[str, Any]]:
        (path,) = (self.server.settings.data_dir / "calls").glob("*.jsonl")
        return self.server.event_logs.read(path.stem)

    def named(self, kind: str, name: str = "") -> list[dict[str, Any]]:
        return [line for line in self.log if line["kind"] == kind and name in ("", line.get("name"))]


@asynccontextmanager
async def scene(tmp_path: Path, *, fallback: bool = True, key: str = SANDBOX_KEY) -> AsyncGenerator[Scene]:
    local = ChatFamilySimulator("openai-compatible", quirks=Quirks(models=("local",), needs_key=False))
    async with running_fleet() as fleet:
        behind = '["openai-compatible:local"]' if fallback else "[]"
        configuration = parse_configuration(
            f"""
llm_services:
  - {{vendor: moonshot, api_key: "{key}", base_url: "{fleet.moonshot_url}", fallback: {behind}}}
  - {{vendor: openai-compatible, base_url: "{await local.start()}"}}
speech_services:
  - {{vendor: deepgram, api_key: "{SANDBOX_KEY}", base_url: "{fleet.deepgram_url}"}}
  - {{vendor: cartesia, api_key: "{SANDBOX_KEY}", base_url: "{fleet.cartesia_url}"}}
applications:
  - name: inline
    app_json:
      - verb: agent
        stt: {{vendor: deepgram, language: en-US}}
        tts: {{vendor: cartesia, voice: sonic-english}}
        llm: {{vendor: moonshot, model: kimi-k2.6, llmOptions: {{systemPrompt: "You are a receptionist."}}}}
        greeting: "Good evening."
phone_numbers:
  - {{number: "{NUMBER}", application: inline}}
carriers:
  - {{name: loopback, inbound: ["127.0.0.1/32"]}}
""",
            {},
        )
        settings = Settings(data_dir=tmp_path, http_port=0, sip_host="127.0.0.1", sip_port=0, sandbox="off")
        try:
            async with running_server(settings, configuration) as server:
                yield Scene(server, fleet, local)
        finally:
            await local.stop()


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.mark.parametrize(
    ("fault", "reason"), [("overloaded", "vendor-overloaded"), ("stall_before_content", "vendor-timeout")]
)
async def test_another_model_answers(tmp_path: Path, fault: Any, reason: str) -> None:
    async with scene(tmp_path) as stage:
        stage.fleet.moonshot.faults.add(Fault(fault))
        report = await stage.call()
        assert report.ok, report.problems
        (switched,) = stage.named("llm", "model_switched")
        assert (switched["requested"], switched["used"], switched["reason"]) == ("kimi-k2.6", "local", reason)
        assert len(stage.local.chats) >= 2, "both turns"
        assert {turn["model"] for turn in stage.named("turn") if turn["model"]} == {"local"}
        assert [turn["cause"] for turn in stage.named("turn")] == ["greeting", "user", "user"], "no apology was needed"


async def test_another_account_answers_for_one_whose_key_is_refused(tmp_path: Path) -> None:
    async with scene(tmp_path, key="sk-planted-0123456789") as stage:
        report = await stage.call()
        assert report.ok, report.problems
        (switched,) = stage.named("llm", "model_switched")
        assert (switched["used"], switched["reason"]) == ("local", "credential")
        assert "planted" not in str(stage.log)


async def test_a_stream_dropped_in_mid_sentence(tmp_path: Path) -> None:
    async with scene(tmp_path, fallback=False) as stage:
        stage.fleet.moonshot.faults.add(Fault("reset_mid_stream", times=1, after_chunks=4))
        report = await stage.call()
        assert stage.named("error")
        assert len(stage.fleet.moonshot.chats) >= 2, "the next turn is answered"
        assert [turn["cause"] for turn in stage.named("turn")] == ["greeting", "apology", "user"]
        assert len(report.agent_speech) >= 3, "the caller hears a sentence for it"


async def test_a_refused_key_is_spoken_about(tmp_path: Path) -> None:
    async with scene(tmp_path, fallback=False, key="sk-planted-0123456789") as stage:
        report = await stage.call()
        assert len(report.agent_speech) >= 2, "the greeting, and a sentence of excuse"
        error = stage.named("error")[0]
        assert error["code"] == "credential"
        assert "platform.kimi.com" in error["remedy"]
        assert "planted" not in str(stage.log)
        assert b"planted" not in await metrics(stage.server)
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(kept) >= 3, "database, key file, event log"
    assert not [path for path in kept if b"planted" in path.read_bytes()]


async def metrics(server: Server) -> bytes:
    url = f"http://127.0.0.1:{server.http_port}/metrics"
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        return await answer.read()
