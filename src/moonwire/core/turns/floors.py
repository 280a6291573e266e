"""Couples the two halves of the turn machine: what both kinds of rules share."""

from __future__ import annotations

from moonwire.core.turns.agent_side import AgentSide
from moonwire.core.turns.caller_side import CallerSide
from moonwire.core.turns.commands import ReplyCause
from moonwire.core.turns.orders import Orders
from moonwire.core.turns.settings import TurnSettings
from moonwire.core.turns.state import Phase


class Floors:
    """Both floors, the phase of the call and the way out."""

    def __init__(self, settings: TurnSettings) -> None:
        self.settings = settings
        self.orders = Orders()
        self.caller = CallerSide(settings, self.orders)
        self.agent = AgentSide(settings, self.orders)
        self.phase: Phase = "new"
        self.ending: str | None = None
        """Why the agent ends once its last sentence is over."""
        self.requests = 0
        """Replies that the application has asked for and that wait for the floor."""

    def start(self, at: float, cause: ReplyCause) -> None:
        """Begin a reply; none is alive."""
        self.caller.new_reply()
        self.agent.start(at, cause)

    def rest(self, at: float) -> None:
        """Nobody has the floor: say what the application has asked for, or wait for the caller."""
        if self.requests:
            self.requests -= 1
            self.start(at, "requested")
        else:
            self.caller.expect_answer(at)

    def release(self, at: float) -> None:
        """Let the early reply be the answer."""
        self.caller.new_reply()
        self.agent.release(at)

    def close(self) -> None:
        """Nothing is alive or armed any more, and nothing will be."""
        self.agent.cut("ended")
        self.caller.forget()
        self.phase = "ended"
