"""The wheel: installed into an empty environment without Node, it serves the portal."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import aiohttp
import pytest

ROOT = Path(__file__).parents[3]
UV = shutil.which("uv") or shutil.which("uv", path=ROOT / ".tools/bin")

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), pytest.mark.skipif(UV is None, reason="there is no uv")]


async def run(*command: str | Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


@pytest.fixture
async def installed(tmp_path: Path) -> AsyncGenerator[str]:
    """Build, install and start; yields the server's address."""
    assert UV is not None
    await run(UV, "build", "--quiet", "--wheel", "--out-dir", tmp_path / "dist")
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    await run(UV, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv")
    await run(UV, "pip", "install", "--quiet", "--python", tmp_path / "venv/bin/python", wheel)
    environment = {
        "PATH": "/nowhere",
        "HOME": str(tmp_path),
        "MOONWIRE_DATA_DIR": str(tmp_path / "var"),
        "MOONWIRE_HTTP_PORT": "0",
        "MOONWIRE_SIP_HOST": "127.0.0.1",
        "MOONWIRE_SIP_PORT": "0",
    }
    server = await asyncio.create_subprocess_exec(
        tmp_path / "venv/bin/moonwire", "serve", cwd=tmp_path, env=environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield await asyncio.wait_for(_address(server), 60)
    finally:
        server.terminate()
        await server.communicate()


async def _address(server: asyncio.subprocess.Process) -> str:
    assert server.stdout is not None
    async for line in server.stdout:
        if found := re.search(rb"HTTP on (\S+:\d+)", line):
            return f"http://{found[1].decode()}"
    raise AssertionError("the server ended")


async def test_the_wheel_serves_the_portal(installed: str) -> None:
    async with aiohttp.ClientSession(installed) as client:
        async with client.get("/") as page:
            assert page.status == 200
            text = await page.text()
        found = re.search(r'src="(/assets/[^"]+\.js)"', text)
        assert found
        async with client.get(found[1]) as script:
            assert script.status == 200
            assert script.headers["cache-control"].endswith("immutable")
        async with client.get("/account/llm-services") as deep_link:
            assert await deep_link.text() == text
        async with client.get("/v1/nothing") as unknown:
            assert (unknown.status, unknown.content_type) == (404, "application/json")
