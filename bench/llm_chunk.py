"""Measures what one streamed chunk of a language model costs: CPU of the adapter, and with cutting it into clauses.

Run: `.venv/bin/python -m bench.llm_chunk [SECONDS]`. The simulated Moonshot sends 10 ms apart to 10 answers at a time,
from a process of its own, so that every chunk arrives alone, as from a real model.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import sys
import time
from collections.abc import Sequence
from contextlib import aclosing
from multiprocessing.connection import Connection
from typing import Any

import uvloop
from pydantic import SecretStr

from bench.world import KEY, Answer, apart
from moonwire.core.dialog.clauses import ClauseCutter
from moonwire.core.dialog.messages import Message, UserMessage
from moonwire.core.dialog.spoken import SpokenText
from moonwire.dialects.openai_chat import AnswerReader
from moonwire.dialects.sse import SseParser
from moonwire.observe.clock import SystemClock
from moonwire.ports.directory import VendorCredential
from moonwire.ports.llm import ChatRequest, LanguageModel
from moonwire.sandbox.moonshot import MoonshotSimulator, Pacing
from moonwire.vendors.connections import VendorConnections
from moonwire.vendors.llm import open_llm

STREAMS = 10
WORDS = "We are at twelve Harbour Street, right beside the old clock and opposite the station. " * 40


EVENT = (
    b'data: {"id":"chatcmpl-0001","object":"chat.completion.chunk","created":1763800000,"model":"kimi-k2.6","choices":'
    b'[{"index":0,"delta":{"content":" word"},"finish_reason":null}],"system_fingerprint":"fpv0_51bd0a4e"}\n\n'
)


def parse_us(count: int = 50_000) -> float:
    """Return what parsing alone costs."""
    parser, reader = SseParser(), AnswerReader()
    begin_s = time.process_time()
    for _ in range(count):
        for event in parser.feed(EVENT):
            reader.read(event)
    return round((time.process_time() - begin_s) / count * 1e6, 1)


def serve(pipe: Connection) -> None:
    """Run the simulator."""
    apart()

    async def work() -> None:
        pacing = Pacing(first_token_s=0.0, gap_s=0.01, thinking_s=0.0)
        simulator = MoonshotSimulator(keys={"global": [KEY]}, script=Answer(WORDS), pacing=pacing)
        pipe.send(await simulator.start())
        await asyncio.Event().wait()

    uvloop.run(work())


async def read(model: LanguageModel, messages: Sequence[Message], until_s: float, *, speak: bool) -> int:
    """Read answers until the time is over; return how many pieces came."""
    chunks = 0
    request = ChatRequest(model="kimi-k2.6", messages=messages, max_tokens=4000)
    while time.monotonic() < until_s:
        spoken, cutter = SpokenText(), ClauseCutter()
        async with aclosing(model.stream(request)) as answer:
            async for item in answer:
                if isinstance(item, str):
                    chunks += 1
                    if speak:
                        cutter.push(spoken.push(item))
                if time.monotonic() > until_s:
                    break
    return chunks


async def measure(url: str, seconds: float) -> dict[str, float]:
    """Read several answers at once, twice."""
    connections = VendorConnections(SystemClock())
    credential = VendorCredential("moonshot", sid="1", secrets={"api_key": SecretStr(KEY)}, fields={"base_url": url})
    model = open_llm(credential, connections)
    messages = [UserMessage("Where are you?")]
    result = {"parse_us": parse_us()}
    await read(model, messages, time.monotonic() + 0.3, speak=False)
    for name, speak in (("adapter_us", False), ("with_clauses_us", True)):
        begin_s = time.process_time()
        until_s = time.monotonic() + seconds
        counts = await asyncio.gather(*(read(model, messages, until_s, speak=speak) for _ in range(STREAMS)))
        result[name] = round((time.process_time() - begin_s) / sum(counts) * 1e6, 1)
        result["chunks"] = sum(counts)
    await connections.close()
    return result


def main(arguments: list[str]) -> dict[str, Any]:
    """Run both processes."""
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=serve, args=(there,), daemon=True)
    process.start()
    try:
        return uvloop.run(measure(here.recv(), float(arguments[0]) if arguments else 3.0))
    finally:
        process.terminate()
        process.join()


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))
