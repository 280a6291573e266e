"""One whole call with an agent, in a few words: what it is told, what the caller does, and what everybody saw."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from tests.call.application import Application, Tool, serving
from tests.call.stage import AGENT, Stage, staged

from moonwire.ports.turn_detector import TurnDetector
from moonwire.sandbox.caller import CallerReport, HangUp, Say, Step, WaitForSilence
from moonwire.sandbox.moonshot.script import ScriptedAnswer
from moonwire.sandbox.patch import PatchLeg

HOURS = "Hello, what are your opening hours?"
STORY = "Please tell me a story about the moon."
WAIT = "Wait, stop please."
ONE_QUESTION: tuple[Step, ...] = (WaitForSilence(), Say(HOURS), WaitForSilence(), HangUp())
JUST_THE_GREETING: tuple[Step, ...] = (WaitForSilence(), HangUp())

Json = dict[str, Any]


@dataclass
class Talk:
    """A call that is over."""

    stage: Stage
    application: Application
    report: CallerReport
    leg: PatchLeg

    @property
    def turns(self) -> list[Json]:
        """Lines of the event log, one for each turn."""
        return self.stage.named("turn")

    @property
    def causes(self) -> list[str]:
        """Why the agent spoke, turn by turn."""
        return [turn["cause"] for turn in self.turns]

    @property
    def heard(self) -> list[str]:
        """What the caller heard, turn by turn."""
        return [turn["pii_heard"] for turn in self.turns]

    @property
    def ends(self) -> list[Json]:
        """The turn_end events."""
        return self.events("turn_end")

    @property
    def requests(self) -> list[Json]:
        """What the model was sent, as JSON."""
        return [json.loads(chat.body) for chat in self.stage.moonshot.chats]

    @property
    def started(self) -> Json:
        """What the event log says about the agent."""
        return self.stage.named("call", name="agent_started")[0]

    @property
    def errors(self) -> list[Json]:
        """What the application was told in jambonz:error."""
        return self.application.of("jambonz:error")

    @property
    def stt(self) -> dict[str, str]:
        """The recogniser's query."""
        return dict((self.stage.deepgram.records or self.stage.flux.records)[0].query)

    @property
    def tts(self) -> Json:
        """The first message to the voice."""
        return self.stage.cartesia.records.received[0].message

    def events(self, kind: str) -> list[Json]:
        """Return the agent's events of a kind."""
        return [event for event in self.application.events if event["type"] == kind]

    def hooked(self, hook: str) -> list[Json]:
        """Return what a hook was sent."""
        return [message["data"] for message in self.application.messages if message.get("hook") == hook]


def agent(members: Mapping[str, Any]) -> Json:
    """Lay members over an agent with a fixed greeting; objects are merged, None removes."""
    return _laid_over(AGENT | {"greeting": "Hello."}, members)


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> Json:
    merged = dict(below)
    for name, value in above.items():
        mine = merged.get(name)
        if value is None:
            merged.pop(name, None)
        elif isinstance(mine, dict) and isinstance(value, dict) and value:
            merged[name] = _laid_over(mine, value)
        else:
            merged[name] = value
    return merged


async def held(
    tmp_path: Path,
    members: Mapping[str, Any] | None = None,
    *,
    steps: Sequence[Step] = ONE_QUESTION,
    hears: Sequence[str] = (HOURS, HOURS, HOURS),
    says: Sequence[str | ScriptedAnswer] = (),
    tools: Mapping[str, Tool] | None = None,
    before: Callable[[Stage, Application], object] | None = None,
    on_event: Callable[[Application, Json], Awaitable[None]] | None = None,
    detector: TurnDetector | None = None,
    day: date = date(2026, 11, 22),
) -> Talk:
    """Hold a call with an agent and return what happened.

    Args:
        tmp_path: for recordings.
        members: of the agent; see `agent`.
        steps: the caller's.
        hears: what the recognisers understand, turn by turn.
        says: the model's answers, in order; then those of a receptionist.
        tools: the application's.
        before: changes stage or application before the call.
        on_event: runs for each event of the agent.
        detector: an acoustic engine for the end of turn.
        day: which decides on the models that the vendor serves.
    """
    async with (
        staged(tmp_path, turns=detector, day=day) as stage,
        serving(agent(members or {}), **(tools or {})) as application,
    ):
        stage.run_application(None, application.url)
        stage.deepgram.set_hearing(list(hears))
        stage.flux.set_hearing(list(hears))
        stage.moonshot.say(*says)
        if on_event is not None:

            async def take(event: Json) -> None:
                await on_event(application, event)

            application.on_event = take
        if before is not None:
            before(stage, application)
        report, leg = await stage.call(*steps)
        return Talk(stage, application, report, leg)
