"""The application protocol over real sockets, against a scripted application."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from moonwire.apps.connector import AppConnector
from moonwire.errors import HookError, SpecError
from moonwire.spec.commands import (
    AgentUpdateCommand,
    CallStatusCommand,
    Command,
    MuteCommand,
    OtherLegCommand,
    RedirectCommand,
    UnknownCommand,
    UpdateInstructions,
)
from moonwire.spec.hooks import Hook
from moonwire.spec.verbs import Agent, Hangup, Pause, Say

from .conftest import (
    SAY,
    SESSION_NEW,
    Heard,
    HeardAlerts,
    Peer,
    ScriptedApplication,
    record,
    until_closed,
    verbs_of,
)


async def test_session_new_is_the_first_message_and_its_ack_holds_the_verbs(
    application: ScriptedApplication, connector: AppConnector
) -> None:
    seen: dict[str, Any] = {}

    async def script(peer: Peer) -> None:
        seen["headers"] = dict(peer.request.headers)
        seen["first"] = await peer.next()
        await peer.ack(seen["first"], SAY, {"pause": {"length": 1}})
        seen["code"] = await peer.end()

    application.scripts = [script]
    hook = Hook(application.ws_url + "?x=1#rc=0", username="u", password="p")
    session = connector.open(record(hook), "c1", Heard())
    verbs = await session.begin({**SESSION_NEW, "sip": {"calledNumber": "x"}, "customerData": {"aB": 1}, "callId": "i"})
    assert [type(verb) for verb in verbs] == [Say, Pause]
    assert session.keeps_call_up
    await session.close()
    assert not session.keeps_call_up
    headers, first = seen["headers"], seen["first"]
    assert headers["Sec-WebSocket-Protocol"] == "ws.jambonz.org"
    assert headers["Authorization"] == "Basic dTpw"
    assert headers["User-Agent"] == "jambonz"
    assert "Sec-WebSocket-Extensions" not in headers
    assert application.requests[0].path_qs == "/?x=1"
    assert first["type"] == "session:new"
    assert first["call_sid"] == "c1"
    assert "hook" not in first
    assert first["data"]["env_vars"] == {"aB": 1}
    assert first["data"]["sip"] == {"calledNumber": "x"}
    assert first["data"]["customerData"] == {"aB": 1}
    assert first["data"]["call_id"] == "i"
    assert seen["code"] == 1000


async def test_messages_keep_hooks_as_they_were_written(
    application: ScriptedApplication, connector: AppConnector
) -> None:
    received: list[dict[str, Any]] = []

    async def script(peer: Peer) -> None:
        await peer.ack(await peer.next(), SAY)
        received.extend([await peer.next() for _ in range(4)])
        await peer.ack(received[-1], {"verb": "hangup"})
        await peer.end()

    application.scripts = [script]
    session = connector.open(record(application.ws_url), "c1", Heard())
    await session.begin(SESSION_NEW)
    session.call_status({"call_status": "in-progress"})
    session.agent_event(Hook("agent//event?x=1"), {"type": "user_interruption"})
    session.verb_status({"event": "starting", "name": "say"})
    verbs = await session.call_hook(Hook("/done"), {"reason": "x"})
    await session.close()
    assert verbs is not None
    assert isinstance(verbs[0], Hangup)
    assert [message["type"] for message in received] == ["call:status", "agent:event", "verb:status", "verb:hook"]
    assert received[1]["hook"] == "agent//event?x=1"
    assert "hook" not in received[0]
    assert received[3]["hook"] == "/done"
    assert len({message["msgid"] for message in received}) == 4


async def test_hooks_are_asked_one_at_a_time(application: ScriptedApplication, connector: AppConnector) -> None:
    async def script(peer: Peer) -> None:
        await peer.ack(await peer.next(), SAY)
        for name in ("/a", "/b"):
            message = await peer.next()
            assert message["hook"] == name
            with pytest.raises(TimeoutError):  # nothing else until this one is answered
                await asyncio.wait_for(peer.socket.receive(), 0.02)
            await peer.ack(message, {"verb": "say", "text": name})
        await until_closed(peer)

    application.scripts = [script]
    session = connector.open(record(application.ws_url), "c1", Heard())
    await session.begin(SESSION_NEW)
    answers = await asyncio.gather(session.call_hook(Hook("/a"), {}), session.call_hook(Hook("/b"), {}))
    await session.close()
    texts = [answer[0].text for answer in answers if answer and isinstance(answer[0], Say)]
    assert texts == ["/a", "/b"]


@pytest.mark.parametrize("data", [[], None, {}])
async def test_an_empty_answer_changes_nothing(
    application: ScriptedApplication, connector: AppConnector, data: object
) -> None:
    async def script(peer: Peer) -> None:
        await peer.ack(await peer.next(), SAY)
        await peer.say(type="ack", msgid=(await peer.next())["msgid"], data=data)
        await until_closed(peer)

    application.scripts = [script]
    session = connector.open(record(application.ws_url), "c1", Heard())
    await session.begin(SESSION_NEW)
    assert await session.call_hook(Hook("/a"), {}) is None
    await session.close()


async def test_a_hook_without_answer_times_out_quietly(
    application: ScriptedApplication, connector: AppConnector, alerts: HeardAlerts
) -> None:
    async def script(peer: Peer) -> None:
        await peer.ack(await peer.next(), SAY)
        await until_closed(peer)

    application.scripts = [script]
    session = connector.open(record(application.ws_url), "c1", Heard())
    await session.begin(SESSION_NEW)
    assert await session.call_hook(Hook("/a"), {}) is None
    await session.close()
    assert not alerts.alerts


async def test_commands_arrive_and_never_overtake_the_answer_before_them(
    application: ScriptedApplication, connector: AppConnector
) -> None:
    heard = Heard()

    async def script(peer: Peer) -> None:
        await peer.ack(await peer.next(), SAY)
        await peer.say(type="command", command="redirect", data=[{"verb": "hangup"}])
        await peer.say(type="command", command="redirect", queueCommand=True, data=[SAY])
        await peer.say(type="command", command="call:status", data={"call_status": "completed"})
        await peer.say(type="agent:update", data={"type": "update_instructions", "instructions": "be kind"})
        await peer.say(type="command", command="dub", data={"x": 1})
        await until_closed(peer)

    application.scripts = [script]
    session = connector.open(record(application.ws_url), "c1", heard)
    assert len(await session.begin(SESSION_NEW)) == 1
    assert heard.commands.empty()
    first, second = await heard.command(), await heard.command()
    assert isinstance(first, RedirectCommand)
    assert not first.queue
    assert verbs_of(first) == ["hangup"]
    assert isinstance(second, RedirectCommand)
    assert second.queue
    assert await heard.command() == CallStatusCommand("completed")
    assert await heard.command() == AgentUpdateCommand(UpdateInstructions(instructions="be kind"))
    assert await heard.command() == UnknownCommand("dub", {"x": 1})
    await session.close()


async def test_a_queued_reply_completes_the_hook_and_appends(
    application: ScriptedApplication, connector: AppConnector
) -> None:
    heard = Heard()

    async def script(peer: Peer) -> None:
        await peer.ack(await peer.next(), SAY)
        hook = await peer.next()
        await peer.say(type="command", command="redirect", queueCommand=True, msgid=hook["msgid"], data=[SAY])
        await until_closed(peer)

    application.scripts = [script]
    session = connector.open(record(application.ws_url), "c1", heard)
    await session.begin(SESSION_NEW)
    async with asyncio.timeout(0.8):  # less than the time for an answer
        assert await session.call_hook(Hook("/a"), {}) is None
    command = await heard.command()
    assert isinstance(command, RedirectCommand)
    assert command.queue
    await session.close()


async def test_a_queued_reply_may_open_the_session(application: ScriptedApplication, connector: AppConnector) -> None:
    async def script(peer: Peer) -> None:
        first = await peer.next()
        await peer.say(type="command", command="redirect", queueCommand=True, msgid=first["msgid"], data=[SAY])
        await until_closed(peer)

    application.scripts = [script]
    session = connector.open(record(application.ws_url), "c1", Heard())
    assert len(await session.begin(SESSION_NEW)) == 1
    await session.close()


async def test_a_second_ack_of_the_session_is_a_redirect_and_other_acks_are_dropped(
    application: ScriptedApplication, connector: AppConnector
) -> None:
    heard = Heard()

    async def script(peer: Peer) -> None:
        first = await peer.next()
        await peer.ack(first, SAY)
        hook = await peer.next()
        await peer.ack(hook)
        await peer.ack(hook, {"verb": "say", "text": "second answer"})
        await peer.ack({"msgid": "never-heard-of"}, {"verb": "say", "text": "stranger"})
        await peer.ack(first)
        await peer.ack(first, {"verb": "pause", "length": 2})
        await until_closed(peer)

    application.scripts = [script]
    session = connector.open(record(application.ws_url), "c1", heard)
    await session.begin(SESSION_NEW)
    assert await session.call_hook(Hook("/a"), {}) is None
    assert verbs_of(await heard.command()) == ["pause"]
    assert heard.commands.empty()
    await session.close()


@pytest.mark.parametrize(
    ("text", "details"),
    [
        ("{not json", "not JSON"),
        ("[1]", "type must be"),
        ('{"type":"nonsense"}', "type must be"),
        ('{"type":"ack","data":[]}', "msgid"),
        ('{"type":"command","data":[]}', "name"),
        ("[" * 5000, "not JSON"),
    ],
)
async def test_an_invalid_message_is_answered_and_the_call_goes_on(
    application: ScriptedApplication, connector: AppConnector, alerts: HeardAlerts, text: str, details: str
) -> None:
    heard = Heard()
    complaint: dict[str, Any] = {}

    async def script(peer: Peer) -> None:
        await peer.ack(await peer.next(), SAY)
        await peer.socket.send_str(text)
        complaint.update(await peer.next())
        await peer.say(type="command", command="redirect", data=[SAY])
        await until_closed(peer)

    application.scripts = [script]
    session = connector.open(record(application.ws_url), "c1", heard)
    await session.begin(SESSION_NEW)
    assert verbs_of(await heard.command()) == ["say"]
    await session.close()
    assert complaint["type"] == "jambonz:error"
    assert complaint["hook"] == "/error"
    assert complaint["data"]["msg"] == "InvalidMessage"
    assert details in complaint["data"]["details"]
    assert complaint["data"]["content"] == text[:500]
    assert alerts.alerts[0][0] == "payload-error"


async def test_an_unknown_verb_rejects_the_payload_with_its_path_and_the_call_goes_on(
    application: ScriptedApplication, connector: AppConnector, alerts: HeardAlerts
) -> None:
    heard = Heard()
    complaints: list[dict[str, Any]] = []

    async def script(peer: Peer) -> None:
        await peer.ack(await peer.next(), SAY)
        await peer.say(type="command", command="redirect", data=[SAY, {"verb": "agent", "llm": {"vendor": 5}}])
        complaints.append(await peer.next())
        hook = await peer.next()
        await peer.ack(hook, {"verb": "frobnicate"})
        complaints.append(await peer.next())
        await until_closed(peer)

    application.scripts = [script]
    session = connector.open(record(application.ws_url), "c1", heard)
    await session.begin(SESSION_NEW)
    assert await session.call_hook(Hook("/a"), {}) is None
    session.agent_event(Hook("/e"), {})
    await session.close()
    assert complaints[0]["data"]["details"] == "[1].llm.vendor"
    assert "frobnicate" in complaints[1]["data"]["msg"]
    assert heard.commands.empty()
    assert {kind for kind, _ in alerts.alerts} == {"payload-error"}


async def test_unusable_first_verbs_are_told_to_the_application(
    application: ScriptedApplication, connector: AppConnector
) -> None:
    seen: dict[str, Any] = {}

    async def script(peer: Peer) -> None:
        await peer.ack(await peer.next(), {"verb": "pause"})
        seen["complaint"] = await peer.next()
        seen["code"] = await peer.end()

    application.scripts = [script]
    session = connector.open(record(application.ws_url), "c1", Heard())
    with pytest.raises(SpecError, match=r"\[0\]\.length"):
        await session.begin(SESSION_NEW)
    await session.close(failed=True)
    assert "[0].length" in seen["complaint"]["data"]["msg"]
    assert seen["code"] == 1001


async def test_an_inbound_call_needs_a_verb(application: ScriptedApplication, connector: AppConnector) -> None:
    async def script(peer: Peer) -> None:
        await peer.ack(await peer.next())
        await until_closed(peer)

    application.scripts = [script]
    session = connector.open(record(application.ws_url), "c1", Heard())
    with pytest.raises(SpecError, match="no application provided"):
        await session.begin(SESSION_NEW)
    await session.close(failed=True)


@pytest.mark.agent_row("wrong properties")
async def test_a_wrong_tuning_member_is_named_and_the_agent_runs(
    application: ScriptedApplication, connector: AppConnector
) -> None:
    complaint: dict[str, Any] = {}

    async def script(peer: Peer) -> None:
        await peer.ack(await peer.next(), {"verb": "agent", "bargeIn": {"threshold": 7}, "vad": {}})
        complaint.update(await peer.next())
        await until_closed(peer)

    application.scripts = [script]
    session = connector.open(record(application.ws_url), "c1", Heard())
    verbs = await session.begin(SESSION_NEW)
    assert isinstance(verbs[0], Agent)
    await session.close()
    assert complaint["data"]["details"] == "[0].bargeIn.threshold"


async def test_tool_calls(application: ScriptedApplication, connector: AppConnector) -> None:
    calls: list[dict[str, Any]] = []

    async def script(peer: Peer) -> None:
        await peer.ack(await peer.next(), SAY)
        calls.extend([await peer.next(), await peer.next()])
        for call, data in zip(reversed(calls), ({"result": "18 C"}, {"temperature": 4}), strict=True):
            await peer.say(
                type="command", command="llm:tool-output", tool_call_id=call["data"]["tool_call_id"], data=data
            )
        await peer.say(type="command", command="llm:tool-output", tool_call_id="stranger", data={})
        await until_closed(peer)

    application.scripts = [script]
    session = connector.open(record(application.ws_url), "c1", Heard())
    await session.begin(SESSION_NEW)
    results = await asyncio.gather(
        session.call_tool(Hook("/t"), {"tool_call_id": "t1", "name": "a", "arguments": {"camelCase": {"aB": 1}}}),
        session.call_tool(Hook("/t"), {"tool_call_id": "t2", "name": "b", "arguments": {}}),
    )
    assert results == [{"temperature": 4}, "18 C"]
    with pytest.raises(HookError, match="in time"):
        await session.call_tool(Hook("/t"), {"tool_call_id": "t3", "name": "b", "arguments": {}})
    await session.close()
    assert calls[0]["type"] == "agent:tool-call"
    assert calls[0]["data"]["arguments"] == {"camelCase": {"aB": 1}}


@pytest.mark.agent_row("events for the Python SDK")
@pytest.mark.parametrize(
    ("server", "setting", "kind"),
    [
        ("Python/3.11 aiohttp/3.14", "auto", "verb:hook"),
        ("nginx", "auto", "agent:event"),
        ("nginx", "hook", "verb:hook"),
        ("Python/3.11 aiohttp/3.14", "agent", "agent:event"),
    ],
)
async def test_agent_events_bend_for_the_python_sdk(
    application: ScriptedApplication, connector: AppConnector, server: str, setting: Any, kind: str
) -> None:
    heard = Heard()
    seen: list[dict[str, Any]] = []

    async def script(peer: Peer) -> None:
        await peer.ack(await peer.next(), SAY)
        event = await peer.next()
        seen.append(event)
        await peer.ack(event)
        if event["type"] == "verb:hook":
            await peer.ack(event, {"verb": "hangup"})
        else:
            await peer.say(type="command", command="redirect", data=[{"verb": "hangup"}])
        await until_closed(peer)

    application.scripts = [script]
    url = f"{application.ws_url}?server={server.replace(' ', '%20')}"
    session = connector.open(record(url, agent_messages=setting), "c1", heard)
    await session.begin(SESSION_NEW)
    session.agent_event(Hook("/agent-event"), {"type": "user_interruption"})
    assert verbs_of(await heard.command()) == ["hangup"]
    await session.close()
    assert seen[0]["type"] == kind
    assert seen[0]["hook"] == "/agent-event"


async def test_redirects(application: ScriptedApplication, connector: AppConnector) -> None:
    seen: list[dict[str, Any]] = []
    codes: list[int] = []

    async def first(peer: Peer) -> None:
        await peer.ack(await peer.next(), SAY)
        seen.append(await peer.next())
        await peer.ack(seen[-1], SAY, SAY)
        codes.append(await peer.end())

    async def second(peer: Peer) -> None:
        seen.append(await peer.next())
        await peer.ack(seen[-1], SAY, SAY, SAY)
        seen.append(await peer.next())
        await until_closed(peer)

    application.scripts = [first, second]
    heard = Heard()
    session = connector.open(record(application.ws_url), "c1", heard)
    await session.begin(SESSION_NEW)
    assert len(await session.redirect(Hook("/next"), {"call_sid": "c1"})) == 2
    assert len(await session.redirect(Hook(application.ws_url + "other"), {"call_sid": "c1"})) == 3
    session.call_status({"call_status": "in-progress"})
    await session.close()
    assert [message["type"] for message in seen] == ["session:redirect", "session:redirect", "call:status"]
    assert seen[0]["hook"] == "/next"
    assert "hook" not in seen[1]
    assert codes == [1000]
    assert heard.closed.empty()


async def test_only_some_commands_may_name_another_leg(
    application: ScriptedApplication, connector: AppConnector
) -> None:
    complaint: dict[str, Any] = {}
    heard = Heard()

    async def script(peer: Peer) -> None:
        await peer.ack(await peer.next(), SAY)
        await peer.say(type="command", command="mute:status", callSid="other", data={"mute_status": "mute"})
        await peer.say(type="command", command="tag", callSid="other", data={})
        complaint.update(await peer.next())
        await until_closed(peer)

    application.scripts = [script]
    session = connector.open(record(application.ws_url), "c1", heard)
    await session.begin(SESSION_NEW)
    assert await heard.command() == OtherLegCommand("other", MuteCommand(True))
    await session.close()
    assert "call leg" in complaint["data"]["msg"]


async def test_a_fault_of_ours_ends_the_session_not_silently(
    application: ScriptedApplication, connector: AppConnector
) -> None:
    class Faulty(Heard):
        def on_command(self, command: Command) -> None:
            raise RuntimeError("a fault in the call")

    async def script(peer: Peer) -> None:
        await peer.ack(await peer.next(), SAY)
        await peer.next()
        await peer.say(type="command", command="redirect", data=[SAY])
        await until_closed(peer)

    heard = Faulty()
    application.scripts = [script]
    session = connector.open(record(application.ws_url), "c1", heard)
    await session.begin(SESSION_NEW)
    session.verb_status({})
    assert await heard.end() is False
    await session.close()


async def test_a_tool_call_fails_when_the_application_closes(
    application: ScriptedApplication, connector: AppConnector
) -> None:
    async def script(peer: Peer) -> None:
        await peer.ack(await peer.next(), SAY)
        await peer.next()
        await peer.socket.close(code=1000)

    application.scripts = [script]
    session = connector.open(record(application.ws_url), "c1", Heard())
    await session.begin(SESSION_NEW)
    with pytest.raises(HookError, match="closed"):
        await session.call_tool(Hook("/t"), {"tool_call_id": "t1", "name": "a", "arguments": {}})
    with pytest.raises(HookError, match="gone"):
        await session.call_tool(Hook("/t"), {"tool_call_id": "t2", "name": "a", "arguments": {}})
    await session.close()


async def test_a_second_ack_with_unusable_verbs_is_reported(
    application: ScriptedApplication, connector: AppConnector, alerts: HeardAlerts
) -> None:
    complaint: dict[str, Any] = {}

    async def script(peer: Peer) -> None:
        first = await peer.next()
        await peer.ack(first, SAY)
        await peer.ack(first, {"verb": "nonsense"})
        complaint.update(await peer.next())
        await until_closed(peer)

    application.scripts = [script]
    heard = Heard()
    session = connector.open(record(application.ws_url), "c1", heard)
    await session.begin(SESSION_NEW)
    session.verb_status({})
    await session.close()
    assert complaint["type"] == "jambonz:error"
    assert heard.commands.empty()
    assert alerts.alerts


async def test_a_redirect_without_answer_keeps_the_former_application(
    application: ScriptedApplication, connector: AppConnector
) -> None:
    async def script(peer: Peer) -> None:
        await peer.ack(await peer.next(), SAY)
        await peer.next()
        await peer.ack(await peer.next(), {"verb": "hangup"})
        await until_closed(peer)

    async def silent(peer: Peer) -> None:
        await until_closed(peer)

    application.scripts = [script, silent]
    session = connector.open(record(application.ws_url), "c1", Heard())
    await session.begin(SESSION_NEW)
    with pytest.raises(HookError, match="in time"):
        await session.redirect(Hook("/next"), {})
    with pytest.raises(HookError, match="did not acknowledge"):
        await session.redirect(Hook(application.ws_url), {})
    assert session.keeps_call_up
    assert await session.call_hook(Hook("/done"), {}) is not None
    await session.close()
