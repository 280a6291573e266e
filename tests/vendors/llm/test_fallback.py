from __future__ import annotations

from collections.abc import Callable

import pytest

from moonwire.core.dialog.messages import UserMessage
from moonwire.errors import QuotaError
from moonwire.ports.directory import LlmChoice
from moonwire.ports.llm import ChatRequest, ModelSwitched
from moonwire.sandbox.contracts.llm import collect, failure
from moonwire.sandbox.moonshot import SANDBOX_KEYS, Fault, MoonshotSimulator, Pacing
from moonwire.vendors.chat_completions import ChatCompletions
from moonwire.vendors.llm.fallback import FallbackModel

OpenModel = Callable[..., ChatCompletions]

FIRST, SECOND = LlmChoice("moonshot", "kimi-k2.6"), LlmChoice("moonshot", "kimi-k3", "china")
ASK = ChatRequest("kimi-k2.6", (UserMessage("Where are you?"),))


@pytest.fixture
async def china_url(simulator: MoonshotSimulator) -> str:
    return await simulator.start(region="china")


@pytest.fixture
def both(open_model: OpenModel, china_url: str) -> FallbackModel:
    second = open_model(base_url=china_url, key=SANDBOX_KEYS["china"][0])
    return FallbackModel((FIRST, open_model()), [(SECOND, second)], useful_within_s=0.6)


async def test_the_first_model_answers_when_it_can(both: FallbackModel) -> None:
    answer = await collect(both, ASK)
    assert answer.switches == []
    assert answer.last.model == "kimi-k2.6"


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("quota", "quota"),
        ("permission", "credential"),
        ("stall_before_content", "vendor-timeout"),
        ("stall_before_headers", "vendor-timeout"),
        ("bad_gateway_html", "vendor-unavailable"),
    ],
)
async def test_the_second_model_takes_over_and_says_why(
    simulator: MoonshotSimulator, both: FallbackModel, fault: str, cause: str
) -> None:
    simulator.faults.add(Fault(fault, key=SANDBOX_KEYS["global"][0]))  # type: ignore[arg-type]
    answer = await collect(both, ASK)
    assert answer.items[0] == ModelSwitched("kimi-k2.6", "kimi-k3", cause, "moonshot")
    assert answer.text.startswith("We are at twelve Harbour Street")
    assert answer.last.model == "kimi-k3"
    assert simulator.chats[-1].region == "china"


async def test_a_model_that_failed_is_not_asked_again_at_once(
    simulator: MoonshotSimulator, both: FallbackModel
) -> None:
    simulator.faults.add(Fault("quota", key=SANDBOX_KEYS["global"][0]))
    await collect(both, ASK)
    asked = len(simulator.chats)
    answer = await collect(both, ASK)
    assert answer.switches == [ModelSwitched("kimi-k2.6", "kimi-k3", "quota", "moonshot")]
    assert len(simulator.chats) == asked + 1


async def test_nothing_is_repeated_after_the_first_word(simulator: MoonshotSimulator, both: FallbackModel) -> None:
    simulator.faults.add(Fault("reset_mid_stream"))
    error = await failure(both, ASK)
    assert error.code == "vendor-unavailable"
    assert len(simulator.chats) == 1


async def test_when_all_fail_the_first_cause_is_told(simulator: MoonshotSimulator, both: FallbackModel) -> None:
    simulator.faults.add(Fault("quota"))
    assert isinstance(await failure(both, ASK), QuotaError)
    assert len(simulator.chats) == 2


async def test_warm_up_reaches_every_model(simulator: MoonshotSimulator, both: FallbackModel) -> None:
    await both.warm_up()
    assert sorted(record.region for record in simulator.requests) == ["china", "global"]


async def test_a_model_that_thinks_gets_the_time_to(simulator: MoonshotSimulator, both: FallbackModel) -> None:
    simulator.world.pacing = Pacing(thinking_s=3.0)
    answer = await collect(both, ChatRequest("kimi-k3", ASK.messages))
    assert answer.switches == [], "0.9 s of thought are no stall, although other models have 0.6 s"
    assert both.outlook(ChatRequest("kimi-k3", ())).thinks
    assert not both.outlook(ASK).thinks
