"""Orders of the turn machine, in imperative; the call's driver is the only place that carries them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from moonwire.core.turns.events import TimerName

ReplyCause = Literal["greeting", "user", "no_response", "requested", "apology"]
"""Why the agent speaks: first words, an answer, a check on a silent caller, the application's wish, or a fixed sentence
after a failure."""

CancelReason = Literal["barge_in", "superseded", "preflight_miss", "replaced", "failed", "ended"]
"""barge_in: the caller interrupted. superseded: the caller said more. preflight_miss: an early reply to words that
turned out to be others. replaced: the application wants another one. failed, ended: the reply, or the agent."""


@dataclass(frozen=True, slots=True)
class StartReply:
    """Begin to produce reply number `reply` (counted from 1 in each agent)."""

    reply: int
    cause: ReplyCause


@dataclass(frozen=True, slots=True)
class StartEarlyReply:
    """Begin to produce an answer to words that are not yet a turn; it ends by ReleaseReply or CancelReply.

    Before its release nothing is spoken, stored or done.
    """

    reply: int
    text: str
    """What the caller has said so far."""


@dataclass(frozen=True, slots=True)
class ReleaseReply:
    """The early reply was right: it is now the answer to the turn just committed, with all it has produced."""

    reply: int


@dataclass(frozen=True, slots=True)
class CancelReply:
    """Stop producing the reply at once: model stream, synthesis and tools."""

    reply: int
    reason: CancelReason


@dataclass(frozen=True, slots=True)
class PausePlayback:
    """Hold the reply's audio where it is; production goes on."""

    reply: int


@dataclass(frozen=True, slots=True)
class ResumePlayback:
    """Go on with held audio from where it stopped."""

    reply: int


@dataclass(frozen=True, slots=True)
class ClearPlayback:
    """Drop the reply's audio that has not been heard."""

    reply: int


@dataclass(frozen=True, slots=True)
class CommitUserTurn:
    """The caller's turn is complete; it enters the history."""

    text: str


@dataclass(frozen=True, slots=True)
class CommitAgentTurn:
    """The agent's turn is over; what was heard of it enters the history."""

    reply: int
    interrupted: bool
    """The caller cut it off; False also when it failed or the call ended in the middle."""


@dataclass(frozen=True, slots=True)
class ArmTimer:
    """Deliver TimerFired(timer) at media time `due`; arming again replaces the earlier due time."""

    timer: TimerName
    due: float


@dataclass(frozen=True, slots=True)
class DisarmTimer:
    """Forget the timer."""

    timer: TimerName


@dataclass(frozen=True, slots=True)
class EndAgent:
    """The agent cannot go on; the verb ends with this reason."""

    reason: str


TurnCommand = (
    StartReply
    | StartEarlyReply
    | ReleaseReply
    | CancelReply
    | PausePlayback
    | ResumePlayback
    | ClearPlayback
    | CommitUserTurn
    | CommitAgentTurn
    | ArmTimer
    | DisarmTimer
    | EndAgent
)
