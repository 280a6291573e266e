from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from moonwire.sandbox.contracts.stt import CHECKS, ListeningVendor
from moonwire.sandbox.deepgram import Script
from moonwire.spec.components import Recognizer
from moonwire.vendors.stt import open_stt

from .conftest import LOUD, Bench


@pytest.fixture
def vendor(bench: Bench) -> Iterator[ListeningVendor]:
    bench.simulator.set_hearing(Script(["what are your opening hours"], repeat=True))
    credential = bench.credential()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        yield ListeningVendor(
            Recognizer(vendor="deepgramflux"),
            healthy=open_stt(credential, bench.http),
            wrong_key=open_stt(replace(credential, secrets={"api_key": SecretStr("wrong")}), bench.http),
            unreachable=open_stt(bench.credential(base_url=f"ws://127.0.0.1:{nobody.getsockname()[1]}"), bench.http),
            speech=LOUD * 80,
            words="what are your opening hours",
            drop=bench.simulator.drop_connections,
        )


@pytest.mark.parametrize("check", CHECKS)
async def test_promise(check: Callable[[ListeningVendor], Awaitable[None]], vendor: ListeningVendor) -> None:
    await check(vendor)
