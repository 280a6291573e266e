"""Calls that are up, as jambonz clients see and change them."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

import pytest

from moonwire.errors import CallError
from moonwire.ports.live_calls import LiveCall
from moonwire.spec.commands import AgentUpdateCommand, CallStatusCommand, Command, MuteCommand

from .rest import Rest


class Calls:
    """Three calls of one account, one of another; keeps the commands."""

    def __init__(self, account_sid: str, other_sid: str) -> None:
        self.commands: list[tuple[str, Command]] = []
        self.refusal: CallError | None = None
        self.calls = [
            self._call(account_sid, "inbound", "in-progress"),
            self._call(account_sid, "inbound", "trying"),
            self._call(account_sid, "outbound", "in-progress"),
            self._call(other_sid, "inbound", "in-progress"),
        ]

    def _call(self, account_sid: str, direction: str, status: str) -> LiveCall:
        sid = str(uuid.uuid4())
        payload = {"call_sid": sid, "direction": direction, "from": "+1", "to": "2", "call_status": status}
        return LiveCall(sid, account_sid, payload)

    def all(self) -> list[LiveCall]:
        return self.calls

    def get(self, call_sid: str) -> LiveCall | None:
        return next((call for call in self.calls if call.call_sid == call_sid), None)

    def execute(self, call_sid: str, command: Command) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.commands.append((call_sid, command))


@pytest.fixture
def calls(rest: Rest) -> Calls:
    live = Calls(rest.alice.account_sid, rest.bob.account_sid)
    rest.app.state.services = dataclasses.replace(rest.app.state.services, live_calls=live)
    return live


async def test_calls_are_listed_filtered_and_counted(rest: Rest, calls: Calls) -> None:
    path = f"/Accounts/{rest.alice.account_sid}"
    assert len((await rest.alice.ask("GET", f"{path}/Calls"))[1]) == 3
    _, found = await rest.alice.ask("GET", f"{path}/Calls", direction="inbound", callStatus="trying")
    assert [call["call_sid"] for call in found] == [calls.calls[1].call_sid]
    assert (await rest.alice.ask("GET", f"{path}/Calls", **{"from": "+2"}))[1] == []
    assert await rest.alice.ask("GET", f"{path}/CallCount") == (200, {"inbound": 2, "outbound": 1})


async def test_one_call_is_shown_to_its_account_only(rest: Rest, calls: Calls) -> None:
    path, sid = f"/Accounts/{rest.alice.account_sid}/Calls", calls.calls[0].call_sid
    assert await rest.alice.ask("GET", f"{path}/{sid}") == (200, calls.calls[0].payload)
    assert (await rest.alice.ask("GET", f"{path}/{calls.calls[3].call_sid}"))[0] == 404
    assert (await rest.bob.ask("GET", f"{path}/{sid}"))[0] == 403
    assert (await rest.stranger.ask("GET", f"{path}/{sid}"))[0] == 401
    assert (await rest.alice.ask("GET", f"{path}/nonsense"))[0] == 400
    assert (await rest.alice.ask("GET", f"{path}/{uuid.uuid4()}"))[0] == 404


@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_a_call_is_updated(rest: Rest, calls: Calls, method: str) -> None:
    sid = calls.calls[0].call_sid
    path = f"/Accounts/{rest.alice.account_sid}/Calls/{sid}"
    update: dict[str, Any] = {"agent_update": {"type": "generate_reply", "user_input": "hi"}}
    assert (await rest.alice.ask(method, path, update))[0] == 202
    assert (await rest.alice.ask(method, path, {"mute_status": "mute"}))[0] == 202
    (_, first), (_, second) = calls.commands
    assert isinstance(first, AgentUpdateCommand)
    assert second == MuteCommand(True)


async def test_wrong_updates_are_named(rest: Rest, calls: Calls) -> None:
    path = f"/Accounts/{rest.alice.account_sid}/Calls/{calls.calls[0].call_sid}"
    status, answer = await rest.alice.ask("PUT", path, {})
    assert (status, answer["msg"]) == (400, "no valid options supplied to updateCall")
    status, answer = await rest.alice.ask("PUT", path, {"tag": {}, "call_status": "completed"})
    assert (status, answer["msg"]) == (400, "multiple options are not allowed in updateCall")
    assert (await rest.alice.ask("PUT", path, {"agent_update": {"type": "dance"}}))[0] == 422
    assert (await rest.alice.ask("PUT", path, {"whisper": {"verb": "say"}}))[0] == 422
    calls.refusal = CallError("No agent is running in this call.", reason="no-agent")
    status, answer = await rest.alice.ask("PUT", path, {"agent_update": {"type": "generate_reply"}})
    assert (status, answer) == (422, {"msg": "No agent is running in this call.", "code": "no-agent"})
    assert calls.commands == []


async def test_deleting_a_call_hangs_up(rest: Rest, calls: Calls) -> None:
    sid = calls.calls[0].call_sid
    assert await rest.alice.ask("DELETE", f"/Accounts/{rest.alice.account_sid}/Calls/{sid}") == (204, None)
    assert calls.commands == [(sid, CallStatusCommand("completed"))]
