"""Ten thousand random conversations of turns, interruptions, tools and updates: Moonshot accepts every request.

The requests are those of our adapter, judged by the simulator's own strict validation, without sockets between them.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import SecretStr

from moonwire.call.agent_updates import AgentUpdates
from moonwire.call.tools.results import error_text
from moonwire.call.tools.toolbox import Toolbox
from moonwire.core.dialog.history import History
from moonwire.core.dialog.messages import AssistantMessage, ToolCall, UserMessage
from moonwire.ports.directory import VendorCredential
from moonwire.ports.llm import ChatRequest
from moonwire.sandbox.moonshot.registry import registry
from moonwire.sandbox.moonshot.validation import Rejected, validate
from moonwire.spec.commands import GenerateReply, InjectContext, UpdateInstructions, UpdateTools
from moonwire.spec.verbs.agent_llm import Tool
from moonwire.vendors.connections import EndpointKnowledge
from moonwire.vendors.llm.moonshot.adapter import Moonshot

CONVERSATIONS = 10_000
MODELS = registry()
CHOICES = ("kimi-k2.6", "kimi-k2.6", "kimi-k3.1-pro")
NAMES = ("get_weather", "look up", "2fast", "a", "book.table", "hangup")
SCHEMAS: tuple[dict[str, Any], ...] = (
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city", "gone"]},
    {"properties": {"when": {"oneOf": [{"type": "string", "format": "date"}, {"type": "null"}]}}},
    {},
    {"$schema": "x", "type": "object", "properties": {"n": {"const": 3}, "m": {"$ref": "#/definitions/m"}}},
)


class Clock:
    def monotonic_s(self) -> float:
        return time.monotonic()

    def utc_s(self) -> float:
        return 1_795_000_000.0


def account() -> Moonshot:
    return Moonshot(VendorCredential("moonshot", secrets={"api_key": SecretStr("sk-planted")}))


@dataclass
class Caller:
    """One call's conversation, moved by dice; mirrors what call/conversation.py does with the history."""

    dice: random.Random
    knowledge: EndpointKnowledge
    vendor: Moonshot = field(default_factory=account)
    history: History = field(init=False)
    pending: list[str] = field(default_factory=list[str])
    """Tool calls whose results have not come."""
    made: int = 0
    requests: int = 0
    refused: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.model = self.dice.choice(CHOICES)
        self.history = History(self.dice.choice(["", "You are a receptionist."]))
        for _ in range(self.dice.randrange(3)):
            text = self.dice.choice(["", "earlier"])
            self.history.add(self.dice.choice([UserMessage(text), AssistantMessage(text)]))
        self.toolbox = Toolbox(self._nobody, self._tools())
        self.updates = AgentUpdates(self.history, self.toolbox, lambda interrupt: None)

    async def _nobody(self, call: ToolCall) -> None:
        raise AssertionError("nothing is run here")

    def _tools(self) -> list[Tool]:
        names = self.dice.sample(NAMES, self.dice.randrange(4))
        return [Tool(name=name, parameters=self.dice.choice(SCHEMAS)) for name in names]

    def live(self) -> None:
        for _ in range(self.dice.randrange(4, 12)):
            self.dice.choice((self.turn, self.turn, self.turn, self.silent, self.update, self.wish, self.late))()

    def turn(self) -> None:
        for _ in range(self.dice.choice((1, 1, 2))):
            self.history.add_user(self.dice.choice(["Hello", "and", "…", " "]))
        self.reply("")

    def silent(self) -> None:
        self.reply("(The caller has been silent.)")

    def wish(self) -> None:
        self.updates.apply(GenerateReply(user_input=self.dice.choice([None, "", "Say hi"])))
        self.updates.next_wish()
        self.reply("")

    def update(self) -> None:
        role = self.dice.choice(["system", "user", "assistant", "developer", "tool"])
        message = {"role": role, "content": self.dice.choice(["note", "", [{"type": "text", "text": "x"}]])}
        self.updates.apply(
            self.dice.choice(
                [
                    UpdateInstructions(instructions=self.dice.choice(["", "You are a pirate."])),
                    InjectContext.model_validate({"messages": [message]}),
                    UpdateTools(tools=self._tools()),
                ]
            )
        )

    def late(self) -> None:
        """Results come, in any order, also after the reply that wanted them is over, also twice."""
        self.dice.shuffle(self.pending)
        while self.pending and self.dice.random() < 0.7:
            call_id = self.pending.pop()
            self.history.add_tool_result(call_id, self.dice.choice(["18 C", "", "x" * 200, error_text("late")]))

    def reply(self, prompt: str) -> None:
        """One reply with up to three rounds of tools; it may be cut anywhere."""
        reasoning = self.dice.choice(["", "hm"])
        rounds = 0
        while True:
            self.ask("" if rounds else prompt)
            if self.dice.random() < 0.15:
                return  # cut before anything was heard
            if rounds >= 3 or self.dice.random() < 0.6:
                break
            rounds += 1
            calls = [self._call() for _ in range(self.dice.choice((1, 1, 2, 3)))]
            self.history.add_tool_calls(self.dice.choice(["", "One moment."]), calls, reasoning)
            self.pending += [call.id for call in calls]
            if self.dice.random() < 0.3:
                self.history.correct_tool_calls(calls[0].id, self.dice.choice(["", "One"]))
            if self.dice.random() < 0.2:
                return  # interrupted while the tools run
            self.late()
            if self.dice.random() < 0.3:
                self.update()
        self.history.add_assistant(self.dice.choice(["", "It is warm.", "It is"]), reasoning)

    def _call(self) -> ToolCall:
        name = self.dice.choice(NAMES)
        self.made += 1
        number = self.dice.choice((self.made, self.made, 0))
        return ToolCall(f"functions.{name}:{number}", name, self.dice.choice([{}, {"city": "Paris"}]))

    def ask(self, prompt: str) -> None:
        request = ChatRequest(self.model, self.history.messages(prompt), tools=self.toolbox.offered)
        self.requests += 1
        try:
            validate(self.vendor.plan(request, self.model, frozenset(), self.knowledge).body, MODELS)
        except Rejected as refusal:
            self.refused.append(refusal.message)


@pytest.mark.parametrize("part", range(4))
def test_every_request_is_accepted(part: int) -> None:
    knowledge = EndpointKnowledge(Clock())
    requests, share = 0, CONVERSATIONS // 4
    for seed in range(part * share, (part + 1) * share):
        caller = Caller(random.Random(seed), knowledge)
        caller.live()
        requests += caller.requests
        assert caller.refused == [], f"conversation {seed}: {caller.refused[0]}"
    assert requests > 5 * share
