"""Writes what an agent's model is asked, keeps it within the model's context, and counts what the answers cost.

Every request of an agent passes here: the answers of its replies, and what is asked aside (a filler's words, a brief).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Protocol

from moonwire.call.agent_updates import AgentUpdates
from moonwire.call.context import Call
from moonwire.core.dialog.history import OPENING, History
from moonwire.core.dialog.messages import Message, SystemMessage
from moonwire.core.dialog.spoken import SpokenText
from moonwire.core.dialog.window import ContextWindow, size_of
from moonwire.core.turns.commands import ReplyCause
from moonwire.errors import ContextTooLongError, VendorError
from moonwire.ports.llm import AnswerEnd, ChatRequest, LanguageModel, ToolDefinition

if TYPE_CHECKING:
    from moonwire.call.agent_plan import AgentPlan

SILENT_CALLER: Final = "(The caller has been silent. Check briefly whether they are still there.)"
"""What the model is told when the agent speaks without having been spoken to; never stored."""

GO_ON: Final = "(Go on with the conversation.)"
"""What the model is told when the application asks for a reply and says nothing about it; never stored."""

_LEAST_BYTES: Final = 1000
"""A conversation is never shortened below this: with a system prompt as long as the context nothing else helps."""


WORTH_WARMING: Final = 8000
"""Bytes of instructions and tools, some 2000 tokens: reading them costs a caller's first answer noticeable time."""

_WARM_S: Final = 10.0


class Offer(Protocol):
    """Whoever knows the tools."""

    @property
    def offered(self) -> Sequence[ToolDefinition]:
        """What the model is told; the same object while nothing changes."""
        ...


@dataclass(slots=True)
class Asking:
    """One agent's side of its model."""

    call: Call
    plan: AgentPlan
    model: LanguageModel
    history: History
    toolbox: Offer
    window: ContextWindow = field(default_factory=ContextWindow)
    _measured: tuple[Sequence[ToolDefinition], int] = ((), 0)

    def request(self, messages: Sequence[Message], tools: Sequence[ToolDefinition] = ()) -> ChatRequest:
        """Write a request in the application's manner."""
        llm = self.plan.verb.llm
        return ChatRequest(
            model=self.plan.llm.choice.model,
            messages=messages,
            tools=tools,
            max_tokens=llm.llm_options.max_tokens,
            temperature=llm.llm_options.temperature,
            reasoning_effort=llm.llm_options.reasoning_effort,
            vendor_params=llm.all_vendor_params,
        )

    async def aside(self, instructions: str, said: Message, *, limit_s: float, max_tokens: int) -> str:
        """Ask for words that are no part of the conversation, and return them, cleaned; may be empty.

        Raises:
            TimeoutError: the model took longer.
            VendorError: it failed.
        """
        request = replace(self.request((SystemMessage(instructions), said)), max_tokens=max_tokens)
        spoken, text = SpokenText(), ""
        async with asyncio.timeout(limit_s), aclosing(self.model.stream(request)) as answer:
            async for item in answer:
                if isinstance(item, str):
                    text += spoken.push(item)
                elif isinstance(item, AnswerEnd):
                    self.paid(item)
        return (text + spoken.flush()).strip()

    async def warm_prefix(self) -> None:
        """Let the vendor read a long beginning of the conversation before the first turn needs it; never raises."""
        request = replace(self.request(self.history.messages(), self.toolbox.offered), max_tokens=1)
        size = size_of(request.messages) + self.size_of_tools(request.tools)
        outlook = self.model.outlook(request)
        too_long = self.window.goal(size, outlook.context_tokens, outlook.answer_tokens) is not None
        worth_it = size >= WORTH_WARMING and outlook.caches_prefix and self.window.is_new
        if too_long or not worth_it:
            return
        self.window.asked(size)
        try:
            async with asyncio.timeout(_WARM_S), aclosing(self.model.stream(request)) as answer:
                async for item in answer:
                    if isinstance(item, AnswerEnd):
                        self.paid(item)
        except ContextTooLongError as error:
            self.window.refused(error.overrun)
        except (VendorError, TimeoutError):
            pass  # the first turn will tell

    def paid(self, end: AnswerEnd) -> None:
        """Count a complete answer."""
        usage = end.usage
        self.call.state.usage = self.call.state.usage.plus(usage)
        self.call.note(
            "llm",
            name="answered",
            model=end.model,
            request_id=end.request_id,
            finish_reason=end.finish_reason,
            headers_ms=round(end.headers_ms),
            first_content_ms=round(end.first_content_ms),
            total_ms=round(end.total_ms),
            usage={
                "input": usage.input,
                "output": usage.output,
                "cache_read": usage.cache_read,
                "cache_write": usage.cache_write,
                "reasoning": usage.reasoning,
            },
        )

    def size_of_tools(self, tools: Sequence[ToolDefinition]) -> int:
        """Return the size of the tools' descriptions, measured when they change."""
        if self._measured[0] is not tools:
            size = sum(len(f"{tool.name}{tool.description}{tool.parameters}".encode()) for tool in tools)
            self._measured = (tools, size)
        return self._measured[1]


class ReplyRequests:
    """The requests of one reply: one for each round of tools, and the last."""

    def __init__(self, asking: Asking, updates: AgentUpdates, cause: ReplyCause, early_text: str = "") -> None:
        self._asking = asking
        self._prompt = _prompt(asking.plan, cause)
        self._once: tuple[Message, ...] = ()
        self.thinks = False
        """The model reasons before it gives the newest answer."""
        self._imagined = asking.history.if_said(early_text) if early_text else None
        """What an early reply's first request is about: the caller's words are no turn yet."""
        if cause == "requested":
            wish = updates.next_wish()
            self._once = (SystemMessage(wish.instructions),) if wish.instructions else ()
            self._prompt = "" if wish.user_input or wish.instructions else GO_ON

    def next(self, tool_round: int, *, with_tools: bool) -> ChatRequest:
        """Return the next request, after shortening a conversation that has become too long for the model."""
        asking, window = self._asking, self._asking.window
        request = self._write(tool_round, with_tools=with_tools)
        outlook = asking.model.outlook(request)
        self.thinks = outlook.thinks
        size = size_of(request.messages) + asking.size_of_tools(request.tools)
        goal = window.goal(size, outlook.context_tokens, outlook.answer_tokens)
        if goal is not None and self._shorten(goal, request, outlook.context_tokens):
            request = self._write(tool_round, with_tools=with_tools)
            size = size_of(request.messages) + asking.size_of_tools(request.tools)
        window.asked(size)
        return request

    def answered(self, end: AnswerEnd) -> None:
        """Learn from a complete answer what it cost."""
        self._asking.window.counted(end.usage.input + end.usage.cache_read + end.usage.cache_write)
        self._asking.paid(end)

    def refused(self, error: ContextTooLongError) -> None:
        """Learn that the newest request was too long; the next one will be shorter."""
        self._asking.window.refused(error.overrun)

    def filtered(self) -> None:
        """Keep the words that moderation refused out of the next requests, which would be refused for them, too."""
        if self._imagined is None and self._asking.history.withdraw_user():
            self._asking.call.note("llm", name="turn_withdrawn", reason="content-filtered")

    def _write(self, tool_round: int, *, with_tools: bool) -> ChatRequest:
        history = self._asking.history
        told = history.messages() if tool_round else (self._imagined or history).messages(self._prompt)
        return self._asking.request((*told, *self._once), self._asking.toolbox.offered if with_tools else ())

    def _shorten(self, goal: int, request: ChatRequest, context_tokens: int | None) -> bool:
        asking = self._asking
        fixed = len(asking.history.instructions.encode()) + asking.size_of_tools(request.tools) + size_of(self._once)
        room = max(goal - fixed, _LEAST_BYTES)
        forgotten = asking.history.forget(room)
        if self._imagined is not None:
            forgotten = self._imagined.forget(room) or forgotten
        if forgotten:
            asking.call.note(
                "llm",
                name="history_shortened",
                messages=forgotten.messages,
                cut_results=forgotten.cut_results,
                kept_bytes=room,
                context_tokens=context_tokens,
            )
        return bool(forgotten)


def _prompt(plan: AgentPlan, cause: ReplyCause) -> str:
    if cause == "no_response":
        return SILENT_CALLER
    seeded = cause == "greeting" and bool(plan.verb.seed_messages)
    return OPENING if seeded else ""
