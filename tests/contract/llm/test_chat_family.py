"""The language-model contract, run against every OpenAI-compatible vendor and a simulator with that vendor's quirks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from moonwire.core.dialog.messages import UserMessage
from moonwire.observe.clock import SystemClock
from moonwire.ports.directory import VendorCredential
from moonwire.ports.llm import ChatRequest
from moonwire.sandbox.chat_family import ChatFamilySimulator
from moonwire.sandbox.chat_family.quirks import QUIRKS
from moonwire.sandbox.contracts import llm as contract
from moonwire.sandbox.contracts import llm_wire
from moonwire.sandbox.moonshot import ScriptedAnswer, ScriptedCall
from moonwire.vendors.connections import VendorConnections
from moonwire.vendors.llm import VENDORS, open_llm
from moonwire.vendors.llm_trial import LlmTester

FAMILY = [vendor for vendor in VENDORS if vendor != "moonshot"]
KEY = "key-sandbox-0123456789"


@pytest.fixture(params=FAMILY)
async def simulator(request: pytest.FixtureRequest) -> AsyncIterator[ChatFamilySimulator]:
    running = ChatFamilySimulator(request.param, key=KEY)
    running.vendor = request.param  # type: ignore[attr-defined]
    yield running
    await running.stop()


@pytest.fixture
async def connections() -> AsyncIterator[VendorConnections]:
    pool = VendorConnections(SystemClock())
    yield pool
    await pool.close()


async def credential_for(simulator: ChatFamilySimulator, key: str = KEY) -> VendorCredential:
    vendor, url = str(simulator.vendor), await simulator.start()  # type: ignore[attr-defined]
    fields = {"base_url": url}
    if vendor == "azure-openai":
        fields = {"endpoint": url.partition("/openai")[0], "deployment": "voice"}
    return VendorCredential(vendor, sid="1", secrets={"api_key": SecretStr(key)}, fields=fields)


@pytest.fixture
async def bench(simulator: ChatFamilySimulator, connections: VendorConnections) -> contract.LlmBench:
    def fail(kind: str) -> None:
        if kind in {"empty", "cut-in-tool-call", "stall"}:
            simulator.break_off(kind)  # type: ignore[arg-type]
        else:
            simulator.fail(*[kind] * 4)  # type: ignore[list-item]

    def call_tool(name: str, arguments: dict[str, object]) -> None:
        simulator.say(ScriptedAnswer("One moment.", (ScriptedCall(name, arguments),)))

    return contract.LlmBench(
        model=open_llm(await credential_for(simulator), connections),
        model_id=simulator.quirks.models[0],
        say=simulator.say,
        call_tool=call_tool,
        fail=fail,
        disconnected=lambda: simulator.chats[-1].disconnected_s is not None,
        secret=KEY,
    )


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
async def test_wire(simulator: ChatFamilySimulator, bench: contract.LlmBench, check: llm_wire.Check) -> None:
    await check(bench, lambda: simulator.chats[-1].json)


@pytest.mark.parametrize(("vendor", "model"), [("deepseek", "deepseek-reasoner"), ("openai", "o1-mini-2024")])
async def test_a_model_without_tools_is_offered_none(vendor: str, model: str, connections: VendorConnections) -> None:
    simulator = ChatFamilySimulator(vendor, key=KEY, quirks=replace(QUIRKS[vendor], models=(model,)))
    simulator.vendor = vendor  # type: ignore[attr-defined]
    simulator.say("I cannot look.")
    opened = open_llm(await credential_for(simulator), connections)
    answer = await contract.collect(opened, ChatRequest(model, (UserMessage("Look!"),), (contract.WEATHER,)))
    assert answer.text == "I cannot look."
    assert (simulator.chats[-1].json["model"], simulator.chats[-1].json.get("tools")) == (model, None)
    await simulator.stop()


async def test_cancel_before_content(simulator: ChatFamilySimulator, bench: contract.LlmBench) -> None:
    simulator.break_off("stall-before-content")

    async def asked() -> None:
        async with asyncio.timeout(1.0):
            while not simulator.chats:
                await asyncio.sleep(0)

    await contract.check_cancel_before_content(
        contract.LlmBench(
            bench.model, bench.model_id, bench.say, bench.call_tool, lambda _: None, bench.disconnected, KEY
        ),
        asked,
    )


@pytest.mark.parametrize("code", contract.ERROR_CODES)
async def test_errors(bench: contract.LlmBench, code: str) -> None:
    await contract.check_error(bench, code)


async def test_the_test_passes(simulator: ChatFamilySimulator, connections: VendorConnections) -> None:
    trial = await LlmTester(connections).test(await credential_for(simulator))
    stages = {stage.name: (stage.status, stage.code, stage.message) for stage in trial.stages}
    assert trial.is_ok, stages
    if simulator.quirks.lists_models:
        assert stages["key"][0] == "ok"
        assert trial.outcome == "ok", stages
    if simulator.quirks.models[0] in str(trial.report["models"]):
        assert stages["talk"][0] == "ok", "what thinks by default is told not to"


async def test_a_wrong_key_fails_the_test(simulator: ChatFamilySimulator, connections: VendorConnections) -> None:
    if not simulator.quirks.needs_key:
        pytest.skip("this host wants no key")
    trial = await LlmTester(connections).test(await credential_for(simulator, "key-wrong-0123456789"))
    failed = next(stage for stage in trial.stages if stage.status == "failed")
    assert (failed.name, failed.code) == ("key" if simulator.quirks.lists_models else "talk", "key")
    assert "wrong-0123456789" not in str(trial.report)


async def test_warming_up_costs_nothing(simulator: ChatFamilySimulator, bench: contract.LlmBench) -> None:
    await bench.model.warm_up()
    assert simulator.requests
    assert not simulator.chats
    request = ChatRequest(bench.model_id, (UserMessage("Hello?"),), max_tokens=50, temperature=0.6)
    assert (await contract.collect(bench.model, request)).text
