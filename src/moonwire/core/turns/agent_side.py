"""Keeps the agent's half of the turn machine: floor, the one living reply and its timer; no rules."""

from __future__ import annotations

from moonwire.core.turns.commands import (
    CancelReason,
    CancelReply,
    ClearPlayback,
    CommitAgentTurn,
    PausePlayback,
    ReleaseReply,
    ReplyCause,
    ResumePlayback,
    StartEarlyReply,
    StartReply,
)
from moonwire.core.turns.orders import Orders
from moonwire.core.turns.settings import TurnSettings
from moonwire.core.turns.state import AgentFloor
from moonwire.core.turns.words import tokens


class AgentSide:
    """What has become of the reply that may be alive. The reply_start timer is armed exactly in thinking."""

    def __init__(self, settings: TurnSettings, orders: Orders) -> None:
        self._settings = settings
        self._orders = orders
        self._started = 0
        self.floor: AgentFloor = "listening"
        self.reply = 0
        """The living reply, 0 when there is none."""
        self.cause: ReplyCause | None = None
        """Why the newest reply was started; stays when it is over."""
        self.failures = 0
        self._early_words: tuple[str, ...] = ()

    def start(self, at: float, cause: ReplyCause) -> None:
        """Begin a reply; none is alive."""
        self._begin(cause)
        self._orders.give(StartReply(self.reply, cause))
        self._think(at)

    def start_early(self, text: str) -> None:
        """Begin a reply to words that may not be all; none is alive."""
        self._begin("user")
        self._early_words = tokens(text)
        self.floor = "preflight"
        self._orders.give(StartEarlyReply(self.reply, text))

    def foresaw(self, text: str) -> bool:
        """Tell whether the early reply answers exactly these words, punctuation and case aside."""
        return self.floor == "preflight" and tokens(text) == self._early_words

    def release(self, at: float) -> None:
        """The early reply answers the turn that was just committed."""
        self._orders.give(ReleaseReply(self.reply))
        self._think(at)

    def become_audible(self) -> None:
        """The first audio of the living reply was sent."""
        self._orders.disarm("reply_start")
        self.floor = "speaking"

    def allow(self, due: float) -> None:
        """Give a reply without sound another time to become audible; an audible one has no limit."""
        if self.floor == "thinking":
            self._orders.arm("reply_start", due)

    def hold(self) -> None:
        """Pause an audible reply."""
        self.floor = "held"
        self._orders.give(PausePlayback(self.reply))

    def resume(self) -> None:
        """Go on with a held reply; nothing happens when it is not held."""
        if self.floor == "held":
            self.floor = "speaking"
            self._orders.give(ResumePlayback(self.reply))

    def miss(self) -> None:
        """Drop an early reply; nothing happens when there is none."""
        if self.floor == "preflight":
            self.cut("preflight_miss")

    def cut(self, reason: CancelReason) -> None:
        """End the living reply, if any, before its time."""
        if not self.reply:
            return
        audible = self.floor in {"speaking", "held"}
        if audible:
            self._orders.give(ClearPlayback(self.reply))
        self._orders.give(CancelReply(self.reply, reason))
        if audible:
            self._orders.give(CommitAgentTurn(self.reply, interrupted=reason == "barge_in"))
        self._leave(succeeded=audible and reason in {"barge_in", "replaced"})

    def finish(self) -> None:
        """The living reply has been heard to its end."""
        self._orders.give(CommitAgentTurn(self.reply, interrupted=False))
        self._leave(succeeded=True)

    def _begin(self, cause: ReplyCause) -> None:
        self._started += 1
        self.reply = self._started
        self.cause = cause

    def _think(self, at: float) -> None:
        self.floor = "thinking"
        self._orders.arm("reply_start", at + self._settings.reply_start_s)

    def _leave(self, *, succeeded: bool) -> None:
        self._orders.disarm("reply_start")
        self.floor = "listening"
        self.reply = 0
        if succeeded and self.cause != "apology":
            self.failures = 0
