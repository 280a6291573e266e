"""Calls that are up, as jambonz clients see and change them."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

import pytest

from moonwire.errors import CallError
from moonwire.ports.live_calls import LiveCall, NewCall, PlacedCall
from moonwire.spec.commands import AgentUpdateCommand, CallStatusCommand, Command, MuteCommand
from moonwire.spec.hooks import Hook

from .rest import Rest

pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)  # nothing here is stored


class Calls:
    """Three calls of one account, one of another; keeps the commands."""

    def __init__(self, account_sid: str, other_sid: str) -> None:
        self.commands: list[tuple[str, Command]] = []
        self.refusal: CallError | None = None
        self.placed: list[NewCall] = []
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

    async def place(self, call: NewCall) -> PlacedCall:
        if self.refusal is not None:
            raise self.refusal
        self.placed.append(call)
        return PlacedCall(str(uuid.uuid4()), "call-id")

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
    times = {"attempted_at": None, "answered_at": None, "duration": 0}
    assert await rest.alice.ask("GET", f"{path}/{sid}") == (200, {**calls.calls[0].payload, **times})
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
    assert (await rest.alice.ask("PUT", path, {"dub": {"action": "addTrack"}}))[0] == 422
    calls.refusal = CallError("No agent is running in this call.", reason="no-agent")
    status, answer = await rest.alice.ask("PUT", path, {"agent_update": {"type": "generate_reply"}})
    assert (status, answer) == (422, {"msg": "No agent is running in this call.", "code": "no-agent"})
    assert calls.commands == []


async def test_deleting_a_call_hangs_up(rest: Rest, calls: Calls) -> None:
    sid = calls.calls[0].call_sid
    assert await rest.alice.ask("DELETE", f"/Accounts/{rest.alice.account_sid}/Calls/{sid}") == (204, None)
    assert calls.commands == [(sid, CallStatusCommand("completed"))]


HOOKED = {
    "call_hook": "https://app.example/call",
    "speech_synthesis_vendor": "cartesia",
    "speech_synthesis_language": "en-US",
    "speech_synthesis_voice": "sonic",
    "speech_recognizer_vendor": "deepgram",
    "speech_recognizer_language": "en-US",
}
PHONE = {"type": "phone", "number": "+15085551212"}


async def test_a_call_is_made_with_an_application(rest: Rest, calls: Calls) -> None:
    path, application = f"/Accounts/{rest.alice.account_sid}/Calls", str(uuid.uuid4())
    body: dict[str, Any] = {"from": "+1617", "to": PHONE, "application_sid": application, "tag": {"a": 1}}
    status, made = await rest.alice.ask("POST", path, body | {"timeout": 20, "timeLimit": 600, "callerName": "Ann"})
    assert (status, made["callId"]) == (201, "call-id")
    (placed,) = calls.placed
    assert (placed.application_sid, placed.from_, placed.target.number) == (application, "+1617", "+15085551212")
    assert (placed.timeout_s, placed.time_limit_s, placed.caller_name) == (20, 600, "Ann")
    assert placed.customer_data == {"a": 1}
    assert placed.changes == {}


async def test_a_call_is_made_with_a_hook_and_speech_of_its_own(rest: Rest, calls: Calls) -> None:
    path = f"/Accounts/{rest.alice.account_sid}/Calls"
    sip = {"type": "sip", "sipUri": "sip:bob@sip.example", "auth": {"username": "u", "password": "p"}}
    status, made = await rest.alice.ask("POST", path, {"from": "a", "to": sip, "env_vars": {"X": "1"}} | HOOKED)
    assert status == 201, made
    (placed,) = calls.placed
    assert placed.changes["call_hook"] == Hook("https://app.example/call")
    assert placed.changes["synthesizer"].voice == "sonic"
    assert placed.changes["recognizer"].vendor == "deepgram"
    assert placed.changes["env_vars"] == {"X": "1"}
    assert placed.timeout_s == 60
    assert placed.target.auth is not None
    assert placed.target.auth.username == "u"


@pytest.mark.parametrize(
    ("body", "msg"),
    [
        ({"to": PHONE, **HOOKED}, "from is required"),
        ({"from": "1", **HOOKED}, "to is required"),
        ({"from": "1", "to": "+1", **HOOKED}, "to: "),
        ({"from": "1", "to": {"type": "pigeon"}, **HOOKED}, "to.type: "),
        ({"from": "1", "to": PHONE}, "either call_hook or application_sid is required"),
        ({"from": "1", "to": PHONE, "call_hook": "/relative"}, "call_hook"),
        ({"from": "1", "to": PHONE, "call_hook": "https://app.example"}, "speech_synthesis_vendor is required"),
        ({"from": "1", "to": PHONE, **HOOKED, "call_hook": "http://10.0.0.1/"}, "call_hook: 10.0.0.1 is private"),
        ({"from": "1", "to": PHONE, "application_sid": "x"}, "application_sid"),
        ({"from": "1", "to": PHONE, **HOOKED, "timeout": -1}, "timeout"),
        ({"from": "1", "to": PHONE, **HOOKED, "fromHost": "a b"}, "fromHost"),
        ({"from": "1", "to": PHONE, "app_json": '[{"verb": "dance"}]'}, "app_json[0]: unknown verb 'dance'"),
    ],
)
async def test_what_is_wrong_with_a_new_call_is_named(rest: Rest, calls: Calls, body: Any, msg: str) -> None:
    status, answer = await rest.alice.ask("POST", f"/Accounts/{rest.alice.account_sid}/Calls", body)
    assert status == 400
    assert answer["msg"].startswith(msg), answer
    assert calls.placed == []


async def test_a_call_that_cannot_be_made(rest: Rest, calls: Calls) -> None:
    path, body = f"/Accounts/{rest.alice.account_sid}/Calls", {"from": "1", "to": PHONE, **HOOKED}
    assert (await rest.bob.ask("POST", path, body))[0] == 403
    calls.refusal = CallError("This process takes no calls now.", reason="busy")
    assert await rest.alice.ask("POST", path, body) == (
        480,
        {"msg": "This process takes no calls now.", "code": "busy"},
    )
    calls.refusal = CallError("403 private address", reason="private-address")
    status, answer = await rest.alice.ask("POST", path, body)
    assert (status, answer["code"]) == (400, "private-address")
