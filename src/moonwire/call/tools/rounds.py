"""Runs the tools that one reply asks for, round by round, and keeps model and history in order about them.

A tool of the application is never called back: when the reply that wanted it is interrupted, its result is still
entered beside its call. Rounds are limited, and a call that is repeated unchanged is not made a third time: both are
ways in which a model can talk to itself while the caller waits.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Coroutine, Sequence
from typing import Any, Final, Protocol

import structlog

from moonwire.call.context import Call
from moonwire.call.reply import Reply
from moonwire.call.requests import ReplyRequests
from moonwire.call.tools.filler import ToolFiller
from moonwire.call.tools.results import error_text, result_text
from moonwire.call.tools.toolbox import BuiltInTool, RemoteTool, Toolbox
from moonwire.core.dialog.history import History
from moonwire.core.dialog.messages import ToolCall
from moonwire.errors import ContextTooLongError, HookError, ToolServerError
from moonwire.ports.llm import AnswerEnd, ChatRequest
from moonwire.spec.payloads import ToolReport

log = structlog.get_logger()

MOST_ROUNDS: Final = 5
"""After so many rounds the model is asked without tools: it must say something."""
MOST_REPEATS: Final = 2
"""How often the same call may be made for one reply."""
PATIENCE_S: Final = 20.0
"""How often the turn machine is told that a reply still waits for tools; it allows 35 s."""


class ToolWorld(Protocol):
    """What rounds need of the agent."""

    @property
    def call(self) -> Call:
        """The call."""
        ...

    @property
    def history(self) -> History:
        """The conversation."""
        ...

    @property
    def toolbox(self) -> Toolbox:
        """The agent's tools."""
        ...

    @property
    def filler(self) -> ToolFiller | None:
        """What the caller hears while tools run."""
        ...

    @property
    def thinking_filler(self) -> ToolFiller | None:
        """What the caller hears while the model thinks."""
        ...

    def start_filling(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Fill a silence until the task is cancelled or the agent is over."""
        ...

    def start_tool(self, work: Coroutine[Any, Any, str]) -> asyncio.Task[str]:
        """Run a tool's work, which may outlive its reply but not the agent."""
        ...


class ToolRounds:
    """Implements call.reply.ToolUser for one reply."""

    def __init__(self, world: ToolWorld, requests: ReplyRequests) -> None:
        self._world = world
        self._requests = requests
        self._rounds = 0
        self._made: Counter[str] = Counter()

    def request(self) -> ChatRequest:
        """Return the request of the next answer, without tools when there have been enough rounds."""
        return self._requests.next(self._rounds, with_tools=self._rounds < MOST_ROUNDS)

    def answered(self, end: AnswerEnd) -> None:
        """Count a complete answer."""
        self._requests.answered(end)

    def refused(self, error: ContextTooLongError) -> None:
        """Have the next request shorter."""
        self._requests.refused(error)

    def filtered(self) -> None:
        """Keep what moderation refused out of the next requests."""
        self._requests.filtered()

    def fill_thinking(self, reply: Reply) -> asyncio.Task[None] | None:
        """Fill the silence while the model thinks; the turn machine waits, too."""
        if not self._requests.thinks:
            return None
        filler = self._world.thinking_filler
        return self._world.start_filling(_fill_thinking(reply, filler))

    async def use_tools(self, reply: Reply, calls: Sequence[ToolCall]) -> bool:
        """Run one round; False when a built-in tool ends the conversation."""
        self._rounds += 1
        calls = list({call.id: call for call in calls}.values())
        said = reply.speech.track.text(reply.rounds[-1].first_part, reply.rounds[-1].last_part)
        self._world.history.add_tool_calls(said, calls, reply.end.reasoning if reply.end else "")
        built_in: list[tuple[ToolCall, BuiltInTool]] = []
        remote: list[asyncio.Task[str]] = []
        for call in calls:
            report = _note_call(self._world.call, reply, call)
            match self._chosen(call):
                case str(refusal):
                    self._world.history.add_tool_result(call.id, error_text(refusal))
                case RemoteTool() as tool:
                    remote.append(self._start(tool, call, reply, report))
                case tool:
                    built_in.append((call, tool))
        if remote:
            await self._wait(remote, reply)
        goes_on = True
        for call, tool in built_in:
            result = await tool.run(reply, call)
            if result is None:
                goes_on = False
            else:
                self._world.history.add_tool_result(call.id, result_text(result))
        return goes_on

    async def _wait(self, remote: Sequence[asyncio.Task[str]], reply: Reply) -> None:
        speech = reply.speech
        filler = self._world.filler
        async with asyncio.TaskGroup() as group:
            filling = group.create_task(filler.fill(speech)) if filler is not None else None
            while (await asyncio.wait(remote, timeout=PATIENCE_S))[1]:
                reply.waits_on()
            if filling is not None:
                filling.cancel()
        speech.cut_filler()

    def _chosen(self, call: ToolCall) -> BuiltInTool | RemoteTool | str:
        """Return the tool to run, or why none is."""
        key = f"{call.name} {json.dumps(call.arguments, sort_keys=True)}"
        self._made[key] += 1
        if self._made[key] > MOST_REPEATS:
            log.warning("repeated tool call stopped", call_sid=self._world.call.sid, tool=call.name)
            return "This call was already made twice for this answer. Answer with the results you have."
        if self._rounds > MOST_ROUNDS:
            return "Too many tool calls for one answer. Answer with the results you have."
        return self._world.toolbox.find(call.name) or f"There is no tool named {call.name}."

    def _start(self, tool: RemoteTool, call: ToolCall, reply: Reply, report: int) -> asyncio.Task[str]:
        started_at = reply.age_s

        def on_done(task: asyncio.Task[str]) -> None:
            if not task.cancelled():
                text = task.result()
                self._world.history.add_tool_result(call.id, text)
                _note_result(self._world.call, reply, report, (reply.age_s - started_at) * 1000, text)

        task = self._world.start_tool(run_tool(tool, call, reply))
        task.add_done_callback(on_done)
        return task


async def _fill_thinking(reply: Reply, filler: ToolFiller | None) -> None:
    await reply.released.wait()
    reply.waits_on()
    if filler is not None:
        await filler.fill(reply.speech)


async def run_tool(tool: RemoteTool, call: ToolCall, reply: Reply) -> str:
    """Run a tool; whatever happens, there is a text for the model."""
    try:
        async with asyncio.timeout(tool.limit_s):
            if tool.after_words and not await reply.words_heard():
                return error_text("Called off: the caller interrupted.")
            return result_text(await tool.run(call))
    except TimeoutError:
        return error_text(f"The tool did not answer within {tool.limit_s:.0f} s.")
    except (HookError, ToolServerError) as error:
        log.warning("tool failed", tool=call.name, error=str(error))
        return error_text(f"The tool failed: {error}")
    except Exception:  # a tool's surprise must not end the call
        log.exception("tool broke", tool=call.name)
        return error_text("The tool failed.")


def _note_call(call: Call, reply: Reply, wanted: ToolCall) -> int:
    reply.tools.append(ToolReport(wanted.id, wanted.name, wanted.arguments))
    call.note("tool", name="called", tool=wanted.name, tool_call_id=wanted.id, pii_arguments=wanted.arguments)
    return len(reply.tools) - 1


def _note_result(call: Call, reply: Reply, report: int, result_ms: float, text: str) -> None:
    asked = reply.tools[report]
    reply.tools[report] = ToolReport(asked.tool_call_id, asked.name, asked.arguments, result_ms)
    call.note(
        "tool",
        name="answered",
        tool=asked.name,
        tool_call_id=asked.tool_call_id,
        result_ms=round(result_ms),
        characters=len(text),
        failed=text.startswith('{"error"'),
    )
