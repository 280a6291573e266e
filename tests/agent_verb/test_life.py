"""Changes while the agent talks, and how it ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.agent_verb.talk import Talk, held
from tests.call.application import Application

from moonwire.sandbox.caller import HangUp, Pause, WaitForSilence
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
