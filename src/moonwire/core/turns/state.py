"""What the turn machine lets others see of itself: a snapshot for logs, the generated reference and tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from moonwire.core.turns.commands import ReplyCause
from moonwire.core.turns.events import TimerName

Phase = Literal["new", "live", "ended"]
"""new: CallAnswered has not come. ended: after CallEnded or EndAgent; the machine is deaf and mute."""

UserFloor = Literal["silent", "onset", "speaking", "paused"]
"""silent: nothing heard, nothing to be decided. onset: voice while the agent has a reply, not yet long enough to
count. speaking: the caller holds the floor. paused: voice stopped or words came, the end of the turn is open."""

AgentFloor = Literal["listening", "preflight", "thinking", "speaking", "held"]
"""listening: no reply alive. preflight: an early reply to an unconfirmed turn, inaudible. thinking: a reply without
sound yet. speaking: the reply is audible. held: playback paused by a possible interruption."""


@dataclass(frozen=True, slots=True)
class TurnState:
    """Everything that the next decision depends on, apart from the settings; times are media seconds."""

    phase: Phase
    user: UserFloor
    agent: AgentFloor
    reply: int
    """The living reply, 0 when there is none."""
    cause: ReplyCause | None
    """Why the living reply was started."""
    armed: Mapping[TimerName, float]
    """Armed timers and when they are due."""
    pending_text: str
    """Words heard since the last committed turn of the caller."""
    voice: bool
    """The voice detector's last word."""
    decided: bool
    """The end of the turn is decided, only its words are missing."""
    owed: ReplyCause | None
    """What the agent says when a caller who took the floor turns out to have said nothing."""
    failures: int
    """Replies that failed since one was heard."""
    ending: str | None
    """Why the agent ends once its last sentence is over."""
