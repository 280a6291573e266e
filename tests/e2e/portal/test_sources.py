"""The portal's own checks: types against the generated client, and the tests of its logic."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not (ROOT / "portal/node_modules").is_dir(), reason="the portal has not been built"),
]


@pytest.mark.parametrize("script", ["check", "test"])
async def test_the_portals_own_checks_pass(script: str) -> None:
    process = await asyncio.create_subprocess_exec(
        "bash",
        ROOT / "tools/portal.sh",
        script,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
