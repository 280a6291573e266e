"""The verb stack: order, replacement, queueing, the end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from moonwire.call.script import Script
from moonwire.spec.verbs import Pause, Tag, Verb


def tag(name: str) -> Tag:
    return Tag(data={"name": name})


class Stage:
    """Runs tags at once; pauses last until released or killed."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.pausing = asyncio.Event()
        self.release = asyncio.Event()
        self.follow: Sequence[Verb] | None = None

    async def run(self, verb: Verb) -> Sequence[Verb] | None:
        if isinstance(verb, Pause):
            self.pausing.set()
            await self.release.wait()
            self.ran.append("pause")
            return self.follow
        assert isinstance(verb, Tag)
        self.ran.append(verb.data["name"])
        return None


async def test_verbs_run_in_order() -> None:
    stage = Stage()
    script = Script(stage.run)
    script.append([tag("a"), tag("b")])
    await script.run_dry()
    assert stage.ran == ["a", "b"]
    assert script.is_idle


async def test_verbs_that_a_hook_returns_replace_the_rest() -> None:
    stage = Stage()
    stage.follow, script = [tag("x")], Script(stage.run)
    stage.release.set()
    script.append([Pause(length=1), tag("never")])
    await script.run_dry()
    assert stage.ran == ["pause", "x"]


async def test_replacing_stops_the_running_verb() -> None:
    stage = Stage()
    script = Script(stage.run)
    script.append([Pause(length=1), tag("never")])
    async with asyncio.TaskGroup() as group:
        group.create_task(script.run_dry())
        await stage.pausing.wait()
        script.replace([tag("now")])
    assert stage.ran == ["now"]


async def test_queueing_waits_for_the_running_verb() -> None:
    stage = Stage()
    script = Script(stage.run)
    script.append([Pause(length=1)])
    async with asyncio.TaskGroup() as group:
        group.create_task(script.run_dry())
        await stage.pausing.wait()
        script.append([tag("later")])
        stage.release.set()
    assert stage.ran == ["pause", "later"]


async def test_an_idle_script_wakes_up() -> None:
    stage = Stage()
    script = Script(stage.run)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(script.wait_for_verbs())
        await asyncio.sleep(0)
        script.append([tag("a")])
    assert waiting.result() is True


async def test_finish_lets_the_running_verb_settle_and_drops_the_rest() -> None:
    stage = Stage()
    stage.follow, script = [tag("never")], Script(stage.run)
    script.append([Pause(length=1), tag("never")])
    async with asyncio.TaskGroup() as group:
        group.create_task(script.run_dry())
        await stage.pausing.wait()
        script.finish()
        stage.release.set()
    assert stage.ran == ["pause"]
    assert await script.wait_for_verbs() is False
