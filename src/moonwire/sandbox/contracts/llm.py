"""What every language-model adapter must do, as checks a test module runs against a vendor's simulator.

A test module per vendor gives an `LlmBench` (how to open the adapter, how to make the simulator misbehave) and calls
`check_...` functions; see tests/contract/llm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from moonwire.core.dialog.messages import AssistantMessage, SystemMessage, ToolCall, ToolMessage, UserMessage
from moonwire.errors import VendorError
from moonwire.ports.llm import (
    AnswerEnd,
    AnswerItem,
    ChatRequest,
    LanguageModel,
    ModelSwitched,
    RequestChanged,
    ToolDefinition,
)


@dataclass(slots=True)
class Answer:
    """One answer, collected."""

    text: str = ""
    calls: list[ToolCall] = field(default_factory=list[ToolCall])
    switches: list[ModelSwitched] = field(default_factory=list[ModelSwitched])
    changes: list[RequestChanged] = field(default_factory=list[RequestChanged])
    items: list[AnswerItem] = field(default_factory=list[AnswerItem])
    end: AnswerEnd | None = None

    @property
    def last(self) -> AnswerEnd:
        """The end, which must have come."""
        assert self.end is not None, "the answer has no end"  # noqa: S101 - this is a test kit
        return self.end


async def collect(model: LanguageModel, request: ChatRequest) -> Answer:
    """Read a whole answer; complains about anything after the end.

    Raises:
        VendorError: what the adapter raised.
    """
    answer = Answer()
    async with aclosing(model.stream(request)) as stream:
        async for item in stream:
            _require(answer.end is None, "something followed the end")
            answer.items.append(item)
            match item:
                case str():
                    answer.text += item
                case ToolCall():
                    answer.calls.append(item)
                case ModelSwitched():
                    answer.switches.append(item)
                case RequestChanged():
                    answer.changes.append(item)
                case AnswerEnd():
                    answer.end = item
    return answer


async def failure(model: LanguageModel, request: ChatRequest) -> VendorError:
    """Return the error that an answer ends with; complains when it succeeds."""
    try:
        await collect(model, request)
    except VendorError as error:
        return error
    raise AssertionError("the answer succeeded")


@dataclass(frozen=True, slots=True)
class LlmBench:
    """One vendor's adapter and simulator, as the checks need them."""

    model: LanguageModel
    model_id: str
    say: Callable[[str], None]
    """Queue the simulated model's next text."""
    call_tool: Callable[[str, dict[str, object]], None]
    """Queue an answer that calls a tool."""
    fail: Callable[[str], None]
    """Switch on, once: `credential`, `quota`, `rate-limit`, `vendor-overloaded`, `model-unavailable`,
    `content-filtered`, `vendor-unavailable`, `empty`, `cut-in-tool-call`; `stall` lasts."""
    disconnected: Callable[[], bool]
    """Whether the simulator saw the client of the latest chat request go away before the end."""
    secret: str
    """The key; must appear in no error."""

    def request(self, text: str = "Hello?") -> ChatRequest:
        """Return a small request."""
        return ChatRequest(self.model_id, (SystemMessage("Be brief."), UserMessage(text)))


Check = Callable[[LlmBench], Awaitable[None]]

ERROR_CODES = (
    "credential", "quota", "rate-limit", "vendor-overloaded", "model-unavailable", "content-filtered",
    "vendor-unavailable",
)  # fmt: skip
"""What `check_error` is to be run with."""

WEATHER = ToolDefinition(
    "get_weather",
    "The weather of a city.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


async def check_stream_shape(bench: LlmBench) -> None:
    """Text is a plain concatenation of pieces; one end, last, with reason, usage and model."""
    bench.say("One, two, three.")
    answer = await collect(bench.model, bench.request())
    _require(answer.text == "One, two, three.", "the pieces do not make the text")
    _require(all(item for item in answer.items if isinstance(item, str)), "an empty piece was yielded")
    _require(answer.last.finish_reason == "stop", "wrong finish reason")
    _require(isinstance(answer.items[-1], AnswerEnd), "the end is not last")
    _require(bool(answer.last.model), "the end names no model")


async def check_usage_adds_up(bench: LlmBench) -> None:
    """Input, cached and output tokens are disjoint parts of the total."""
    bench.say("One, two, three.")
    usage = (await collect(bench.model, bench.request())).last.usage
    _require(usage.input + usage.cache_read > 0 and usage.output > 0, "usage is missing")
    _require(usage.total == usage.input + usage.output + usage.cache_read + usage.cache_write, "usage overlaps")


async def check_tool_round(bench: LlmBench) -> None:
    """A tool call has id, name and arguments; its result, echoed, is accepted."""
    bench.call_tool("get_weather", {"city": "Zürich"})
    request = bench.request("The weather in Zürich?")
    asked = ChatRequest(request.model, request.messages, (WEATHER,))
    answer = await collect(bench.model, asked)
    _require(answer.last.finish_reason == "tool" and len(answer.calls) == 1, "no tool call")
    call = answer.calls[0]
    _require((call.name, call.arguments) == ("get_weather", {"city": "Zürich"}), "wrong tool call")
    said = AssistantMessage(answer.text, (call,), answer.last.reasoning)
    history = (*request.messages, said, ToolMessage(call.id, '{"sky":"clear"}'))
    bench.say("It is clear.")
    second = await collect(bench.model, ChatRequest(request.model, history, (WEATHER,)))
    _require(second.text == "It is clear.", "the tool's result was not accepted")


async def check_close_disconnects(bench: LlmBench) -> None:
    """Closing after the first piece closes the connection within 100 ms."""
    bench.fail("stall")
    bench.say("One two three four five six.")
    stream = bench.model.stream(bench.request())
    async for _ in stream:
        break
    await stream.aclose()
    await _soon(bench.disconnected)


async def check_cancel_before_content(bench: LlmBench, waiting: Callable[[], Awaitable[None]]) -> None:
    """Cancelling while nothing has come closes the connection within 100 ms; `waiting` returns when it waits."""
    bench.fail("stall")
    task = asyncio.get_running_loop().create_task(collect(bench.model, bench.request()))
    await waiting()
    task.cancel()
    await asyncio.wait([task])
    _require(task.cancelled(), "the cancellation was swallowed")
    await _soon(bench.disconnected)


async def check_no_half_tool_call(bench: LlmBench) -> None:
    """A stream that breaks in a tool call is an error; the half call is never given away."""
    bench.fail("cut-in-tool-call")
    for _ in range(3):  # an adapter may try again as long as nothing was given away
        bench.call_tool("get_weather", {"city": "Zürich"})
    items: list[AnswerItem] = []
    try:
        async with aclosing(bench.model.stream(bench.request())) as stream:
            items.extend([item async for item in stream])
    except VendorError:
        pass
    else:
        raise AssertionError("the broken answer ended without an error")
    _require(not any(isinstance(item, ToolCall) for item in items), "half a tool call was given away")


async def check_error(bench: LlmBench, code: str) -> VendorError:
    """A failure raises the error of that code, with a remedy and without the key."""
    bench.fail(code)
    error = await failure(bench.model, bench.request())
    _require(error.code == code, f"{error.code} instead of {code}: {error}")
    _require(bool(error.remedy), "the error does not say what to do")
    _require(bench.secret not in f"{error}{error.remedy}{error!r}", "the error shows the key")
    return error


async def check_empty_stream(bench: LlmBench) -> None:
    """An answer without a single chunk is an error, not silence."""
    bench.fail("empty")
    error = await failure(bench.model, bench.request())
    _require(error.code == "vendor-unavailable", f"unexpected {error.code}")


def _require(condition: bool, complaint: str) -> None:
    if not condition:
        raise AssertionError(complaint)


async def _soon(condition: Callable[[], bool], limit_s: float = 0.1) -> None:
    """Wait, on the loop, until a condition holds; complain after the limit."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + limit_s
    while not condition():
        _require(loop.time() < end_s, f"not within {limit_s * 1000:.0f} ms")
        await asyncio.sleep(0.001)
