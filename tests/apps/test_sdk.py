"""Our side of the protocol against unmodified applications on jambonz's Node and Python SDKs."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest

from moonwire.apps.connector import AppConnector
from moonwire.apps.surroundings import Timings
from moonwire.ports.applications import ApplicationSession
from moonwire.spec.commands import (
    AgentUpdateCommand,
    CallStatusCommand,
    DtmfCommand,
    InjectContext,
    MuteCommand,
    RedirectCommand,
    TagCommand,
)
from moonwire.spec.hooks import Hook
from moonwire.spec.payloads import CallSnapshot, SessionDetails, agent_complete, call_status, session_new
from moonwire.spec.verbs import Agent, Hangup, Say, Verb

from .conftest import Heard, HeardAlerts, WallClock, record
from .sdk_process import RunningApplication, node_sdk, start

__all__ = ["node_sdk", "start"]  # fixtures

pytestmark = pytest.mark.e2e

TIMINGS = Timings(ack_s=3, retry_delays_s=(0.05, 0.1, 0.2))
EVENT = Hook("/agent-event")


class Call:
    """One call's session with an application."""

    def __init__(self, session: ApplicationSession, heard: Heard, sid: str, application: RunningApplication) -> None:
        self.session = session
        self.heard = heard
        self.application = application
        self.snapshot = CallSnapshot(
            call_sid=sid,
            account_sid="acc",
            application_sid="app",
            direction="inbound",
            from_="+15551234567",
            to="16175551212",
            call_id=f"{sid}@test",
            call_status="trying",
            sip_status=100,
            sip_reason="Trying",
        )

    async def begin(self, **env_vars: Any) -> list[Verb]:
        return list(await self.session.begin(session_new(self.snapshot, SessionDetails(env_vars=env_vars))))

    async def ask(self, what: str) -> Any:
        """Send an event that the driver answers with a command."""
        self.session.agent_event(EVENT, {"type": what})
        return await asyncio.wait_for(self.heard.commands.get(), 30)


CallFactory = Callable[[str], Call]


@pytest.fixture(params=["node", "python"])
def language(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
async def calls(
    start: Callable[[str, str], RunningApplication], language: str, http: aiohttp.ClientSession, alerts: HeardAlerts
) -> AsyncIterator[CallFactory]:
    opened: list[Call] = []

    def place(what: str) -> Call:
        application, heard, sid = start(what, language), Heard(), str(uuid.uuid4())
        connector = AppConnector(http, alerts, WallClock(), lambda _: True, TIMINGS)
        session = connector.open(record(application.url), sid, heard)
        opened.append(Call(session, heard, sid, application))
        return opened[-1]

    yield place
    for call in opened:
        await call.session.close()


def texts(verbs: Any) -> list[Any]:
    return [verb.text if isinstance(verb, Say) else verb.verb for verb in verbs]


async def test_the_agent_of_the_moonshot_page(calls: CallFactory, language: str) -> None:
    call = calls("example")
    verbs = await call.begin()
    agent = verbs[0]
    assert len(verbs) == 1
    assert isinstance(agent, Agent)
    assert (agent.llm.vendor, agent.llm.model) == ("moonshot", "kimi-k2-0711-preview")
    assert agent.system_prompt == "You are a helpful voice assistant."
    assert agent.stt is not None
    assert (agent.stt.vendor, agent.stt.language) == ("deepgram", "en-US")
    assert agent.tts is not None
    assert (agent.tts.vendor, agent.tts.voice) == ("cartesia", "sonic-english")
    assert agent.turn_detection.mode == "krisp"
    assert agent.barge_in.enable
    assert agent.greeting is True
    assert agent.action_hook == Hook("/agent-complete")
    assert agent.event_hook is not None
    call.session.agent_event(agent.event_hook, {"type": "llm_response", "response": f"Hello from {language}"})
    assert agent.action_hook is not None
    complete = agent_complete(call.snapshot, "normal conversation end")
    answer = await call.session.call_hook(agent.action_hook, complete)
    assert answer is not None
    assert isinstance(answer[0], Hangup)
    await call.application.printed("agent complete: normal conversation end")
    assert any(f"Hello from {language}" in line for line in call.application.starting("event"))


async def test_the_operators_model_is_used(calls: CallFactory) -> None:
    verbs = await calls("example").begin(LLM_MODEL="moonshot:kimi-k2.6")
    assert isinstance(verbs[0], Agent)
    assert verbs[0].llm.model == "kimi-k2.6"


async def test_hooks_are_answered(calls: CallFactory) -> None:
    call = calls("driver")
    await call.begin()
    answer = await call.session.call_hook(Hook("/done"), agent_complete(call.snapshot, "server error"))
    assert texts(answer) == ["bye server error", "hangup"]
    assert await call.session.call_hook(Hook("/nobody"), {}) is None
    assert await call.session.call_hook(Hook("/silent"), {}) is None
    assert texts(await call.session.redirect(Hook("/next"), call_status(call.snapshot))) == ["redirected"]


async def test_notifications_reach_their_handlers(calls: CallFactory) -> None:
    call = calls("driver")
    before = len(call.application.starting("status in-progress"))
    await call.begin()
    call.session.call_status({**call_status(call.snapshot), "call_status": "in-progress"})
    call.session.verb_status({"event": "starting", "name": "agent"})
    for name in ("user_transcript", "llm_response", "user_interruption", "turn_end"):
        call.session.agent_event(EVENT, {"type": name})
    await call.session.call_hook(Hook("/nobody"), {})
    assert len(await call.application.printed("status in-progress", before + 1)) > before
    events = call.application.starting("event ")[-4:]
    assert events == [f"event {name}" for name in ("user_transcript", "llm_response", "user_interruption", "turn_end")]
    assert "verb starting agent" in call.application.lines


async def test_commands_are_understood(calls: CallFactory) -> None:
    call = calls("driver")
    await call.begin()
    again = await call.ask("again")
    assert isinstance(again, RedirectCommand)
    assert texts(again.verbs) == ["again"]
    assert not again.queue
    assert await call.ask("tag") == TagCommand({"orderId": 7})
    digits = await call.ask("dtmf")
    assert isinstance(digits, DtmfCommand)
    assert digits.digits == "5"
    assert await call.ask("mute") == MuteCommand(muted=True)
    update = await call.ask("update")
    assert isinstance(update, AgentUpdateCommand)
    assert isinstance(update.update, InjectContext)
    assert update.update.messages[0].content == "VIP"
    elsewhere = await call.ask("elsewhere")
    assert isinstance(elsewhere, RedirectCommand)
    assert elsewhere.hook == Hook("/elsewhere")
    assert await call.ask("complete") == CallStatusCommand("completed")


async def test_a_tool_is_called(calls: CallFactory) -> None:
    call = calls("driver")
    await call.begin()
    tool = {"tool_call_id": "call_1:0", "name": "weather", "arguments": {"cityName": "Paris"}}
    assert await call.session.call_tool(Hook("/tool"), tool) == "sunny in Paris"


async def test_a_reconnected_application_does_not_start_again(calls: CallFactory) -> None:
    call = calls("driver")
    await call.begin()
    call.session.agent_event(EVENT, {"type": "drop"})
    await call.application.printed(f"session {call.snapshot.call_sid}", 2)
    answer = await call.session.call_hook(Hook("/done"), agent_complete(call.snapshot, "normal conversation end"))
    assert texts(answer) == ["bye normal conversation end", "hangup"]
    assert call.heard.commands.empty()
    assert call.heard.closed.empty()


@pytest.mark.parametrize("language", ["node"])
async def test_the_node_sdk_queues(calls: CallFactory) -> None:
    call = calls("driver")
    await call.begin()
    queued = await call.ask("queue")
    assert isinstance(queued, RedirectCommand)
    assert queued.queue
    assert await call.session.call_hook(Hook("/queue"), {}) is None
    reply = await call.heard.command()
    assert isinstance(reply, RedirectCommand)
    assert reply.queue
    assert texts(reply.verbs) == ["queued"]


async def test_many_calls_at_once(calls: CallFactory) -> None:
    several = [calls("driver") for _ in range(6)]
    begun = await asyncio.gather(*(call.begin() for call in several))
    assert [len(verbs) for verbs in begun] == [1] * 6
