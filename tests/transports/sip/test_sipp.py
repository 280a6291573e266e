"""sipp, an independent SIP implementation, places many calls at once."""

from __future__ import annotations

import asyncio
import shutil

import pytest

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("sipp") is None, reason="sipp is not installed"),
]


@pytest.mark.parametrize("transport", ["u1", "t1"])
async def test_fifty_calls_at_once(rig, tmp_path, transport):
    endpoint = await rig.endpoint()

    async with asyncio.TaskGroup() as tasks:

        async def answer(leg) -> None:
            await leg.ring()
            await leg.answer()

        rig.legs.on_offer = lambda leg: tasks.create_task(answer(leg))
        sipp = await asyncio.create_subprocess_exec(
            *("sipp", "-sn", "uac", f"127.0.0.1:{endpoint.local_port}", "-i", "127.0.0.1", "-s", "16175551212"),
            *("-t", transport, "-m", "50", "-l", "50", "-r", "100", "-d", "300", "-nostdin", "-timeout", "20s"),
            cwd=tmp_path,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, errors = await sipp.communicate()
    assert sipp.returncode == 0, errors.decode()[-2000:]
    assert rig.legs.count == 50
    assert endpoint.calls == 0
    assert endpoint.failed == 0
    while not rig.legs.offered.empty():
        _, listener = rig.legs.offered.get_nowait()
        assert (await listener.end()).reason == "bye"
