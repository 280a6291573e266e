"""Changes while the agent talks, and how it ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.agent_verb.talk import HOURS, Talk, held
from tests.call.application import Application

from moonwire.sandbox.caller import HangUp, Pause, Say, WaitForSilence
from moonwire.sandbox.moonshot.script import ScriptedAnswer, ScriptedCall
from moonwire.sandbox.virtual_time import virtual_time


@pytest.mark.parametrize("kind", ["sing", None, 7])
def test_update_of_unknown_type(kind: object, tmp_path: Path) -> None:
    async def update(application: Application, event: dict[str, Any]) -> None:
        if event["type"] == "turn_end" and not event["transcript"]:
            await application.command("agent:update", {"type": kind, "instructions": "x"})

    @virtual_time
    async def scene() -> None:
        talk = await held(tmp_path, on_event=update)
        assert len(talk.errors) == 1
        assert "type" in talk.errors[0]["msg"] + str(talk.errors[0].get("details"))
        assert "eleven" in talk.heard[-1]

    scene()


async def redirected(tmp_path: Path, data: Any) -> Talk:
    """Hold a call whose application replaces the agent once it has greeted."""

    async def replace(application: Application, event: dict[str, Any]) -> None:
        if event["type"] == "turn_end":
            await application.command("redirect", data, queueCommand=False)

    return await held(tmp_path, steps=[WaitForSilence(), Pause(20)], on_event=replace)


@virtual_time
async def test_redirect(tmp_path: Path) -> None:
    talk = await redirected(
        tmp_path, [{"verb": "say", "text": "Other verbs.", "synthesizer": {"vendor": "cartesia"}}, {"verb": "hangup"}]
    )
    assert talk.hooked("/complete") == [], "as with every verb that is replaced"
    assert "Other verbs." in " ".join(talk.stage.cartesia.records.transcripts)
    assert talk.stage.books.records[-1].termination_by == "moonwire"


@virtual_time
async def test_action_hook(tmp_path: Path) -> None:
    talk = await held(tmp_path, {"actionHook": "/my-end"}, steps=[WaitForSilence(), HangUp()])
    (done,) = talk.hooked("/my-end")
    assert done["completion_reason"] == "normal conversation end"
    assert done.keys() >= {"call_sid", "direction", "from", "to", "call_status"}


@virtual_time
async def test_reconnect(tmp_path: Path) -> None:
    tool = {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}

    async def sunny(arguments: dict[str, Any]) -> str:
        return "sunny"

    async def vanish(application: Application, event: dict[str, Any]) -> None:
        if event["type"] == "turn_end" and len(application.of("agent:event")) == 2:
            application.vanish()

    talk = await held(
        tmp_path,
        {"llm": {"llmOptions": {"tools": [tool]}}},
        steps=[WaitForSilence(), Pause(3), Say(HOURS), WaitForSilence(), HangUp()],
        says=[ScriptedAnswer("", (ScriptedCall("get_weather"),)), "It is sunny."],
        tools={"get_weather": sunny},
        on_event=vanish,
    )
    (first,), (again,) = talk.application.of("session:new"), talk.application.of("session:reconnect")
    assert again == first
    assert len(talk.stage.named("call", name="agent_started")) == 1, "the agent in the answer is not started"
    assert talk.causes == ["greeting", "user"]
    assert talk.heard[-1] == "It is sunny.", "tools work over the new connection"
    assert talk.application.order[-1] == "turn_end"
    assert len(talk.hooked("/complete")) == 1
