"""REST's view of running calls, and what its updates do to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.call.application import Application, serving
from tests.call.stage import Stage, staged
from tests.call.tools.test_tools import agent, told

from moonwire.call.live_calls import EngineCalls
from moonwire.errors import CallError
from moonwire.sandbox.caller import Pause, Say, WaitForSilence
from moonwire.sandbox.virtual_time import virtual_time
from moonwire.spec.call_update import parse_call_update

ASK = "Hello, what are your opening hours?"


def at_first_turn(stage: Stage, application: Application, *bodies: dict[str, Any]) -> list[dict[str, Any]]:
    """Update the call by REST when the greeting has been heard; returns what REST showed then."""
    live, seen = EngineCalls(stage.engine), list[dict[str, Any]]()
    waiting = [bodies]

    async def on_event(event: dict[str, Any]) -> None:
        if event["type"] == "turn_end" and waiting:
            (call,) = live.all()
            seen.append(dict(call.payload))
            assert live.get(call.call_sid) == call
            for body in waiting.pop():
                live.execute(call.call_sid, parse_call_update(body)[0][0])

    application.on_event = on_event
    return seen


@virtual_time
async def test_a_call_is_shown_and_hung_up(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage, serving(agent()) as application:
        stage.run_application(None, application.url)
        seen = at_first_turn(stage, application, {"call_status": "completed"})
        _, leg = await stage.call(WaitForSilence(), Pause(30))
        assert seen[0].items() >= {"direction": "inbound", "to": "1000", "call_status": "in-progress"}.items()
        assert leg.bye_headers is not None
        assert EngineCalls(stage.engine).all() == []


@pytest.mark.agent_row("update over REST")
@virtual_time
async def test_an_agent_is_changed(tmp_path: Path) -> None:
    update = {"agent_update": {"type": "update_instructions", "instructions": "You are a pirate."}}
    async with staged(tmp_path) as stage, serving(agent()) as application:
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing([ASK])
        at_first_turn(stage, application, update, {"tag": {"vip": True}})
        await stage.call(WaitForSilence(), Say(ASK), WaitForSilence())
        assert stage.moonshot.chats[-1].messages[0]["content"] == "You are a pirate."
        assert told(stage)
        assert application.of("call:status")[-1]["customerData"] == {"vip": True}


@pytest.mark.agent_row("update over REST")
@virtual_time
async def test_a_call_that_is_over_or_has_no_agent_refuses(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        live = EngineCalls(stage.engine)
        (update,), _ = parse_call_update({"agent_update": {"type": "generate_reply"}})
        with pytest.raises(CallError) as refused:
            live.execute("gone", update)
        assert refused.value.reason == "call-gone"
