"""An hour in which somebody calls every minute, in virtual time: tasks, sockets, timers and objects return to the base.

The callers differ: most converse, some hang up in the middle of something, some meet a vendor that fails.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from moonwire.sandbox.caller import HangUp, Interrupt, Pause, Say, Step, WaitForSilence, WaitForSpeech
from moonwire.sandbox.moonshot import Fault
from moonwire.sandbox.virtual_time import virtual_time

from .stage import Stage, staged

HOURS = "Hello, what are your opening hours?"
STORY = "Please tell me a story about the moon."
STOP = "Wait, stop please."

Failure = Callable[[Stage], None]


@dataclass(frozen=True)
class Visit:
    """One kind of caller."""

    steps: Sequence[Step]
    failure: Failure | None = None
    at_s: float = 0.0
    """When the failure comes, from the call's begin."""


def drop_stt(stage: Stage) -> None:
    stage.deepgram.drop_connections()


def drop_tts(stage: Stage) -> None:
    stage.cartesia.drop_all()


def stall_llm(stage: Stage) -> None:
    stage.moonshot.faults.add(Fault("stall_before_content", times=1))


def break_llm(stage: Stage) -> None:
    stage.moonshot.faults.add(Fault("reset_mid_stream", times=1))


GREETED = WaitForSilence()
VISITS = (
    Visit((GREETED, Say(HOURS), WaitForSilence(), HangUp())),
    Visit((GREETED, Say(STORY), Interrupt(STOP, after_s=2.0), WaitForSilence(), HangUp())),
    Visit((Pause(0.2), HangUp())),
    Visit((WaitForSpeech(), Pause(1.0), HangUp())),
    Visit((GREETED, Say(HOURS), HangUp())),
    Visit((GREETED, Say(STORY), WaitForSpeech(), Pause(1.0), HangUp()), drop_stt, at_s=5.0),
    Visit((GREETED, Say(STORY), WaitForSpeech(), Pause(2.0), HangUp()), drop_tts, at_s=8.5),
    Visit((GREETED, Say(HOURS), WaitForSpeech(limit_s=8), Pause(2.0), HangUp()), stall_llm, at_s=3.0),
    Visit((GREETED, Say(STORY), WaitForSpeech(limit_s=8), Pause(2.0), HangUp()), break_llm, at_s=3.0),
    Visit((GREETED, Interrupt(STOP, after_s=1.0), HangUp())),
)
MINUTES = 60


@dataclass(frozen=True)
class Census:
    """What there is in the process between two calls."""

    tasks: int
    timers: int
    descriptors: int
    threads: int
    ours: Counter[str]
    """Live objects of our classes."""
    objects: int


def census() -> Census:
    gc.collect()
    loop = asyncio.get_running_loop()
    timers: list[asyncio.TimerHandle] = loop._scheduled  # type: ignore[attr-defined]
    objects = gc.get_objects()
    ours = Counter(kind.__qualname__ for kind in map(type, objects) if str(kind.__module__).startswith("moonwire."))
    return Census(
        len(asyncio.all_tasks()),
        sum(not timer.cancelled() for timer in timers),
        len(os.listdir("/proc/self/fd")),
        len(sys._current_frames()),
        ours,
        len(objects),
    )


def forget(stage: Stage) -> None:
    """Drop what the simulators and the stage keep for tests to look at."""
    stage.books.logs.clear()
    stage.books.alerts.clear()
    stage.books.records.clear()
    stage.moonshot.requests.clear()
    stage.moonshot.faults.clear()
    stage.deepgram.connections.clear()
    stage.cartesia.records.received.clear()
    stage.cartesia.records.handshakes.clear()


async def visit(stage: Stage, kind: Visit) -> None:
    """Let one caller call; the failure comes in the midst of it."""
    loop = asyncio.get_running_loop()
    failure = kind.failure
    timer = None if failure is None else loop.call_later(kind.at_s, failure, stage)
    await stage.call(*kind.steps)
    if timer is not None:
        timer.cancel()


async def round_of(stage: Stage, rest: Callable[[float], Awaitable[None]], *, began_s: float, first: int) -> None:
    """Have each kind of caller once, one a minute."""
    loop = asyncio.get_running_loop()
    for number, kind in enumerate(VISITS):
        stage.deepgram.set_hearing([STOP] if kind is VISITS[-1] else [kind_text(kind), STOP])
        await visit(stage, kind)
        await rest(max(0.0, began_s + 60.0 * (first + number + 1) - loop.time()))
    forget(stage)


def kind_text(kind: Visit) -> str:
    return next((step.text for step in kind.steps if isinstance(step, Say)), HOURS)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open descriptors in /proc")
@virtual_time
async def test_an_hour_of_calls_leaves_nothing_behind(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        began_s = asyncio.get_running_loop().time()
        counts: list[Census] = []
        for first in range(0, MINUTES, len(VISITS)):
            await round_of(stage, asyncio.sleep, began_s=began_s, first=first)
            counts.append(census())
        assert asyncio.get_running_loop().time() - began_s >= 3600
        base, last = counts[1], counts[-1]
        assert stage.engine.active_calls == 0
        assert last.tasks <= base.tasks
        assert last.timers <= base.timers
        assert last.descriptors <= base.descriptors
        assert last.threads <= base.threads
        assert last.ours - base.ours == Counter()
        assert last.objects - base.objects < 30, "memory grows"
