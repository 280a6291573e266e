"""Carries turn events to the machine and its commands to the agent: the only place where decisions become effects.

Events that arise while commands are carried out wait their turn, so the machine never sees itself re-entered.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol, assert_never

from moonwire.call.timeline import Timeline
from moonwire.core.turns import commands as c
from moonwire.core.turns import events as e
from moonwire.core.turns.codec import (
    TURN_COMMAND,
    TURN_EVENT,
    TURN_SETTINGS,
    encode_command,
    encode_event,
    encode_settings,
)
from moonwire.core.turns.machine import TurnMachine
from moonwire.core.turns.settings import TurnSettings
from moonwire.ports.event_log import CallEventLog


class AgentActions(Protocol):
    """What the driver can order; all of it at once and without waiting."""

    def start_reply(self, reply: int, cause: c.ReplyCause, early_text: str = "") -> None:
        """Begin to produce a reply; an early one answers words that are no turn yet: nothing of it may be heard,
        stored or done before its release.
        """
        ...

    def release_reply(self, reply: int) -> None:
        """Let an early reply be heard, with all that it has produced."""
        ...

    def cancel_reply(self, reply: int, reason: c.CancelReason) -> None:
        """Stop producing it."""
        ...

    def steer_playback(self, order: c.PausePlayback | c.ResumePlayback | c.ClearPlayback) -> None:
        """Hold a reply's audio, let it go on, or drop what is unheard of it."""
        ...

    def commit_user_turn(self, text: str) -> None:
        """Enter the caller's words into the history."""
        ...

    def commit_agent_turn(self, reply: int, interrupted: bool) -> None:
        """Enter what was heard into the history."""
        ...

    def end_agent(self, reason: str) -> None:
        """End the verb."""
        ...


class TurnDriver:
    """One agent's turn taking, live."""

    def __init__(self, settings: TurnSettings, actions: AgentActions, timeline: Timeline, log: CallEventLog) -> None:
        self._machine = TurnMachine(settings)
        log.write(TURN_SETTINGS, timeline.now(), **encode_settings(settings))
        self._actions = actions
        self._timeline = timeline
        self._log = log
        self._timers: dict[e.TimerName, asyncio.TimerHandle] = {}
        self._waiting: deque[e.TurnEvent] = deque()
        self._busy = False

    def handle(self, event: e.TurnEvent) -> None:
        """Take a fact."""
        self._waiting.append(event)
        if self._busy:
            return
        self._busy = True
        try:
            while self._waiting:
                self._decide(self._waiting.popleft())
        finally:
            self._busy = False

    def stop(self) -> None:
        """Tell the machine that all is over, and forget the timers."""
        self.handle(e.CallEnded(self._timeline.now()))
        for handle in self._timers.values():
            handle.cancel()
        self._timers.clear()

    def _decide(self, event: e.TurnEvent) -> None:
        self._log.write(TURN_EVENT, event.at, **encode_event(event))
        for command in self._machine.handle(event):
            self._log.write(TURN_COMMAND, event.at, **encode_command(command))
            self._execute(command)

    def _execute(self, command: c.TurnCommand) -> None:
        actions = self._actions
        match command:
            case c.ArmTimer(timer, due):
                self._arm(timer, due)
            case c.DisarmTimer(timer):
                self._disarm(timer)
            case c.StartReply(reply, cause):
                actions.start_reply(reply, cause)
            case c.StartEarlyReply(reply, text):
                actions.start_reply(reply, "user", early_text=text)
            case c.ReleaseReply(reply):
                actions.release_reply(reply)
            case c.CancelReply(reply, reason):
                actions.cancel_reply(reply, reason)
            case c.PausePlayback() | c.ResumePlayback() | c.ClearPlayback():
                actions.steer_playback(command)
            case c.CommitUserTurn(text):
                actions.commit_user_turn(text)
            case c.CommitAgentTurn(reply, interrupted):
                actions.commit_agent_turn(reply, interrupted)
            case c.EndAgent(reason):
                actions.end_agent(reason)
            case _:
                assert_never(command)

    def _arm(self, timer: e.TimerName, due: float) -> None:
        self._disarm(timer)

        def fire() -> None:
            self._timers.pop(timer, None)
            self.handle(e.TimerFired(max(due, self._timeline.now()), timer))

        self._timers[timer] = self._timeline.call_at(due, fire)

    def _disarm(self, timer: e.TimerName) -> None:
        handle = self._timers.pop(timer, None)
        if handle is not None:
            handle.cancel()
