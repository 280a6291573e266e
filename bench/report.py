"""Describes the machine and writes a run's figures as Markdown and JSON."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
LIBRARIES = ("moonwire", "aiohttp", "msgspec", "uvloop", "uvicorn", "onnxruntime", "numpy")
PEERS = """\
Peers, measured earlier with the same conversation on such a machine (2 cores, versions of November 2026, each with the
least delay it can): Pipecat 1.14 26/67 ms added at 1 call, 0.10 core per call; LiveKit Agents 1.8.9 32/43 ms, 0.043
core, run in-process without WebRTC. The floor then: 2.1/3.0 ms, 0.004 core.

"Kept waiting" is the share of time in which the server was ready to run and another program had its core: with more
than a few per cent the latencies say more about the machine than about the server."""


@dataclass(frozen=True)
class Row:
    """One figure of the report."""

    name: str
    value: str
    target: str = ""
    met: bool | None = None

    @property
    def cells(self) -> tuple[str, str, str]:
        """The table's cells."""
        mark = {True: " (met)", False: " (**missed**)", None: ""}[self.met]
        return self.name, self.value, self.target + mark


def machine() -> dict[str, Any]:
    """Return what a reader needs to judge the figures."""
    cpu = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    return {
        "cpu": cpu[0] if cpu else platform.processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "commit": _commit(),
    }


def load() -> float:
    """Return how many programs wanted to run in the last minute, ours included."""
    return round(os.getloadavg()[0], 2)


def _commit() -> str:
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=True, cwd=RESULTS.parent
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()


def table(rows: Sequence[Row]) -> str:
    """Return rows as Markdown."""
    lines = [("figure", "measured", "target"), *(row.cells for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text)


def write(rows: Sequence[Row], raw: dict[str, Any]) -> Path:
    """Write a run's files and return the Markdown one."""
    RESULTS.mkdir(exist_ok=True)
    day = datetime.now(UTC).date().isoformat()
    number = 1
    while (RESULTS / f"{day}-{number}.md").exists():
        number += 1
    path = RESULTS / f"{day}-{number}.md"
    facts = raw["machine"]
    libraries = ", ".join(f"{name} {number}" for name, number in facts["libraries"].items())
    path.write_text(
        f"# Benchmark of {day}, run {number}\n\n"
        f"{facts['cores']} cores, {facts['cpu']}, {facts['system']}; CPython {facts['python']}; {libraries}; "
        f"commit {facts['commit']}. Load average {raw['load_before']} before and {raw['load_after']} after the run.\n\n"
        f"{table(rows)}\n\n{PEERS}\n"
    )
    path.with_suffix(".json").write_text(json.dumps(raw, indent=1) + "\n")
    return path
