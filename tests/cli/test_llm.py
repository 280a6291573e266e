"""`moonwire llm test`, `llm models` and `check` on a configured service, against the simulated Moonshot."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from moonwire.cli import commands
from moonwire.sandbox.moonshot import SANDBOX_KEYS, MoonshotSimulator, Pacing

KEY = SANDBOX_KEYS["global"][0]


@pytest.fixture
def base_url() -> Iterator[str]:
    """A simulator on a loop of its own: the commands run theirs."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    simulator = MoonshotSimulator(pacing=Pacing(first_token_s=0.0, gap_s=0.0, thinking_s=0.0))
    yield asyncio.run_coroutine_threadsafe(simulator.start(), loop).result(10)
    asyncio.run_coroutine_threadsafe(simulator.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MOONWIRE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("GOOD_KEY", KEY)
    monkeypatch.setenv("BAD_KEY", "sk-planted-0123456789")
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(commands, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return 1, str(result.exception)
    return result.exit_code, result.output


def test_a_key_from_the_environment(base_url: str) -> None:
    code, output = run("llm", "test", "--key-from", "GOOD_KEY", "--base-url", base_url)
    assert code == 0, output
    assert output.startswith("moonshot: ok\n")
    code, output = run("llm", "test", "--key-from", "BAD_KEY", "--base-url", base_url)
    assert code == 1
    assert "FAIL  key" in output
    assert "platform.kimi.com" in output
    assert "planted" not in output
    code, output = run("llm", "models", "--key-from", "GOOD_KEY", "--base-url", base_url)
    assert "kimi-k2.5                                retired on 2026-08-31, successor kimi-k2.6" in output


def test_stored_services(base_url: str, home: Path) -> None:
    code, output = run("llm", "test")
    assert (code, "llm_services" in output) == (1, True)
    file = home / "moonwire.yaml"
    service = {"vendor": "moonshot", "label": "main", "api_key": "${GOOD_KEY}", "base_url": base_url}
    file.write_text(json.dumps({"llm_services": [service]}))
    code, output = run("check", "--config", str(file))
    assert "language model moonshot (main): answers and calls tools" in output
    assert run("apply", str(file))[0] == 0
    code, output = run("llm", "test", "--json")
    (report,) = json.loads(output)
    assert (code, report["service"], report["outcome"]) == (0, "moonshot (main)", "ok")
    code, output = run("llm", "models", "--json", "--vendor", "moonshot")
    assert json.loads(output)[0]["models"][0]["id"] == "kimi-k2.6"
    assert run("llm", "test", "--label", "other")[0] == 1
    assert "stored for" in run("llm", "test", "--base-url", base_url)[1]
