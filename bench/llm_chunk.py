"""Measures the CPU per streamed chunk of the Moonshot adapter; the simulator runs in another process.

Run: `.venv/bin/python bench/llm_chunk.py [ANSWERS]`. Prints user+system CPU microseconds per content chunk.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import multiprocessing.connection
import resource
import sys
import time
from contextlib import aclosing

import uvloop
from pydantic import SecretStr

from moonwire.core.dialog.messages import SystemMessage, UserMessage
from moonwire.dialects.openai_chat import AnswerReader
from moonwire.dialects.sse import SseParser
from moonwire.observe.clock import SystemClock
from moonwire.ports.directory import VendorCredential
from moonwire.ports.llm import ChatRequest
from moonwire.sandbox.moonshot import SANDBOX_KEYS, MoonshotSimulator, Pacing, ScriptedAnswer
from moonwire.vendors.connections import VendorConnections
from moonwire.vendors.llm import open_llm

TOKENS = 400
TEXT = " ".join(["word"] * TOKENS)
EVENT = (
    b'data: {"id":"chatcmpl-0001","object":"chat.completion.chunk","created":1763800000,"model":"kimi-k2.6","choices":'
    b'[{"index":0,"delta":{"content":" word"},"finish_reason":null}],"system_fingerprint":"fpv0_51bd0a4e"}\n\n'
)


class Monologue:
    """Always says the same long text."""

    def answer(self, messages: object, tools: object) -> ScriptedAnswer:
        return ScriptedAnswer(TEXT)


def serve(pipe: multiprocessing.connection.Connection, gap_s: float) -> None:
    """Run the simulator until the parent goes away."""

    async def run() -> None:
        simulator = MoonshotSimulator(pacing=Pacing(first_token_s=0.0, gap_s=gap_s), script=Monologue())
        pipe.send(await simulator.start())
        await asyncio.Event().wait()

    uvloop.run(run())


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def measure(base_url: str, answers: int) -> tuple[int, float]:
    """Read answers, ten side by side, and return pieces and CPU seconds."""
    connections = VendorConnections(SystemClock())
    secret = {"api_key": SecretStr(SANDBOX_KEYS["global"][0])}
    model = open_llm(VendorCredential("moonshot", secrets=secret, fields={"base_url": base_url}), connections)
    request = ChatRequest("kimi-k2.6", (SystemMessage("Speak."), UserMessage("Go on.")), max_tokens=TOKENS * 2)

    async def one() -> int:
        count = 0
        async with aclosing(model.stream(request)) as stream:
            async for item in stream:
                count += isinstance(item, str)
        return count

    await one()
    begin, pieces = cpu_s(), 0
    for _ in range(max(answers // 10, 1)):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one()) for _ in range(10)]
        pieces += sum(task.result() for task in tasks)
    used = cpu_s() - begin
    await connections.close()
    return pieces, used


def parse_only(count: int = 100_000) -> float:
    """Return microseconds per chunk of parsing alone."""
    parser, reader = SseParser(), AnswerReader()
    begin = time.perf_counter()
    for _ in range(count):
        for event in parser.feed(EVENT):
            reader.read(event)
    return (time.perf_counter() - begin) / count * 1e6


def main() -> None:
    answers = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    print(f"parsing alone: {parse_only():.1f} us per chunk")
    for gap_s in (0.001, 0.0):
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, gap_s), daemon=True)
        process.start()
        pieces, used = uvloop.run(measure(ours.recv(), answers))
        process.terminate()
        process.join()
        print(f"gap {gap_s * 1000:g} ms: {pieces} chunks, {used / pieces * 1e6:.1f} us CPU per chunk")


if __name__ == "__main__":
    main()
