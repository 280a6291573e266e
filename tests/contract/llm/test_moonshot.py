"""The language-model contract, run against Moonshot's adapter and simulator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from moonwire.observe.clock import SystemClock
from moonwire.ports.directory import VendorCredential
from moonwire.sandbox.contracts import llm as contract
from moonwire.sandbox.contracts import llm_wire
from moonwire.sandbox.moonshot import SANDBOX_KEYS, Fault, MoonshotSimulator, Pacing, ScriptedAnswer, ScriptedCall
from moonwire.vendors.connections import VendorConnections
from moonwire.vendors.llm import open_llm

KEY = SANDBOX_KEYS["global"][0]
FAULTS = {
    "credential": "permission",
    "quota": "quota",
    "rate-limit": "rpm",
    "vendor-overloaded": "overloaded",
    "content-filtered": "content_filter",
    "vendor-unavailable": "unavailable",
    "empty": "empty_stream",
    "cut-in-tool-call": "no_finish",
    "stall": "stall_mid_stream",
}


@pytest.fixture
async def simulator() -> AsyncIterator[MoonshotSimulator]:
    running = MoonshotSimulator(pacing=Pacing(first_token_s=0.0, gap_s=0.0, thinking_s=0.0))
    yield running
    await running.stop()


@pytest.fixture
async def bench(simulator: MoonshotSimulator) -> AsyncIterator[contract.LlmBench]:
    connections = VendorConnections(SystemClock())
    credential = VendorCredential(
        "moonshot", sid="1", secrets={"api_key": SecretStr(KEY)}, fields={"base_url": await simulator.start()}
    )

    def fail(kind: str) -> None:
        if kind == "model-unavailable":
            simulator.world.models = {}
        else:
            simulator.faults.add(Fault(FAULTS[kind]))  # type: ignore[arg-type]

    def call_tool(name: str, arguments: dict[str, object]) -> None:
        simulator.say(ScriptedAnswer("One moment.", (ScriptedCall(name, arguments),)))

    yield contract.LlmBench(
        model=open_llm(credential, connections),
        model_id="kimi-k2.6",
        say=simulator.say,
        call_tool=call_tool,
        fail=fail,
        disconnected=lambda: simulator.chats[-1].disconnected_s is not None,
        secret=KEY,
    )
    await connections.close()


@pytest.mark.parametrize(
    "check",
    [
        contract.check_stream_shape,
        contract.check_usage_adds_up,
        contract.check_tool_round,
        contract.check_close_disconnects,
        contract.check_no_half_tool_call,
        contract.check_empty_stream,
    ],
)
async def test_contract(bench: contract.LlmBench, check: contract.Check) -> None:
    await check(bench)


@pytest.mark.parametrize("check", llm_wire.CHECKS)
async def test_wire(simulator: MoonshotSimulator, bench: contract.LlmBench, check: llm_wire.Check) -> None:
    await check(bench, lambda: simulator.chats[-1].json)


async def test_cancel_before_content(simulator: MoonshotSimulator, bench: contract.LlmBench) -> None:
    simulator.world.pacing = Pacing(first_token_s=30.0)

    async def asked() -> None:
        async with asyncio.timeout(1.0):
            while not simulator.chats:
                await asyncio.sleep(0)

    await contract.check_cancel_before_content(bench, asked)


@pytest.mark.parametrize("code", contract.ERROR_CODES)
async def test_errors(bench: contract.LlmBench, code: str) -> None:
    await contract.check_error(bench, code)
