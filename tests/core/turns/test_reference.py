"""The published table of transitions is the machine's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_reference_page_matches_the_machine() -> None:
    done = subprocess.run(
        [sys.executable, "tools/turn_docs.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
