"""Fifty calls at once by sipp against `moonwire serve`: each hears the greeting, asks aloud, hears the answer."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from moonwire.app import dial
from moonwire.observe.event_log import FileEventLogs
from moonwire.sandbox.caller import HangUp, Say, WaitForSilence, prepare
from moonwire.sandbox.voices import load_phrasebook

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(180),
    pytest.mark.skipif(shutil.which("sipp") is None, reason="sipp is not installed"),
]

CALLS = 50
FIRST_RTP_PORT = 40000
QUESTION = "Hello, what are your opening hours?"
SCENARIO = Path(__file__).with_name("caller.sipp.xml")


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(type=kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@asynccontextmanager
async def serving(data_dir: Path) -> AsyncGenerator[int]:
    """Run `moonwire serve` with the sandbox vendors, as on a machine without keys; yields the SIP port."""
    http_port, sip_port = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MOONWIRE_")}
    with (data_dir / "server.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("moonwire")),
            "serve",
            cwd=data_dir,
            env=clean
            | {
                "MOONWIRE_DATA_DIR": str(data_dir),
                "MOONWIRE_HTTP_PORT": str(http_port),
                "MOONWIRE_SIP_HOST": "127.0.0.1",
                "MOONWIRE_SIP_PORT": str(sip_port),
            },
            stdout=log,
            stderr=log,
        )
    ended = asyncio.create_task(process.wait())
    try:
        await ready(f"http://127.0.0.1:{http_port}/readyz", ended)
        yield sip_port
    finally:
        if not ended.done():
            process.terminate()
        async with asyncio.timeout(45):
            await ended
    assert process.returncode == 0, (data_dir / "server.log").read_text()[-2000:]


async def ready(url: str, ended: asyncio.Task[int]) -> None:
    async with asyncio.timeout(30), aiohttp.ClientSession() as session:
        while not ended.done():
            try:
                async with session.get(url) as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                await asyncio.wait({ended}, timeout=0.1)
    pytest.fail("the server has ended")


async def sipp(sip_port: int, folder: Path) -> None:
    """Let sipp place its calls, all at once, each with a caller's voice of its own."""
    (folder / "question.ulaw").write_bytes(load_phrasebook()[QUESTION])
    process = await asyncio.create_subprocess_exec(
        *("sipp", "-sf", str(SCENARIO), f"127.0.0.1:{sip_port}", "-i", "127.0.0.1", "-mi", "127.0.0.1"),
        *("-s", "1000", "-m", str(CALLS), "-l", str(CALLS), "-r", "50", "-nostdin", "-timeout", "90s"),
        *("-mp", str(FIRST_RTP_PORT), "-rtp_threadtasks", str(CALLS)),
        cwd=folder,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()[-2000:]


def check_call(lines: list[dict[str, Any]]) -> None:
    """Greeting and answer were played to the end, the caller hung up, nothing went wrong."""
    turns = [line for line in lines if line["kind"] == "turn"]
    assert [turn["cause"] for turn in turns] == ["greeting", "user"]
    assert "Moonlight Restaurant" in turns[0]["pii_heard"]
    assert "eleven in the morning" in turns[1]["pii_heard"]
    assert not any(turn["interrupted"] for turn in turns)
    assert [line for line in lines if line["kind"] == "error"] == []
    ended = [line for line in lines if line["kind"] == "call" and line["name"] == "ended"]
    assert [(line["by"], line["reason"]) for line in ended] == [("caller", "bye")]


async def test_each_of_fifty_hears_greeting_and_answer(tmp_path: Path) -> None:
    steps = await prepare([WaitForSilence(), Say(QUESTION), WaitForSilence(), HangUp()])
    async with serving(tmp_path) as sip_port, asyncio.TaskGroup() as group:
        group.create_task(sipp(sip_port, tmp_path))
        # sipp cannot listen; a caller of ours among the fifty hears whether sound arrives.
        listener = group.create_task(dial(f"sip:1000@127.0.0.1:{sip_port}", steps))
    report = listener.result()
    assert report.ok, report.problems
    assert len(report.agent_speech) >= 2
    logs = FileEventLogs(tmp_path)
    sids = logs.list()
    assert len(sids) == CALLS + 1
    for sid in sids:
        check_call(logs.read(sid))
