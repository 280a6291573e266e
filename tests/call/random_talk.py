"""A whole agent talking at random: real turn taking, replies, tools, updates; vendors reduced to their ports.

The model is Moonshot's adapter up to the socket: each request is written as it would be sent and judged by the
simulator's own strict validation. Time is virtual and audio is pulled in bursts, so that a call takes milliseconds.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, cast

import msgspec
from pydantic import SecretStr

from moonwire.call.context import Call
from moonwire.call.services import AddressBook, CallServices, Dialer
from moonwire.call.tools.phrases import brief
from moonwire.call.verbs.agent import LiveAgent, plan_agent
from moonwire.core.audio.frames import FRAME_BYTES
from moonwire.core.dialog.messages import ToolCall
from moonwire.errors import ContentFilteredError, HookError, VendorUnavailableError
from moonwire.ports.directory import ApplicationRecord, VendorCredential
from moonwire.ports.legs import LegEnd, LegInfo
from moonwire.ports.llm import AnswerEnd, AnswerItem, ChatRequest, ModelOutlook, TokenUsage
from moonwire.ports.stt import SttListener
from moonwire.ports.tts import SpokenWord, TtsListener
from moonwire.sandbox.moonshot.registry import registry
from moonwire.sandbox.moonshot.validation import Rejected, validate
from moonwire.sandbox.virtual_time import VirtualClock, elapse
from moonwire.spec.commands import GenerateReply, InjectContext, UpdateInstructions, UpdateTools
from moonwire.spec.verbs import Agent as AgentVerb
from moonwire.spec.verbs.agent_llm import Tool
from moonwire.vendors.chat_vendor import HttpFailure
from moonwire.vendors.connections import EndpointKnowledge
from moonwire.vendors.llm.moonshot.adapter import Moonshot

MODELS = {**registry(), **registry(date(2026, 8, 1))}
CHOICES = ("kimi-k2.6", "kimi-k3", "moonshot-v1-8k")
NAMES = ("get_weather", "look up", "2fast", "a", "book.table")
SCHEMAS: tuple[dict[str, Any], ...] = (
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city", "gone"]},
    {"properties": {"when": {"oneOf": [{"type": "string", "format": "date"}, {"type": "null"}]}}},
    {},
    {"$schema": "x", "type": "object", "properties": {"n": {"const": 3}, "m": {"$ref": "#/definitions/m"}}},
)
WORDS = ("Hello", "and then", "what about Sunday?", "…", "no, stop please", "mm-hm", "我想订位")
ANSWERS = (
    "It is warm.",
    "One moment.",
    "We open at ten, every day.",
    "(silence)",
    "<think>x</think>Yes, sir.",
    "好的。",
)
FRAME = bytes([0x55]) * FRAME_BYTES


class Nothing:
    """Stands for what a random call never touches much: log, alerts, records, tool servers."""

    def write(self, kind: str, at_s: float, **fields: Any) -> None: ...
    def close(self) -> None: ...
    def raise_alert(self, account_sid: str, alert_type: str, message: str, **more: str) -> None: ...
    def add(self, record: object) -> None: ...


class Utter:
    """Speaks at once: two frames for each word, with the words' places."""

    def __init__(self, listener: TtsListener) -> None:
        self._listener: TtsListener | None = listener
        self._spoken_s = 0.0

    def send_text(self, text: str) -> None:
        if self._listener is None or not text.strip():
            return
        words = [
            SpokenWord(word, self._spoken_s + index * 0.04, self._spoken_s + index * 0.04 + 0.03)
            for index, word in enumerate(text.split())
        ]
        self._spoken_s += len(words) * 0.04
        self._listener.on_tts_words(words)
        self._listener.on_tts_audio(FRAME * 2 * len(words))

    def finish(self) -> None:
        if self._listener is not None:
            self._listener.on_tts_done()

    def cancel(self) -> None:
        self._listener = None


class StrictModel:
    """Moonshot without a socket: the adapter's requests, the simulator's judgement, answers by dice."""

    def __init__(self, dice: random.Random, counts: Counter[str], knowledge: EndpointKnowledge) -> None:
        self._dice = dice
        self._counts = counts
        self._knowledge = knowledge
        self._calls = 0
        self._vendor = Moonshot(VendorCredential("moonshot", secrets={"api_key": SecretStr("sk-planted")}))
        self.refused: list[str] = []

    def outlook(self, request: ChatRequest) -> ModelOutlook:
        return self._vendor.outlook(request, request.model, self._knowledge)

    async def warm_up(self) -> None: ...

    async def stream(self, request: ChatRequest) -> AsyncGenerator[AnswerItem, None]:
        dice, counts = self._dice, self._counts
        counts["requests"] += 1
        body = msgspec.json.decode(
            msgspec.json.encode(self._vendor.plan(request, request.model, frozenset(), self._knowledge).body)
        )
        try:
            accepted = validate(body, MODELS)
        except Rejected as refusal:
            self.refused.append(refusal.message)
            error = {"error": {"message": refusal.message, "type": refusal.type}}
            raise self._vendor.error(
                HttpFailure(refusal.status, {}, msgspec.json.encode(error), request.model), self._knowledge
            ) from None
        fate = dice.random()
        if fate < 0.03:
            raise VendorUnavailableError("drawn by lot", vendor="moonshot")
        if fate < 0.05:
            counts["filtered"] += 1
            raise ContentFilteredError("drawn by lot", vendor="moonshot")
        await asyncio.sleep(dice.choice((0, 0, 0, 0.2, 1.5)))
        pieces = dice.choice(ANSWERS).split(" ") if dice.random() < 0.8 else []
        for piece in pieces:
            yield f" {piece}"
            if dice.random() < 0.3:
                await asyncio.sleep(dice.choice((0, 0.05)))
            if dice.random() < 0.01:
                raise VendorUnavailableError("broken off by lot", vendor="moonshot")
        if request.tools and dice.random() < 0.5:
            for _ in range(dice.choice((1, 1, 2, 3))):
                self._calls += 1
                name = dice.choice([*(tool.name for tool in request.tools), "made_up"])
                number = dice.choice((self._calls, self._calls, 0))
                counts["tools"] += 1
                yield ToolCall(f"functions.{name}:{number}", name, dice.choice([{}, {"city": "Paris"}]))
        usage = TokenUsage(input=accepted.prompt_tokens, output=len(pieces))
        yield AnswerEnd("stop", usage, request.model, reasoning=dice.choice(["", "hm"]))


class Surroundings:
    """Everything one call needs: implements the ports Vendors, SpeechToText, Voice, ApplicationSession and CallLeg."""

    keeps_call_up = True
    name = "random"

    def __init__(self, model: StrictModel, dice: random.Random) -> None:
        self._model = model
        self._dice = dice
        self.listener: SttListener | None = None
        self.waiting: list[asyncio.Future[Any]] = []
        self.info = LegInfo("id", "inbound", "1", "2", "twilio", "127.0.0.1", 1, "ws")

    # Vendors, accounts, streams
    def speech_to_text(self, account_sid: str, recognizer: object, on_switch: object = None) -> Surroundings:
        return self

    text_to_speech = speech_to_text

    def language_model(self, account_sid: str, selection: object) -> StrictModel:
        return self._model

    def prompt(self, name: str, language: str | None) -> tuple[str, bytes]:
        return "Sorry.", FRAME * 4

    def open(self, choice: object, listener: SttListener | None = None) -> Surroundings:
        self.listener = listener or self.listener
        return self

    def speak(self, listener: TtsListener) -> Utter:
        return Utter(listener)

    def send_audio(self, frame: bytes) -> None: ...
    def finalize(self) -> None: ...

    # The application
    async def call_tool(self, hook: object, call: Mapping[str, Any]) -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.waiting.append(answer)
        return await answer

    async def close(self, *, failed: bool = False) -> None: ...
    def agent_event(self, hook: object, event: Mapping[str, Any]) -> None: ...
    def error(self, payload: Mapping[str, Any]) -> None: ...
    def call_status(self, payload: Mapping[str, Any]) -> None: ...

    # The leg
    def attach(self, sink: object, source: object) -> None: ...
    def wake(self) -> None: ...
    def unheard_frames(self) -> int:
        return 0

    def clear(self) -> int:
        return 0

    async def answer(self) -> None: ...
    async def hang_up(self, headers: Mapping[str, str] | None = None) -> None: ...

    def answer_tools(self) -> None:
        """Let results come, in any order, short, empty, huge or not at all."""
        self._dice.shuffle(self.waiting)
        while self.waiting and self._dice.random() < 0.7:
            answer = self.waiting.pop()
            if not answer.done():
                huge = self._dice.random() < 0.25
                outcome = "x" * 30_000 if huge else self._dice.choice(["18 C", "", {"a": 1}, None, HookError("gone")])
                if isinstance(outcome, HookError):
                    answer.set_exception(outcome)
                else:
                    answer.set_result(outcome)


class Tasks:
    """Implements the ports ToolServers, EventLogs and Directory as far as nothing is asked of them."""

    def open(self, call_sid: str) -> Nothing:
        return Nothing()


def services(clock: VirtualClock, around: Surroundings) -> CallServices:
    nothing: Any = Nothing()
    logs: Any = Tasks()

    async def load_audio(url: str) -> bytes:
        return FRAME * 5

    return CallServices(
        clock=clock,
        directory=nothing,
        connector=nothing,
        vendors=cast("Any", around),
        vad=None,
        event_logs=logs,
        alerts=nothing,
        records=nothing,
        recordings=Path(),
        tool_servers=nothing,
        dialer=Dialer(),
        load_audio=load_audio,
        addresses=AddressBook("127.0.0.1:5060", "127.0.0.1", "http://127.0.0.1:8080/v1"),
    )


class CountedCall(Call):
    """A call whose event log is only counted."""

    def __init__(self, counts: Counter[str], *parts: Any) -> None:
        super().__init__(*parts)
        self._counts = counts

    def note(self, kind: str, **fields: Any) -> None:
        self._counts[f"{kind}:{fields.get('name', fields.get('cause', ''))}"] += 1
        self._counts["interrupted"] += bool(fields.get("interrupted"))


class Talk:
    """One random call."""

    def __init__(self, seed: int, counts: Counter[str], knowledge: EndpointKnowledge) -> None:
        self.dice = random.Random(seed)
        self.counts = counts
        self.model = StrictModel(self.dice, counts, knowledge)
        self.around = Surroundings(self.model, self.dice)
        self.call = CountedCall(
            counts,
            "sid",
            cast("Any", self.around),
            services(VirtualClock(), self.around),
            ApplicationRecord("a", "", "random", None),
            cast("Any", self.around),
        )
        self.agent = LiveAgent(self.call, plan_agent(self.call, self._verb()))

    def _verb(self) -> AgentVerb:
        dice = self.dice
        seeds = [
            {"role": dice.choice(["user", "assistant"]), "content": dice.choice(["", "earlier", "long ago " * 500])}
            for _ in range(dice.randrange(4))
        ]
        options: dict[str, Any] = {
            "systemPrompt": dice.choice(["", "You are a receptionist.", "You are a receptionist. " * 100]),
            "messages": seeds,
            "tools": [tool.model_dump(by_alias=True) for tool in self._tools()],
            "reasoningEffort": dice.choice([None, None, "high"]),
        }
        verb: dict[str, Any] = {
            "verb": "agent",
            "stt": {"vendor": "deepgramflux"},
            "tts": {"vendor": "cartesia"},
            "llm": {"vendor": "moonshot", "model": dice.choice(CHOICES), "llmOptions": options},
            "greeting": dice.choice([True, False, "Good evening."]),
            "noResponseTimeout": dice.choice([0, 3]),
            "bargeIn": {"sticky": dice.random() < 0.3},
            "toolHook": "/tool",
            "eventHook": "/event",
            "hangup": dice.random() < 0.1,
        }
        if dice.random() < 0.3:
            verb["toolFiller"] = {"type": "backchannel", "startDelaySecs": 0.2, "escalationSecs": 1}
        return AgentVerb.model_validate(verb)

    def _tools(self) -> list[Tool]:
        names = self.dice.sample(NAMES, self.dice.randrange(4))
        return [Tool(name=name, parameters=self.dice.choice(SCHEMAS)) for name in names]

    async def live(self) -> None:
        """Talk, then hang up."""
        async with asyncio.TaskGroup() as group:
            running = group.create_task(self.agent.run())
            await self.pump(3)
            for _ in range(self.dice.choice((2, 3, 3, 4, 5, 15))):
                if running.done():
                    break
                await self.dice.choice(
                    (self.turn, self.turn, self.turn, self.early, self.listen, self.update, self.wish, self.late)
                )()
            if not self.call.gone.done():
                self.call.gone.set_result(LegEnd("caller", "bye"))
            for answer in self.around.waiting:
                answer.cancel()

    async def pump(self, times: int) -> None:
        for _ in range(times):
            await asyncio.sleep(0)

    async def listen(self) -> None:
        """Hear the agent for a while, perhaps to the end, with pauses in which timers fire."""
        for _ in range(self.dice.randrange(1, 5)):
            await self.pump(self.dice.randrange(1, 6))
            for _ in range(self.dice.randrange(12)):
                if self.call.egress.next_frame() is None:
                    self.call.egress.on_played_out()
                    break
            if self.dice.random() < 0.4:
                await elapse(self.dice.choice((0.1, 0.5, 2.0, 6.0)))

    async def turn(self) -> None:
        """Say something, whoever is speaking."""
        ears = self.around.listener
        assert ears is not None
        for _ in range(self.dice.choice((1, 1, 2))):
            words = self.dice.choice(WORDS)
            ears.on_stt_speech_started()
            if self.dice.random() < 0.5:
                ears.on_stt_interim(words)
                await self.listen()
            ears.on_stt_final(words, 0.9)
        ears.on_stt_end_of_turn()
        await self.listen()

    async def early(self) -> None:
        """Seem to have finished; then confirm it, go on, or say something else."""
        ears = self.around.listener
        assert ears is not None
        words = self.dice.choice(WORDS)
        ears.on_stt_speech_started()
        ears.on_stt_early_end_of_turn(words)
        await self.listen()
        if self.dice.random() < 0.4:
            ears.on_stt_turn_resumed()
            words = f"{words} please"
        ears.on_stt_final(words, 0.9)
        ears.on_stt_end_of_turn()
        await self.listen()

    async def wish(self) -> None:
        user_input = self.dice.choice([None, "", "Say hi"])
        update = GenerateReply(
            user_input=user_input,
            instructions=self.dice.choice([None, "Be brief."]),
            interrupt=self.dice.random() < 0.5,
        )
        self.agent.conversation.updates.apply(update)
        await self.listen()

    async def update(self) -> None:
        role = self.dice.choice(["system", "user", "assistant", "developer", "tool"])
        message = {"role": role, "content": self.dice.choice(["note", "", [{"type": "text", "text": "x"}]])}
        changes = (
            UpdateInstructions(instructions=self.dice.choice(["", "You are a pirate."])),
            InjectContext.model_validate({"messages": [message]}),
            UpdateTools(tools=self._tools()),
        )
        self.agent.conversation.updates.apply(self.dice.choice(changes))

    async def late(self) -> None:
        """Results come; sometimes time runs out for those that do not; sometimes somebody is to be briefed."""
        self.around.answer_tools()
        await self.listen()
        if self.dice.random() < 0.1:
            await elapse(31.0)
        if self.dice.random() < 0.1:
            self.counts["briefs"] += 1
            await brief(self.agent.conversation.asking, "")
